//! A member that takes all it gets, commits it, and notes what it was.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use kafka_testkit::{Broker, Message, unique};
use stream::{
    Commit, GroupEvent, GroupOptions, KafkaConfig, KafkaStream, Listener, Member, ReadLimit,
    Source, Stream,
};

/// Long enough for anything; a test that waits this long has failed.
pub(crate) const PATIENCE: Duration = Duration::from_secs(120);

/// A group of its own over a topic of its own.
pub(crate) struct Place {
    pub(crate) bootstrap: String,
    pub(crate) topic: String,
    /// After how long in silence a member is taken for dead.
    session_ms: u64,
}

/// Where somebody is to be taken for dead, or does not let go.
pub(crate) const SHORT_SESSION_MS: u64 = 6000;
/// Where nobody is, however busy the machine.
pub(crate) const LONG_SESSION_MS: u64 = 30_000;

impl Place {
    /// Makes the topic with so many partitions.
    pub(crate) fn new(broker: &Broker, name: &str, partitions: i32, session_ms: u64) -> Self {
        let bootstrap = broker.bootstrap().to_owned();
        let place = Self { bootstrap, topic: unique(name), session_ms };
        broker.client().create_topic(&place.topic, partitions, &[]);
        place
    }

    /// What tells a child where it is.
    pub(crate) fn encoded(&self) -> String {
        format!("{} {} {}", self.bootstrap, self.topic, self.session_ms)
    }

    pub(crate) fn decoded(text: &str) -> Self {
        let words: Vec<_> = text.split(' ').collect();
        let [bootstrap, topic, session_ms] = words[..] else { panic!("found no place in {text}") };
        let session_ms = session_ms.parse().expect("a number");
        Self { bootstrap: bootstrap.to_owned(), topic: topic.to_owned(), session_ms }
    }

    pub(crate) fn group(&self) -> String {
        format!("{}-group", self.topic)
    }

    pub(crate) fn source(&self, partition: u32) -> Source {
        Source { topic: Arc::from(format!("topics/{}", self.topic)), partition }
    }

    /// Becomes a member of the group.
    pub(crate) fn join(&self, listener: Listener) -> Arc<dyn Member> {
        let session_ms = self.session_ms.to_string();
        let properties = [("session.timeout.ms", &*session_ms), ("heartbeat.interval.ms", "300")];
        let config = KafkaConfig {
            brokers: vec![self.bootstrap.clone()],
            prefix: String::new(),
            unprefixed: Some("topics/".to_owned()),
            properties: properties.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
            ..KafkaConfig::default()
        };
        let stream = KafkaStream::connect(config).expect("the configuration is good");
        let topics = vec![format!("topics/{}", self.topic)];
        let options = GroupOptions { name: self.group(), topics };
        stream.join(&options, listener).expect("a member")
    }

    /// Becomes a member that hands on what it hears.
    pub(crate) fn join_and_listen(&self) -> (Arc<dyn Member>, Receiver<GroupEvent>) {
        let (sender, events) = mpsc::channel();
        // Whoever listens has stopped when it has heard enough.
        (self.join(Arc::new(move |event| sender.send(event).unwrap_or(()))), events)
    }
}

/// Waits until this member owns so many partitions.
pub(crate) fn wait_for_gain(events: &Receiver<GroupEvent>, partitions: usize) {
    let mut owned = 0;
    while owned < partitions {
        match events.recv_timeout(PATIENCE).expect("partitions in time") {
            GroupEvent::Gained(sources) => owned += sources.len(),
            GroupEvent::Revoked(sources, _) | GroupEvent::Lost(sources) => owned -= sources.len(),
            GroupEvent::Readable(_) => {}
        }
    }
}

/// Looks until this is so.
pub(crate) fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let give_up = Instant::now() + PATIENCE;
    while !is_so() {
        assert!(Instant::now() < give_up, "waited in vain: {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Records whose values count, spread over the partitions.
pub(crate) fn numbered(numbers: std::ops::Range<u32>, partitions: u32) -> Vec<Message> {
    let message = |number: u32| {
        let partition = (number % partitions).cast_signed();
        Message::new(number.to_string()).key(format!("key {number}")).to(partition)
    };
    numbers.map(message).collect()
}

enum Word {
    Heard(GroupEvent),
    Leave,
}

/// A thread that takes all it gets.
pub(crate) struct Worker {
    words: Sender<Word>,
    seen: Arc<Mutex<Seen>>,
    thread: JoinHandle<()>,
}

#[derive(Default)]
pub(crate) struct Seen {
    pub(crate) owned: BTreeSet<u32>,
    /// What was taken: partition and offset in the order of taking.
    pub(crate) taken: Vec<(u32, u64)>,
    pub(crate) lost: usize,
}

impl Worker {
    pub(crate) fn start(place: &Place) -> Self {
        let (words, heard) = mpsc::channel();
        let sender = words.clone();
        let listener: Listener =
            Arc::new(move |event| sender.send(Word::Heard(event)).unwrap_or(()));
        let member = place.join(listener);
        let seen: Arc<Mutex<Seen>> = Arc::default();
        let noted = Arc::clone(&seen);
        let thread = std::thread::spawn(move || work(&*member, &heard, &noted));
        Self { words, seen, thread }
    }

    pub(crate) fn look<T>(&self, look: impl FnOnce(&Seen) -> T) -> T {
        look(&self.seen.lock().expect("nobody has failed"))
    }

    /// Ends what is under way and leaves the group. Returns what was taken.
    pub(crate) fn leave(self) -> Vec<(u32, u64)> {
        self.words.send(Word::Leave).expect("it listens");
        self.thread.join().expect("it has not failed");
        std::mem::take(&mut self.seen.lock().expect("nobody has failed").taken)
    }
}

fn work(member: &dyn Member, heard: &Receiver<Word>, seen: &Mutex<Seen>) {
    let with = |change: &mut dyn FnMut(&mut Seen)| change(&mut seen.lock().expect("one writer"));
    while let Word::Heard(event) = heard.recv_timeout(PATIENCE).expect("something happens") {
        match event {
            GroupEvent::Gained(sources) => {
                with(&mut |seen| seen.owned.extend(sources.iter().map(|it| it.partition)));
                sources.iter().for_each(|source| take_all(member, source, seen));
            }
            GroupEvent::Readable(source) => take_all(member, &source, seen),
            GroupEvent::Revoked(sources, release) => {
                member.flush_commits(PATIENCE).expect("commits");
                with(&mut |seen| {
                    seen.owned.retain(|&it| sources.iter().all(|s| s.partition != it));
                });
                drop(release);
            }
            GroupEvent::Lost(sources) => with(&mut |seen| {
                seen.owned.retain(|&it| sources.iter().all(|source| source.partition != it));
                seen.lost += sources.len();
            }),
        }
    }
    member.flush_commits(PATIENCE).expect("commits");
}

fn take_all(member: &dyn Member, source: &Source, seen: &Mutex<Seen>) {
    // Not ours any more: the event that says so is on its way.
    while let Ok(records) = member.take(source, ReadLimit { records: 100, bytes: 5000 }) {
        let Some(last) = records.last() else { return };
        let taken = records.iter().map(|stored| (source.partition, stored.offset));
        seen.lock().expect("one writer").taken.extend(taken);
        let offset = last.offset + 1;
        member.commit(source, &Commit { offset, note: format!("answers={}", offset * 2) });
    }
}

/// Asserts that each of these was taken once, and in the order of its partition.
pub(crate) fn check_each_once(mut taken: Vec<(u32, u64)>, partitions: u32, each: u64) {
    let mut next: BTreeMap<u32, u64> = BTreeMap::new();
    taken.sort_by_key(|&(partition, offset)| (partition, offset));
    for (partition, offset) in taken {
        let expected = next.entry(partition).or_default();
        assert_eq!(offset, *expected, "partition {partition}");
        *expected += 1;
    }
    assert_eq!(next, (0..partitions).map(|partition| (partition, each)).collect());
}
