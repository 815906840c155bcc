//! Somebody who counts answers as they come, and looks at commits.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

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
/// How long to try to see everything at the end.
const LAST_LOOK: Duration = Duration::from_secs(60);

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
            let mut lookers: Vec<_> =
                endpoints.iter().map(|endpoint| Looker::new(client, endpoint)).collect();
            thread::spawn(move || shared.sample(&mut lookers))
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

    fn sample(&self, lookers: &mut [Looker]) -> Vec<Vec<CommitSample>> {
        let mut give_up = None;
        loop {
            // In this order, so that there is a look behind the end of everything.
            let is_over = self.stop.load(Ordering::Acquire);
            let missed = lookers.iter_mut().map(Looker::look).filter(|seen| !seen).count();
            if is_over {
                let give_up = *give_up.get_or_insert_with(|| Instant::now() + LAST_LOOK);
                if missed == 0 || Instant::now() > give_up {
                    return lookers.iter_mut().map(|it| std::mem::take(&mut it.samples)).collect();
                }
            }
            thread::sleep(PAUSE);
        }
    }
}

/// Looks at the commits of an endpoint.
struct Looker {
    client: Client,
    endpoint: Endpoint,
    consumer: BaseConsumer,
    samples: Vec<CommitSample>,
}

impl Looker {
    fn new(client: &Client, endpoint: &Endpoint) -> Self {
        let (client, endpoint) = (client.clone(), endpoint.clone());
        let consumer = consumer(&client, &endpoint.group, "read_uncommitted");
        Self { client, endpoint, consumer, samples: Vec::new() }
    }

    /// Looks at the commits, and then at the ends of what has to be there by then. Returns whether everything was seen.
    fn look(&mut self) -> bool {
        let seen = self.try_to_look().is_some();
        if !seen {
            // It may know of leaders that are none any more; a new one asks.
            self.consumer = consumer(&self.client, &self.endpoint.group, "read_uncommitted");
        }
        seen
    }

    fn try_to_look(&mut self) -> Option<()> {
        let endpoint = &self.endpoint;
        let mut partitions = TopicPartitionList::new();
        partitions.add_partition_range(&endpoint.source_topic, 0, PARTITIONS as i32 - 1);
        let committed = self.consumer.committed_offsets(partitions, QUESTION).ok()?;
        let end = |topic: &str, partition: i32| {
            let ends = self.consumer.fetch_watermarks(topic, partition, QUESTION).ok()?;
            u64::try_from(ends.1).ok()
        };
        let dead_letters_end = end(&endpoint.dead_letters, 0)?;
        for element in committed.elements() {
            let Offset::Offset(commit) = element.offset() else { continue };
            let answers_end = end(&endpoint.answers, element.partition())?;
            self.samples.push(CommitSample {
                source: endpoint.source.to_owned(),
                partition: element.partition() as u32,
                commit: commit as u64,
                answers_end,
                dead_letters_end,
            });
        }
        Some(())
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
