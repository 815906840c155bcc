//! The end of a run: everything healed, everybody stopped, all topics read.

use std::thread;
use std::time::Instant;

use kafka_testkit::Message;

use super::endpoint::Endpoint;
use super::{HEALING, LOOK, Outcome, World};
use crate::{Call, History, Record, Sent};

impl World {
    /// Waits until everything is committed, stops the hosts, and reads what there is.
    pub(super) fn finish(
        mut self,
        endpoints: &[Endpoint],
        sent: Vec<Vec<Sent>>,
        calls: Vec<Call>,
    ) -> Outcome {
        self.note("everything is well again".to_owned());
        self.wait_until_committed(endpoints);
        self.note("everything is committed".to_owned());
        for host in 0..self.hosts.count() {
            if self.stuck.is_empty()
                && let Err(error) = self.hosts.stop(host)
            {
                self.stuck.push(error);
            }
        }
        let Self { cluster, deployment, hosts, watcher, done, stuck, .. } = self;
        let deaths = hosts.deaths();
        let logs = hosts.logs();
        let commits = watcher.finish();
        let client = cluster.client();
        let known: Vec<String> = client.topics().into_iter().map(|(name, _)| name).collect();
        let read = |topic: &str| -> Vec<Record> {
            // One that was never needed may not be there.
            if !known.iter().any(|name| name == topic) {
                return Vec::new();
            }
            client.wait_until_settled(topic);
            client.read_all(topic).into_iter().map(record).collect()
        };
        let replies = read(&deployment.topic("replies"));
        let mut calls = Some(calls);
        let histories =
            endpoints.iter().zip(sent).zip(commits).map(|((endpoint, sent), commits)| {
                History {
                    rules: endpoint.rules(),
                    sources: [(endpoint.source.to_owned(), read(&endpoint.source_topic))].into(),
                    answers: read(&endpoint.answers),
                    scores: read(&endpoint.scores),
                    dead_letters: read(&endpoint.dead_letters),
                    replies: replies.clone(),
                    sent,
                    // The first endpoint is the one that is called.
                    calls: calls.take().unwrap_or_default(),
                    commits,
                }
            });
        let histories = histories.collect();
        Outcome { histories, done, stuck, deaths, logs }
    }

    fn wait_until_committed(&mut self, endpoints: &[Endpoint]) {
        let give_up = Instant::now() + HEALING;
        let client = self.cluster.client();
        for endpoint in endpoints {
            loop {
                let lag = client.lag(&endpoint.group, &endpoint.source_topic);
                if lag == 0 {
                    break;
                }
                if Instant::now() > give_up {
                    self.stuck.push(format!("{}: found a lag of {lag} in the end", endpoint.name));
                    break;
                }
                thread::sleep(10 * LOOK);
            }
        }
    }
}

fn record(message: Message) -> Record {
    let headers = message.headers.into_iter();
    Record {
        partition: message.partition.map_or(0, i32::unsigned_abs),
        offset: message.offset.unsigned_abs(),
        time_ms: message.time_ms.unwrap_or_default(),
        key: message.key,
        headers: headers.map(|(name, value)| (name, value.unwrap_or_default())).collect(),
        value: message.value.unwrap_or_default(),
    }
}
