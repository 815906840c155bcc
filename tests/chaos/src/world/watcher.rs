//! Somebody who counts answers as they come, and looks at commits.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use kafka_testkit::Client;
use message::record::header;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::message::Headers;
use rdkafka::{Message, Offset, TopicPartitionList};

use super::PARTITIONS;
use super::endpoint::Endpoint;
use crate::CommitSample;

/// How long to wait for a record.
const POLL: Duration = Duration::from_millis(100);
/// How long a question to the brokers may take; where it takes longer, the next look will do.
const QUESTION: Duration = Duration::from_secs(3);
/// How long to look away from the commits.
const PAUSE: Duration = Duration::from_millis(250);

/// Somebody who watches while a run lasts.
pub(super) struct Watcher {
    shared: Arc<Shared>,
    counter: JoinHandle<()>,
    sampler: JoinHandle<Vec<Vec<CommitSample>>>,
}

#[derive(Default)]
struct Shared {
    answers: AtomicU64,
    fences: AtomicU64,
    stop: AtomicBool,
}

impl Watcher {
    pub(super) fn start(client: &Client, endpoints: &[Endpoint]) -> Self {
        let shared = Arc::new(Shared::default());
        let counter = {
            let (shared, consumer) =
                (Arc::clone(&shared), consumer(client, "chaos-watcher", "read_committed"));
            assign(&consumer, endpoints);
            thread::spawn(move || shared.count(&consumer))
        };
        let sampler = {
            let shared = Arc::clone(&shared);
            let looks: Vec<_> = endpoints
                .iter()
                .map(|endpoint| {
                    (endpoint.clone(), consumer(client, &endpoint.group, "read_uncommitted"))
                })
                .collect();
            thread::spawn(move || shared.sample(&looks))
        };
        Self { shared, counter, sampler }
    }

    /// How many answers there are, void ones and repeated ones too.
    pub(super) fn answers(&self) -> u64 {
        self.shared.answers.load(Ordering::Acquire)
    }

    /// How often a partition was taken over.
    pub(super) fn fences(&self) -> u64 {
        self.shared.fences.load(Ordering::Acquire)
    }

    /// Looks at the commits once more, and returns what was seen of each endpoint.
    pub(super) fn finish(self) -> Vec<Vec<CommitSample>> {
        self.shared.stop.store(true, Ordering::Release);
        self.counter.join().expect("a watcher that does not panic");
        self.sampler.join().expect("a watcher that does not panic")
    }
}

impl Shared {
    fn count(&self, consumer: &BaseConsumer) {
        while !self.stop.load(Ordering::Acquire) {
            // What becomes of brokers that are away is the client's business.
            let Some(Ok(message)) = consumer.poll(POLL) else { continue };
            let mut headers = message.headers().into_iter().flat_map(|headers| headers.iter());
            let is_fence = headers.any(|header| header.key == header::FENCE);
            let count = if is_fence { &self.fences } else { &self.answers };
            count.fetch_add(1, Ordering::Release);
        }
    }

    fn sample(&self, looks: &[(Endpoint, BaseConsumer)]) -> Vec<Vec<CommitSample>> {
        let mut samples = vec![Vec::new(); looks.len()];
        loop {
            // In this order, so that there is a look behind the end of everything.
            let is_over = self.stop.load(Ordering::Acquire);
            for ((endpoint, consumer), samples) in looks.iter().zip(&mut samples) {
                look(endpoint, consumer, samples);
            }
            if is_over {
                return samples;
            }
            thread::sleep(PAUSE);
        }
    }
}

/// Looks at the commits of an endpoint, and then at the ends of what has to be there by then.
fn look(endpoint: &Endpoint, consumer: &BaseConsumer, samples: &mut Vec<CommitSample>) {
    let mut partitions = TopicPartitionList::new();
    partitions.add_partition_range(&endpoint.source_topic, 0, PARTITIONS as i32 - 1);
    let Ok(committed) = consumer.committed_offsets(partitions, QUESTION) else { return };
    let end = |topic: &str, partition: i32| {
        let ends = consumer.fetch_watermarks(topic, partition, QUESTION).ok()?;
        u64::try_from(ends.1).ok()
    };
    let Some(dead_letters_end) = end(&endpoint.dead_letters, 0) else { return };
    for element in committed.elements() {
        let Offset::Offset(commit) = element.offset() else { continue };
        let Some(answers_end) = end(&endpoint.answers, element.partition()) else { return };
        samples.push(CommitSample {
            source: endpoint.source.to_owned(),
            partition: element.partition() as u32,
            commit: commit as u64,
            answers_end,
            dead_letters_end,
        });
    }
}

fn consumer(client: &Client, group: &str, isolation: &str) -> BaseConsumer {
    let settings =
        [("group.id", group), ("enable.partition.eof", "false"), ("isolation.level", isolation)];
    client.consumer(&settings)
}

fn assign(consumer: &BaseConsumer, endpoints: &[Endpoint]) {
    let mut assignment = TopicPartitionList::new();
    for endpoint in endpoints {
        for partition in 0..PARTITIONS as i32 {
            assignment
                .add_partition_offset(&endpoint.answers, partition, Offset::Beginning)
                .expect("an offset");
        }
    }
    consumer.assign(&assignment).expect("an assignment");
}
