//! What every backend does alike, as tests that each of them passes.
//!
//! A backend hands in how it is made and gets one test per sentence by `conformance_tests!`. If it
//! also hands in how things go wrong with it, it gets those of [`faults`] by `tests!`.

use std::sync::{Arc, mpsc};
use std::time::Duration;

use bytes::Bytes;
use message::Time;

use crate::{AppendError, Headers, Partition, ReadLimit, Record, Stream, TopicOptions};

pub(crate) mod basics;
pub(crate) mod faults;
pub(crate) mod retention;
pub(crate) mod tail;

/// Long enough for anything; a test that waits this long has failed.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// A stream under test.
pub(crate) trait Backend {
    fn stream(&self) -> &dyn Stream;

    fn close(&mut self);
}

/// A backend that can run out of space.
pub(crate) trait Bounded: Backend {
    /// Leaves no space for even one more record.
    fn fill(&self, partition: &dyn Partition);

    fn make_space(&self, partition: &dyn Partition);
}

/// A backend whose records outlive it.
pub(crate) trait Durable: Backend {
    /// Closes the stream and opens it again.
    fn reopen(&mut self);
}

/// A backend on a disk that can be held up and broken.
pub(crate) trait Breakable: Backend {
    fn stall_syncs(&self, stall: bool);

    fn fail_next_sync(&self);
}

pub(crate) fn record(value: impl Into<Bytes>) -> Record {
    Record::new(Time::from_us(1), value)
}

/// A record with everything, and of a size of its own.
pub(crate) fn numbered(number: u64) -> Record {
    Record {
        time: Time::from_us(number * 10),
        key: (!number.is_multiple_of(3)).then(|| Bytes::from(format!("key {}", number % 7))),
        headers: Headers::new().with("number", number.to_le_bytes()),
        value: Bytes::from(vec![number as u8; (number % 50) as usize]),
    }
}

pub(crate) fn numbers(range: std::ops::Range<u64>) -> Vec<Record> {
    range.map(numbered).collect()
}

pub(crate) fn append(partition: &dyn Partition, range: std::ops::Range<u64>) {
    for number in range {
        partition.append(&[numbered(number)]).unwrap();
    }
}

/// Small segments, so that there are many.
pub(crate) fn small_segments() -> TopicOptions {
    TopicOptions { segment_bytes: 500, ..TopicOptions::default() }
}

/// Reads from an offset to the readable end, whatever the limits of one read.
pub(crate) fn read_all(partition: &dyn Partition, from: u64, limit: ReadLimit) -> Vec<Record> {
    let mut records = Vec::new();
    while from + (records.len() as u64) < partition.readable_end() {
        for stored in partition.read(from + records.len() as u64, limit).unwrap() {
            assert_eq!(stored.offset, from + records.len() as u64);
            records.push(stored.record);
        }
    }
    records
}

/// A waker that sends on what it is told.
pub(crate) fn telling(sender: mpsc::Sender<u64>) -> Arc<dyn Fn(u64) + Send + Sync> {
    // Whoever listens has stopped when it has heard enough.
    Arc::new(move |end| sender.send(end).unwrap_or(()))
}

/// Appends until there is no space left for anything.
pub(crate) fn append_until_full(partition: &dyn Partition) {
    for size in [100_000, 1000, 0] {
        let record = Record::new(Time::EPOCH, vec![0; size]);
        while partition.append(std::slice::from_ref(&record)) != Err(AppendError::Full) {}
    }
}

/// The tests that every backend passes; `$make` is a function that makes one.
macro_rules! conformance_tests {
    ($make:path) => {
        crate::conformance::tests! { $make, crate::conformance::basics, {
            offsets_count_up_and_batches_stay_together,
            records_come_back_as_they_were,
            an_empty_batch_changes_nothing,
            times_never_go_backwards,
            reading_begins_at_any_offset,
            limits_bound_a_read_and_one_record_always_comes,
            reading_outside_is_refused,
            too_large_a_record_is_refused_with_its_batch,
            replay_begins_at_any_time,
            topics_have_names_and_are_opened_once,
            commits_are_per_reader_and_go_forward,
            a_closed_stream_refuses_appends_and_still_reads,
        }}
        crate::conformance::tests! { $make, crate::conformance::tail, {
            a_waiting_reader_gets_every_record_in_order,
            a_subscriber_hears_of_what_is_new,
            a_waker_may_use_the_topic_itself,
            batches_of_several_producers_do_not_mix,
            every_policy_lets_readers_see_what_is_synced,
        }}
        crate::conformance::tests! { $make, crate::conformance::retention, {
            by_size_the_oldest_go,
            by_age_the_oldest_go,
            readers_are_waited_for_up_to_the_hard_limit,
            without_limits_everything_stays,
        }}
    };
}

/// Makes a test of each function of a module that is named.
macro_rules! tests {
    ($make:path, $module:path, { $($name:ident,)* }) => {
        $(#[test]
        fn $name() {
            use $module as module;
            module::$name(&mut $make());
        })*
    };
}

pub(crate) use {conformance_tests, tests};
