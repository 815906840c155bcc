//! Crashes at every moment, by the thousand: what is said to be synced stays, and what comes back is
//! what was appended, from the first record to some last one.
//!
//! `STEPS=100000` runs that many crashes; `SEED=17` runs that one.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use message::Time;

use super::log::{Log, Scope};
use super::storage::Storage;
use super::storage::faulty::FaultyDisk;
use crate::random::Random;
use crate::{
    AppendError, Fsync, Headers, Health, OpenError, ReadLimit, Record, Retention, TopicOptions,
};

const DIRECTORY: &str = "/data/topic";

/// A topic and what must be true of it.
struct World {
    random: Random,
    disk: FaultyDisk,
    options: TopicOptions,
    /// Every record that was appended and may be there, by offset.
    appended: Vec<Record>,
    /// Everything below was said to be synced.
    durable: u64,
    /// The highest start that was ever seen.
    start: u64,
    /// The commits that were ever made.
    commits: Vec<u64>,
}

impl World {
    fn new(seed: u64) -> Self {
        let mut random = Random::new(seed);
        let fsync = match random.below(4) {
            0 => Fsync::None,
            1 => Fsync::Interval(Duration::from_secs(1)),
            _ => Fsync::Each,
        };
        let options = TopicOptions {
            fsync,
            segment_bytes: 200 + random.below(3000),
            retention: Retention { bytes: Some(4000), hard_bytes: Some(8000), age: None },
            ..TopicOptions::default()
        };
        let disk = FaultyDisk::new(random.next());
        let (appended, commits) = (Vec::new(), vec![0]);
        Self { random, disk, options, appended, durable: 0, start: 0, commits }
    }

    fn open(&self) -> Result<Log, OpenError> {
        let (storage, directory) = (Arc::new(self.disk.clone()), PathBuf::from(DIRECTORY));
        let made = storage.create_directory(Path::new("/data"), &directory);
        made.map_err(|source| OpenError::io(&directory, source))?;
        Log::open(storage, "topic", directory, self.options.clone())
    }

    /// One life of a host: from a start to an end of any kind.
    fn live(&mut self) {
        self.disk.fail_power_after(self.random.below(60));
        if let Ok(log) = self.open() {
            self.disk.keep_power();
            self.check(&log);
            self.disk.fail_power_after(self.random.below(120));
            for _ in 0..self.random.below(60) {
                self.step(&log);
            }
        }
        if self.random.percent(30) {
            // Only the process dies.
            self.disk.keep_power();
        } else {
            self.disk.crash();
        }
    }

    fn step(&mut self, log: &Log) {
        match self.random.below(100) {
            0..60 => self.append(log),
            60..80 => self.sync(log),
            80..90 => {
                let offset = self.random.below(log.progress.readable_end() + 2);
                let commit = offset.min(log.progress.readable_end());
                self.commits.push(commit);
                let _ =
                    log.change_readers(|readers, end| readers.commit("reader", offset.min(end)));
            }
            90..94 => {
                let _ = log.retain(Time::EPOCH);
                self.start = self.start.max(log.watermarks().start);
            }
            94..97 => {
                let space = self.random.below(1000);
                self.disk.leave_space(Some(space));
                for _ in 0..self.random.below(6) {
                    self.append(log);
                }
                self.disk.leave_space(None);
            }
            // Without syncs of its own a topic need not bear that they fail.
            _ if self.options.fsync != Fsync::None => {
                self.disk.fail_syncs(1);
                self.sync(log);
                self.disk.fail_syncs(0);
            }
            _ => {}
        }
        self.durable = self.durable.max(log.watermarks().durable);
        if log.readers_wait_for_sync() {
            assert!(log.progress.readable_end() <= self.durable);
        }
    }

    fn sync(&mut self, log: &Log) {
        let scope = if self.random.percent(50) { Scope::Policy } else { Scope::Everything };
        let _ = log.sync(scope);
    }

    fn append(&mut self, log: &Log) {
        if log.health() != Health::Ready && log.health() != Health::Full {
            assert!(log.append(&[Record::default()]).is_err());
            return;
        }
        let end = log.watermarks().end;
        self.appended.truncate(end as usize);
        let count = 1 + self.random.below(5);
        let batch: Vec<_> = (0..count).map(|_| self.record()).collect();
        match log.append(&batch) {
            Ok(appended) => {
                assert_eq!(appended.first, end);
                self.appended.extend(batch);
                if !log.readers_wait_for_sync() {
                    log.progress.advance(log.watermarks().end);
                }
            }
            // The power has failed. The batch was refused and may be found, or its beginning.
            Err(AppendError::Poisoned { .. }) => self.appended.extend(batch),
            Err(_) => {}
        }
        assert!(log.watermarks().end <= self.appended.len() as u64);
    }

    fn record(&mut self) -> Record {
        // Few sizes, so that frames that should be gone lie exactly where others are due.
        let length = self.random.below(4) as usize * 80;
        Record {
            time: Time::from_us(self.appended.len() as u64),
            key: self.random.percent(50).then(|| self.random.bytes(3).into()),
            headers: Headers::new().with("id", self.random.bytes(4)),
            value: self.random.bytes(length).into(),
        }
    }

    /// Holds what a topic has become against what it was.
    fn check(&mut self, log: &Log) {
        let marks = log.watermarks();
        assert!(marks.end >= self.durable, "lost {} to {}", marks.end, self.durable);
        assert!(marks.end <= self.appended.len() as u64, "found more than was appended");
        assert!(marks.start <= self.start, "forgot {} to {}", self.start, marks.start);
        let mut next = marks.start;
        while next < marks.end {
            let limit = ReadLimit { records: 7, bytes: 2000 };
            for stored in log.read(next, limit).expect("nothing is damaged") {
                let expected = &self.appended[next as usize];
                assert_eq!(stored.offset, next);
                assert_eq!(stored.record.value, expected.value, "at offset {next}");
                assert_eq!(stored.record.key, expected.key);
                assert_eq!(stored.record.headers, expected.headers);
                next += 1;
            }
        }
        assert_eq!(log.health(), Health::Ready);
        let committed = log.readers().committed("reader");
        assert!(committed.is_none_or(|offset| offset <= marks.end));
        assert!(committed.is_none_or(|it| it == marks.end || self.commits.contains(&it)));
        self.appended.truncate(marks.end as usize);
        self.durable = self.durable.max(marks.durable);
    }
}

fn run(seed: u64) {
    println!("SEED={seed}");
    let mut world = World::new(seed);
    for _ in 0..8 {
        world.live();
    }
    world.disk.keep_power();
    let log = world.open().expect("the power is on");
    world.check(&log);
}

fn variable(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

#[test]
fn no_crash_loses_what_was_synced_or_lets_torn_records_be_read() {
    match variable("SEED") {
        Some(seed) => run(seed),
        None => (0..variable("STEPS").unwrap_or(8000) / 8).for_each(run),
    }
}
