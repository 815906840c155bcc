//! Making, changing and removing topics.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};

use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, ResourceSpecifier, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::consumer::Consumer;

use super::Client;
use crate::wait::{self, PATIENCE};

/// So many copies as the brokers make by themselves.
const REPLICAS_OF_BROKER: TopicReplication<'_> = TopicReplication::Fixed(-1);

impl Client {
    /// Makes a topic with these settings, and returns when it can be written to and every copy is there.
    ///
    /// # Panics
    ///
    /// Where it cannot be made.
    pub fn create_topic(&self, topic: &str, partitions: i32, settings: &[(&str, &str)]) {
        let mut new = NewTopic::new(topic, partitions, REPLICAS_OF_BROKER);
        for (name, value) in settings {
            new = new.set(name, value);
        }
        let made = block_on(self.admin().create_topics([&new], &options()));
        let made = made.expect("an answer of a controller");
        made[0].as_ref().unwrap_or_else(|(_, error)| panic!("topic {topic}: {error}"));
        self.wait_until_replicated(topic);
    }

    /// Removes a topic, and returns when nobody knows it any more.
    ///
    /// # Panics
    ///
    /// Where it cannot be removed.
    pub fn delete_topic(&self, topic: &str) {
        let gone = block_on(self.admin().delete_topics(&[topic], &options()));
        let gone = gone.expect("an answer of a controller");
        gone[0].as_ref().unwrap_or_else(|(_, error)| panic!("topic {topic}: {error}"));
        wait::until("a topic that is gone", || (self.partitions(topic) == 0).then_some(()));
    }

    /// Every setting that a broker knows, with its value where that is no secret.
    ///
    /// # Panics
    ///
    /// Where it does not say.
    pub fn settings_of_broker(&self, broker: i32) -> BTreeMap<String, Option<String>> {
        let broker = [ResourceSpecifier::Broker(broker)];
        let told = block_on(self.admin().describe_configs(&broker, &options()));
        let mut told = told.expect("an answer of a broker");
        let settings = told.remove(0).unwrap_or_else(|error| panic!("settings: {error}"));
        settings.entries.into_iter().map(|entry| (entry.name, entry.value)).collect()
    }

    /// Waits until every partition of a topic has a leader and all its copies have caught up.
    ///
    /// # Panics
    ///
    /// Where that does not happen.
    pub fn wait_until_replicated(&self, topic: &str) {
        let consumer = self.consumer(&[]);
        wait::until(&format!("all copies of {topic}"), || {
            let metadata = consumer.fetch_metadata(Some(topic), PATIENCE).ok()?;
            let partitions = metadata.topics().first()?.partitions();
            let complete = partitions.iter().all(|partition| {
                partition.leader() >= 0 && partition.isr().len() == partition.replicas().len()
            });
            (complete && !partitions.is_empty()).then_some(())
        });
    }

    /// How many partitions a topic has; none where there is no such topic.
    ///
    /// # Panics
    ///
    /// Where nobody says.
    pub fn partitions(&self, topic: &str) -> i32 {
        let topics = self.topics().into_iter();
        topics.filter(|(name, _)| name == topic).map(|(_, partitions)| partitions).sum()
    }

    /// Every topic with the number of its partitions.
    ///
    /// # Panics
    ///
    /// Where nobody says.
    pub fn topics(&self) -> Vec<(String, i32)> {
        let consumer = self.consumer(&[]);
        let metadata =
            wait::until("a list of topics", || consumer.fetch_metadata(None, PATIENCE).ok());
        let topics = metadata.topics().iter();
        let named = topics.map(|topic| (topic.name().to_owned(), topic.partitions().len() as i32));
        named.collect()
    }

    /// The broker that leads a partition, if any.
    ///
    /// # Panics
    ///
    /// Where nobody says.
    pub fn leader(&self, topic: &str, partition: i32) -> Option<usize> {
        let consumer = self.consumer(&[]);
        let metadata = wait::until("the leader of a partition", || {
            consumer.fetch_metadata(Some(topic), PATIENCE).ok()
        });
        let partitions = metadata.topics().first()?.partitions();
        let found = partitions.iter().find(|found| found.id() == partition)?;
        usize::try_from(found.leader()).ok()
    }

    fn admin(&self) -> AdminClient<DefaultClientContext> {
        self.config.create().expect("a client")
    }
}

fn options() -> AdminOptions {
    AdminOptions::new().operation_timeout(Some(PATIENCE)).request_timeout(Some(PATIENCE))
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Waits for what a thread of the client will bring.
fn block_on<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut context = Context::from_waker(&waker);
    loop {
        if let Poll::Ready(result) = future.as_mut().poll(&mut context) {
            return result;
        }
        thread::park();
    }
}
