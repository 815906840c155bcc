//! The one client that reads, and its thread: what is read ahead for whoever reads a partition.
//!
//! Only the thread changes what the client reads, so nothing from before a change can come after it. It
//! sleeps until there are records or orders; a wake-up that librdkafka misses costs a moment.

use std::collections::HashMap;
use std::sync::{Arc, Weak};
use std::thread;
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::message::{BorrowedMessage, Message};
use rdkafka::{Offset, TopicPartitionList};

use super::client::Link;
use super::config::KafkaConfig;
use super::partition::KafkaPartition;
use super::settings::Role;
use super::telemetry::Board;
use super::wire::incoming;

/// How long a wake-up that was missed can cost while partitions are read.
const SAFETY: Duration = Duration::from_millis(50);

/// The same while none is.
const IDLE: Duration = Duration::from_secs(1);

/// How many records are taken before anybody is told of them.
const BATCH: usize = 1000;

/// How often it is asked how far the client has come past what is no record.
const ASK_EVERY: Duration = Duration::from_millis(10);

/// How often it is looked for partitions that nobody reads any more.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// How long it can take a client to begin at another offset.
const START_WITHIN: Duration = Duration::from_secs(1);

/// How long a client that cannot be made is left alone.
const MAKE_AGAIN: Duration = Duration::from_secs(1);

/// What reads.
pub(crate) struct Reader {
    orders: Arc<Orders>,
}

#[derive(Default)]
struct Orders {
    waiting: Mutex<Waiting>,
    arrived: Condvar,
}

#[derive(Default)]
struct Waiting {
    orders: Vec<Order>,
    /// Whether there may be records.
    is_due: bool,
    is_over: bool,
}

/// To read a partition from an offset on, whatever was read of it before.
struct Order {
    partition: Weak<KafkaPartition>,
    from: u64,
}

impl Orders {
    fn give(&self, order: Order) {
        self.waiting.lock().orders.push(order);
        self.arrived.notify_one();
    }

    fn wake(&self) {
        self.waiting.lock().is_due = true;
        self.arrived.notify_one();
    }

    /// Waits for orders or records. None when it is over.
    fn wait(&self, timeout: Duration) -> Option<Vec<Order>> {
        let mut waiting = self.waiting.lock();
        if waiting.orders.is_empty() && !waiting.is_due && !waiting.is_over {
            self.arrived.wait_for(&mut waiting, timeout);
        }
        waiting.is_due = false;
        (!waiting.is_over).then(|| std::mem::take(&mut waiting.orders))
    }
}

impl Reader {
    pub(crate) fn start(config: &KafkaConfig, board: &Arc<Board>) -> std::io::Result<Self> {
        let orders = Arc::<Orders>::default();
        let round = Round {
            orders: Arc::clone(&orders),
            config: config.clone(),
            board: Arc::clone(board),
            consumer: None,
            read: HashMap::new(),
            asked: Instant::now(),
            looked: Instant::now(),
        };
        thread::Builder::new().name("kafka reader".to_owned()).spawn(move || round.run())?;
        Ok(Self { orders })
    }

    /// Has a partition read from an offset on.
    pub(crate) fn open(&self, partition: &Weak<KafkaPartition>, from: u64) {
        self.orders.give(Order { partition: Weak::clone(partition), from });
    }
}

impl Drop for Reader {
    /// The thread ends its client by itself; nobody waits for it.
    fn drop(&mut self) {
        self.orders.waiting.lock().is_over = true;
        self.orders.arrived.notify_one();
    }
}

struct Round {
    orders: Arc<Orders>,
    config: KafkaConfig,
    board: Arc<Board>,
    consumer: Option<BaseConsumer<Link>>,
    /// What the client reads, by topic and number.
    read: HashMap<String, HashMap<i32, Weak<KafkaPartition>>>,
    asked: Instant,
    looked: Instant,
}

impl Round {
    fn run(mut self) {
        loop {
            let timeout = if self.read.is_empty() { IDLE } else { SAFETY };
            let Some(orders) = self.orders.wait(timeout) else { return };
            if self.consumer.is_none() && !orders.is_empty() && !self.make() {
                self.put_back(orders);
                thread::sleep(MAKE_AGAIN);
                continue;
            }
            for order in orders {
                self.follow(order);
            }
            self.drain();
            self.pass();
            self.look();
        }
    }

    fn make(&mut self) -> bool {
        let link = Link::new(self.board.enter(Role::Reader));
        let made = self.config.client(Role::Reader).create_with_context(link);
        let mut consumer: BaseConsumer<Link> = match made {
            Ok(consumer) => consumer,
            Err(error) => {
                tracing::warn!(%error, "could not make a Kafka client that reads");
                return false;
            }
        };
        let orders = Arc::clone(&self.orders);
        consumer.set_nonempty_callback(move || orders.wake());
        self.consumer = Some(consumer);
        true
    }

    fn put_back(&self, orders: Vec<Order>) {
        let mut waiting = self.orders.waiting.lock();
        let later = std::mem::replace(&mut waiting.orders, orders);
        waiting.orders.extend(later);
    }

    fn follow(&mut self, order: Order) {
        if let Some(partition) = order.partition.upgrade() {
            self.stop(partition.kafka_topic(), partition.kafka_number());
            self.begin(&partition, order.from);
        }
    }

    fn begin(&mut self, partition: &Arc<KafkaPartition>, begin: u64) {
        let (topic, number) = (partition.kafka_topic(), partition.kafka_number());
        let Some(consumer) = &self.consumer else { return };
        let mut list = TopicPartitionList::new();
        let from = Offset::Offset(i64::try_from(begin).unwrap_or(i64::MAX));
        let added = list.add_partition_offset(topic, number, from);
        if let Err(error) = added.and_then(|()| consumer.incremental_assign(&list)) {
            tracing::warn!(topic, partition = number, %error, "could not read a partition");
            partition.stop_reading();
            return;
        }
        wait_for_start(consumer, topic, number);
        let numbers = self.read.entry(topic.to_owned()).or_default();
        numbers.insert(number, Arc::downgrade(partition));
        partition.reading_begins(begin);
    }

    fn stop(&mut self, topic: &str, number: i32) {
        let Some(numbers) = self.read.get_mut(topic) else { return };
        if numbers.remove(&number).is_none() {
            return;
        }
        if numbers.is_empty() {
            self.read.remove(topic);
        }
        let Some(consumer) = &self.consumer else { return };
        let mut list = TopicPartitionList::new();
        list.add_partition(topic, number);
        if let Err(error) = consumer.incremental_unassign(&list) {
            tracing::debug!(topic, partition = number, %error, "could not stop reading");
        }
    }

    /// Hands on every record that is there.
    fn drain(&mut self) {
        loop {
            let mut full = Vec::new();
            let mut taken = 0;
            if let Some(consumer) = &self.consumer {
                let mut last: Option<Arc<KafkaPartition>> = None;
                while taken < BATCH {
                    let Some(found) = consumer.poll(Duration::ZERO) else { break };
                    taken += 1;
                    // What went wrong came to the context of the client already.
                    let Ok(message) = found else { continue };
                    hand_on(&self.read, &message, &mut last, &mut full);
                }
                if let Some(partition) = last {
                    partition.tell();
                }
            }
            for partition in full {
                self.stop(partition.kafka_topic(), partition.kafka_number());
            }
            if taken < BATCH {
                return;
            }
        }
    }

    /// Takes note of how far the client has come past what is no record.
    fn pass(&mut self) {
        if self.asked.elapsed() < ASK_EVERY {
            return;
        }
        let read = self.read.values().flat_map(HashMap::values).filter_map(Weak::upgrade);
        if !read.into_iter().any(|partition| partition.lacks_records()) {
            return;
        }
        self.asked = Instant::now();
        let Some(Ok(positions)) = self.consumer.as_ref().map(Consumer::position) else { return };
        for element in positions.elements() {
            let found = self.read.get(element.topic()).and_then(|it| it.get(&element.partition()));
            if let Some(partition) = found.and_then(Weak::upgrade)
                && let Offset::Offset(position) = element.offset()
            {
                partition.pass(u64::try_from(position).unwrap_or(0));
            }
        }
    }

    /// Stops reading what nobody reads any more.
    fn look(&mut self) {
        if self.looked.elapsed() < LOOK_EVERY {
            return;
        }
        self.looked = Instant::now();
        let mut unread = Vec::new();
        for (topic, numbers) in &self.read {
            for (&number, partition) in numbers {
                let is_read = partition.upgrade().is_some_and(|partition| !partition.is_left());
                if !is_read {
                    unread.push((topic.clone(), number));
                }
            }
        }
        for (topic, number) in unread {
            self.stop(&topic, number);
        }
    }
}

/// Waits until the client has forgotten how far it had read a partition before.
fn wait_for_start(consumer: &BaseConsumer<Link>, topic: &str, number: i32) {
    let give_up = Instant::now() + START_WITHIN;
    while Instant::now() < give_up {
        let position = consumer.position().ok();
        let known = position.as_ref().and_then(|list| list.find_partition(topic, number));
        match known.map(|element| element.offset()) {
            Some(Offset::Offset(_)) => thread::sleep(Duration::from_millis(1)),
            _ => return,
        }
    }
}

/// Gives a message to its partition, which most often is that of the message before.
fn hand_on(
    read: &HashMap<String, HashMap<i32, Weak<KafkaPartition>>>,
    message: &BorrowedMessage<'_>,
    last: &mut Option<Arc<KafkaPartition>>,
    full: &mut Vec<Arc<KafkaPartition>>,
) {
    let (topic, number) = (message.topic(), message.partition());
    let is_same =
        |it: &Arc<KafkaPartition>| it.kafka_number() == number && it.kafka_topic() == topic;
    if !last.as_ref().is_some_and(is_same) {
        let found = read.get(topic).and_then(|numbers| numbers.get(&number));
        let before = std::mem::replace(last, found.and_then(Weak::upgrade));
        if let Some(before) = before {
            before.tell();
        }
    }
    if let Some(partition) = last
        && partition.take_in(incoming(message))
    {
        full.push(Arc::clone(partition));
    }
}
