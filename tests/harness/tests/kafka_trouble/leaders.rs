//! Three brokers, of which one is lost while everybody works.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;

use harness::Deployment;
use kafka_testkit::Cluster;

use super::{
    assert_doubled, assert_log_is_short, doubling, start, wait_for_trouble, wait_until_committed,
    wait_until_over,
};

/// Ends what goes on until it is told to, also where the test fails before.
struct Ends<'a>(&'a AtomicBool);

impl Drop for Ends<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Release);
    }
}

#[test]
fn another_broker_leads_on_when_one_is_lost() {
    let cluster = Cluster::start3();
    let deployment = Deployment::on_cluster(&cluster);
    let models = doubling();
    let host = start(&deployment, &models);
    let client = deployment.client();
    for topic in ["e/requests", "e/answers", "e/scores"] {
        client.wait_until_replicated(&deployment.topic(topic));
    }
    let leader = client.leader(&deployment.topic("e/requests"), 0).expect("a leader");
    let (written, is_enough) = (AtomicU64::new(0), AtomicBool::new(false));
    let more = |count: u64| {
        let from = written.load(Ordering::Acquire);
        host.wait_for("more requests are written", |_| {
            (written.load(Ordering::Acquire) >= from + count).then_some(())
        });
    };
    thread::scope(|scope| {
        scope.spawn(|| {
            while !is_enough.load(Ordering::Acquire) {
                let number = written.load(Ordering::Acquire);
                deployment.write("e", number..number + 20);
                written.store(number + 20, Ordering::Release);
            }
        });
        let ends = Ends(&is_enough);
        more(100);
        cluster.kill(leader);
        wait_for_trouble(&host, "unreachable");
        more(100);
        let number = written.load(Ordering::Acquire);
        assert_doubled(&host, &deployment, 0..number);
        cluster.restart(leader);
        wait_until_over(&host, "unreachable");
        more(100);
        drop(ends);
    });
    let written = written.load(Ordering::Acquire);
    let answers = assert_doubled(&host, &deployment, 0..written);
    assert_eq!(answers.len() as u64, written);
    wait_until_committed(&host, &deployment);
    assert_log_is_short(&host);
    host.stop();
}
