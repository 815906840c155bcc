//! Any operations in any order, against the simplest log there is: a list.

use std::collections::BTreeMap;

use message::Time;
use proptest::prelude::*;

use crate::conformance::PATIENCE;
use crate::{
    EmbeddedStream, Fsync, Headers, MemoryStream, Partition, ReadLimit, Record, Retention, Stream,
    TopicOptions,
};

#[derive(Debug, Clone)]
enum Operation {
    Append(Vec<Record>),
    Read { from: u64, limit: ReadLimit },
    OffsetAt(u64),
    Commit { reader: u8, offset: u64 },
    Reset { reader: u8, offset: u64 },
    Forget { reader: u8 },
    Retain { now: u64 },
    Sync,
    Reopen,
}

fn record() -> impl Strategy<Value = Record> {
    let bytes = || proptest::collection::vec(any::<u8>(), 0..40);
    let headers = proptest::collection::vec(("[a-z]{0,5}", bytes()), 0..3);
    (0..200_u64, proptest::option::of(bytes()), headers, bytes()).prop_map(
        |(us, key, headers, value)| Record {
            time: Time::from_us(us),
            key: key.map(Into::into),
            headers: headers.into_iter().collect::<Headers>(),
            value: value.into(),
        },
    )
}

fn operation() -> impl Strategy<Value = Operation> {
    let limit =
        (1..20_usize, 1..2000_usize).prop_map(|(records, bytes)| ReadLimit { records, bytes });
    let reader = || 0..3_u8;
    prop_oneof![
        8 => proptest::collection::vec(record(), 0..8).prop_map(Operation::Append),
        6 => (0..120_u64, limit).prop_map(|(from, limit)| Operation::Read { from, limit }),
        2 => (0..220_u64).prop_map(Operation::OffsetAt),
        2 => (reader(), 0..120_u64).prop_map(|(reader, offset)| Operation::Commit { reader, offset }),
        1 => (reader(), 0..120_u64).prop_map(|(reader, offset)| Operation::Reset { reader, offset }),
        1 => reader().prop_map(|reader| Operation::Forget { reader }),
        1 => (0..400_u64).prop_map(|now| Operation::Retain { now }),
        1 => Just(Operation::Sync),
        1 => Just(Operation::Reopen),
    ]
}

/// The simplest log there is.
#[derive(Default)]
struct Model {
    records: Vec<Record>,
    start: u64,
    readers: BTreeMap<String, u64>,
}

impl Model {
    fn end(&self) -> u64 {
        self.records.len() as u64
    }

    fn apply(&mut self, topic: &dyn Partition, operation: &Operation) {
        match operation {
            Operation::Append(batch) => self.append(topic, batch),
            Operation::Read { from, limit } => self.read(topic, *from, *limit),
            Operation::OffsetAt(us) => {
                let time = Time::from_us(*us);
                let expected = self.records.partition_point(|record| record.time < time) as u64;
                assert_eq!(topic.offset_at(time).unwrap(), expected.max(self.start));
            }
            Operation::Commit { reader, offset } => {
                let offset = (*offset).min(self.end());
                topic.commit(&reader.to_string(), offset).unwrap();
                let committed = self.readers.entry(reader.to_string()).or_default();
                *committed = offset.max(*committed);
            }
            Operation::Reset { reader, offset } => {
                topic.reset(&reader.to_string(), *offset).unwrap();
                self.readers.insert(reader.to_string(), (*offset).min(self.end()));
            }
            Operation::Forget { reader } => {
                topic.forget(&reader.to_string()).unwrap();
                self.readers.remove(&reader.to_string());
            }
            Operation::Retain { now } => self.retain(topic, Time::from_us(*now)),
            Operation::Sync => {
                topic.sync().unwrap();
                assert_eq!(topic.watermarks().durable, self.end());
            }
            Operation::Reopen => {}
        }
    }

    fn append(&mut self, topic: &dyn Partition, batch: &[Record]) {
        assert_eq!(topic.append(batch), Ok(self.end()));
        for record in batch {
            let last = self.records.last().map_or(Time::EPOCH, |last| last.time);
            self.records.push(Record { time: record.time.max(last), ..record.clone() });
        }
    }

    fn read(&self, topic: &dyn Partition, from: u64, limit: ReadLimit) {
        let found = topic.read(from, limit);
        if from < self.start || from > self.end() {
            assert!(found.is_err());
            return;
        }
        let found = found.unwrap();
        assert!(found.len() <= limit.records);
        assert_eq!(found.is_empty(), from == self.end());
        for (stored, offset) in found.iter().zip(from..) {
            assert_eq!(stored.offset, offset);
            assert_eq!(stored.record, self.records[offset as usize]);
        }
    }

    fn retain(&mut self, topic: &dyn Partition, now: Time) {
        let start = topic.retain(now).unwrap();
        assert!(start >= self.start && start <= self.end());
        if let Some(&lowest) = self.readers.values().min() {
            assert!(start <= lowest.max(self.start), "{start} was awaited by a reader");
        }
        let too_old = |record: &Record| now.since(record.time) > AGE;
        assert!(self.records[self.start as usize..start as usize].iter().all(too_old));
        self.start = start;
    }

    fn check(&self, topic: &dyn Partition) {
        let marks = topic.watermarks();
        assert_eq!((marks.start, marks.end), (self.start, self.end()));
        assert_eq!(topic.readable_end(), self.end());
        let readers: Vec<_> = self.readers.clone().into_iter().collect();
        assert_eq!(topic.readers(), readers);
    }
}

const AGE: std::time::Duration = std::time::Duration::from_micros(100);

fn options(fsync: Fsync) -> TopicOptions {
    let retention = Retention { age: Some(AGE), bytes: None, hard_bytes: None };
    TopicOptions { fsync, segment_bytes: 600, retention, ..TopicOptions::default() }
}

fn run_memory(operations: &[Operation]) {
    let stream = MemoryStream::new();
    let topic = stream.open("topic", &options(Fsync::None)).unwrap();
    let mut model = Model::default();
    for operation in operations {
        model.apply(&*topic, operation);
        model.check(&*topic);
    }
}

fn run_embedded(operations: &[Operation], fsync: Fsync) {
    let directory = tempfile::tempdir().unwrap();
    let open = || {
        let stream = EmbeddedStream::open(directory.path()).unwrap();
        let topic = stream.open("topic", &options(fsync)).unwrap();
        (stream, topic)
    };
    let (mut stream, mut topic) = open();
    let mut model = Model::default();
    for operation in operations {
        if matches!(operation, Operation::Reopen) {
            drop((stream, topic));
            (stream, topic) = open();
        }
        model.apply(&*topic, operation);
        if let Some(last) = model.end().checked_sub(1) {
            topic.wait(last, PATIENCE);
        }
        model.check(&*topic);
    }
}

fn cases() -> ProptestConfig {
    let scale = std::env::var("STEPS").ok().and_then(|steps| steps.parse().ok()).unwrap_or(100);
    ProptestConfig { cases: scale, failure_persistence: None, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn memory_is_a_list(operations in proptest::collection::vec(operation(), 1..60)) {
        run_memory(&operations);
    }

    #[test]
    fn the_embedded_log_is_a_list(operations in proptest::collection::vec(operation(), 1..60)) {
        run_embedded(&operations, Fsync::None);
    }

    #[test]
    fn the_synced_log_is_a_list(operations in proptest::collection::vec(operation(), 1..40)) {
        run_embedded(&operations, Fsync::Each);
    }
}
