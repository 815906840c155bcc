//! A host that finds no broker, and configuration that changes under one.

use std::fs;

use harness::{Deployment, Host, Models, Options};

use crate::broker;

#[test]
fn a_host_without_brokers_starts_and_says_what_it_waits_for() {
    let models = Models::with_champion("e", "times-2");
    let config = "[stream]\nbackend = 'kafka'\n[stream.kafka]\nbrokers = ['127.0.0.1:1']\n";
    let options = Options { config: config.to_owned(), ..Options::default() };
    let host = Host::start(&models.path(), options);
    let reason = host.wait_for("it says what it waits for", |host| {
        let response = host.client().get("/v2/health/ready").ok()?;
        (response.status == 503 && response.text().contains("127.0.0.1:1")).then(|| response.text())
    });
    assert!(reason.contains("the Kafka brokers are away"), "{reason}");
    assert_eq!(host.client().get("/v2/health/live").unwrap().status, 200);
    let problems = host.problems();
    assert!(problems.iter().any(|line| line.contains("Kafka: unreachable")), "{problems:?}");
    let metrics = harness::Client::new(host.admin()).get("/metrics").unwrap().text();
    assert!(metrics.contains("understudy_stream_trouble{class=\"unreachable\"} 1"), "{metrics}");
    let log = host.stop().log;
    let lines = log.lines().filter(|line| line.contains("trouble with Kafka")).count();
    assert!((1..=2).contains(&lines), "{lines} lines in {log}");
}

#[test]
fn another_stream_waits_for_a_restart_and_says_so() {
    let models = Models::with_champion("e", "times-2");
    let deployment = Deployment::on(broker()).with_keys("profile = 'low-latency'\n");
    let config = format!("{}[watch]\nperiod = '100ms'\nsettle = '10ms'\n", deployment.config());
    let host =
        Host::start(&models.path(), Options { config: config.clone(), ..Options::default() });
    let file = host.data().with_file_name("understudy.toml");
    host.wait_until_settled("e");
    host.wait_for("all is well", |host| host.problems().is_empty().then_some(()));
    fs::write(&file, config.replace("low-latency", "throughput")).unwrap();
    let problem = host.wait_for_problem(&["another [stream]"]);
    assert!(problem.contains("started again"), "{problem}");
    fs::write(&file, config).unwrap();
    host.wait_for("it is forgiven", |host| host.problems().is_empty().then_some(()));
}
