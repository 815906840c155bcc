//! A broker that is slow, hangs, is gone, or has no room on its disk.

use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread;
use std::time::Duration;

use harness::{Client, Deployment, Host};
use kafka_testkit::{Broker, Message, Options};

use super::{
    assert_doubled, assert_log_is_short, call, call_padded, doubling, metric, start,
    wait_for_trouble, wait_until_committed, wait_until_over,
};

/// One of two brokers behind proxies, each for one test after the other.
fn broker(which: usize) -> MutexGuard<'static, Broker> {
    static BROKERS: [OnceLock<Mutex<Broker>>; 2] = [const { OnceLock::new() }; 2];
    let start = || Mutex::new(Broker::start_with(&Options::default().proxied()));
    let broker = BROKERS[which].get_or_init(start).lock().unwrap_or_else(PoisonError::into_inner);
    if !broker.cluster().is_running(1) {
        broker.restart();
    }
    broker.resume();
    broker.proxy().mend();
    broker
}

fn wait_until_not_ready(host: &Host) {
    host.wait_for("the host says that it is not ready", |host| {
        let ready = host.client().get("/v2/health/ready").expect("a response");
        (ready.status == 503).then_some(())
    });
}

#[test]
fn a_broker_that_is_slow_or_hangs_costs_time_and_nothing_else() {
    let broker = broker(0);
    // As in earnest, but a broker that hangs is given up sooner.
    let hasty =
        "[stream.kafka.properties]\n'socket.timeout.ms' = '4000'\n'request.timeout.ms' = '4000'\n";
    let deployment = Deployment::on(&broker).with_sections(hasty);
    let models = doubling();
    let host = start(&deployment, &models);
    deployment.write("e", 0..100);
    assert_doubled(&host, &deployment, 0..100);

    broker.proxy().delay(Duration::from_millis(100));
    broker.proxy().throttle(Some(100_000));
    deployment.write("e", 100..200);
    assert_doubled(&host, &deployment, 100..200);
    assert_eq!(call(&host, 7.0).y(), Some(14.0));
    let rtt = "understudy_stream_broker_rtt_seconds";
    let slowest = |host: &Host| {
        let text = Client::new(host.admin()).get("/metrics").ok()?.text();
        let values = text.lines().filter(|line| line.starts_with(rtt));
        let values = values.filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok());
        values.reduce(f64::max)
    };
    host.wait_for("a long way to the broker", |host| (slowest(host)? >= 0.2).then_some(()));
    broker.proxy().delay(Duration::ZERO);
    broker.proxy().throttle(None);

    broker.pause();
    let line = wait_for_trouble(&host, "unreachable");
    assert!(line.contains(broker.bootstrap()), "{line}");
    broker.resume();
    wait_until_over(&host, "unreachable");
    deployment.write("e", 200..300);
    assert_doubled(&host, &deployment, 0..300);
    wait_until_committed(&host, &deployment);
    assert_log_is_short(&host);
    host.stop();
}

#[test]
fn a_broker_that_is_gone_is_waited_for_in_bounded_memory() {
    let broker = broker(1);
    // Room for a few of the calls below: who is let in waits until after its deadline, and the rest does not.
    let limits = "[stream.kafka.delivery]\nunsent_limit = '1MiB'\n";
    let deployment = Deployment::on(&broker).with_sections(limits);
    let models = doubling();
    let host = start(&deployment, &models);
    deployment.write("e", 0..1000);
    assert_doubled(&host, &deployment, 0..1);
    // In the middle of the work.
    broker.kill();
    wait_for_trouble(&host, "unreachable");
    wait_until_not_ready(&host);
    let before = host.resident_bytes();
    thread::scope(|scope| {
        for caller in 0..4 {
            let host = &host;
            scope.spawn(move || {
                for number in 0..50 {
                    let response = call_padded(host, f64::from(caller * 50 + number), 200_000);
                    assert_eq!(response.status, 503, "{}", response.text());
                    assert!(response.error().is_some_and(|error| !error.is_empty()));
                }
            });
        }
    });
    let grown = host.resident_bytes().saturating_sub(before);
    assert!(grown < 64 << 20, "{} MiB more while the broker was gone", grown >> 20);
    broker.restart();
    wait_until_over(&host, "unreachable");
    assert_doubled(&host, &deployment, 0..1000);
    host.wait_for("a call is answered", |host| (call(host, 7.0).y() == Some(14.0)).then_some(()));
    wait_until_committed(&host, &deployment);
    assert_log_is_short(&host);
    host.stop();
}

#[test]
fn a_host_that_finds_no_broker_waits_for_it() {
    let broker = broker(1);
    broker.kill();
    let deployment = Deployment::on(&broker);
    let models = doubling();
    let host = deployment.host(&models);
    wait_for_trouble(&host, "unreachable");
    wait_until_not_ready(&host);
    assert!(host.problems().iter().any(|it| it.contains("unreachable")), "{:?}", host.problems());
    broker.restart();
    host.wait_until_settled("e");
    deployment.write("e", 0..10);
    assert_doubled(&host, &deployment, 0..10);
    wait_until_over(&host, "unreachable");
    assert_log_is_short(&host);
    host.stop();
}

#[test]
fn a_broker_whose_disk_is_full_loses_nothing_that_was_answered() {
    let broker = broker(0);
    let deployment = Deployment::on(&broker);
    let models = doubling();
    let host = start(&deployment, &models);
    deployment.write("e", 0..100);
    assert_doubled(&host, &deployment, 0..100);
    let cluster = broker.cluster();
    cluster.fill_disk(1, 8 << 20);
    // Somebody else's records are what fills it.
    let other = deployment.client().clone().with("message.timeout.ms", "2000");
    let topic = kafka_testkit::unique("filler");
    other.create_topic(&topic, 1, &[]);
    let large = vec![Message::new(vec![7; 500_000]); 32];
    assert!(other.try_produce(&topic, &large).iter().any(Result::is_err));
    cluster.wait_until_ended(1);
    wait_for_trouble(&host, "unreachable");
    let up = format!("understudy_stream_broker_up{{broker=\"{}\"}}", broker.bootstrap());
    host.wait_for("the broker is down", |host| (metric(host, &up) == Some(0.0)).then_some(()));
    broker.restart();
    wait_until_over(&host, "unreachable");
    deployment.write("e", 100..200);
    let answers = assert_doubled(&host, &deployment, 0..200);
    assert_eq!(answers.len(), 200);
    assert_log_is_short(&host);
    host.stop();
}
