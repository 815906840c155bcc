//! Full disks, slow disks, broken disks, and the end of the process.

use std::sync::mpsc;
use std::time::Duration;

use super::{
    Bounded, Breakable, Durable, PATIENCE, append, numbers, read_all, small_segments, telling,
};
use crate::{AppendError, Fsync, Health, ReadLimit, Retention, TopicOptions};

pub(crate) fn a_full_disk_refuses_the_whole_batch_until_there_is_space(backend: &mut impl Bounded) {
    let retention = Retention { bytes: Some(0), ..Retention::default() };
    let options = TopicOptions { retention, ..small_segments() };
    let topic = backend.stream().open("topic", &options).unwrap();
    append(&*topic, 0..20);
    backend.fill(&*topic);
    let end = topic.watermarks().end;
    assert_eq!(topic.append(&numbers(20..40)), Err(AppendError::Full));
    assert_eq!(topic.health(), Health::Full);
    assert_eq!((topic.watermarks().end, topic.readable_end()), (end, end));
    let start = topic.watermarks().start;
    assert_eq!(read_all(&*topic, start, ReadLimit::default()).len() as u64, end - start);
    backend.make_space(&*topic);
    assert_eq!(topic.append(&numbers(0..3)), Ok(end));
    assert_eq!(topic.health(), Health::Ready);
    assert_eq!(read_all(&*topic, end, ReadLimit::default()).len(), 3);
}

pub(crate) fn everything_is_there_after_reopening(backend: &mut impl Durable) {
    let policies = [Fsync::None, Fsync::Interval(Duration::from_secs(3600)), Fsync::Each];
    let options = policies.map(|fsync| TopicOptions { fsync, ..small_segments() });
    for life in 0..3 {
        for (index, options) in options.iter().enumerate() {
            let topic = backend.stream().open(&format!("topic-{index}"), options).unwrap();
            let (end, times) = (life * 50, Duration::from_micros(life * 500));
            assert_eq!((topic.watermarks().end, topic.readable_end()), (end, end));
            assert_eq!(read_all(&*topic, 0, ReadLimit::default()), numbers(0..end));
            assert_eq!(topic.committed("reader"), (life > 0).then(|| end - 9));
            assert_eq!(topic.offset_at(message::Time::EPOCH + times).unwrap(), end);
            append(&*topic, end..end + 50);
            assert_eq!(topic.wait(end + 49, PATIENCE), end + 50);
            topic.commit("reader", end + 41).unwrap();
        }
        backend.reopen();
    }
    assert_eq!(backend.stream().topics().unwrap(), ["topic-0", "topic-1", "topic-2"]);
}

pub(crate) fn under_each_nobody_sees_what_is_not_synced(backend: &mut impl Breakable) {
    let options = TopicOptions { fsync: Fsync::Each, ..small_segments() };
    let topic = backend.stream().open("topic", &options).unwrap();
    backend.stall_syncs(true);
    append(&*topic, 0..30);
    assert_eq!(topic.wait(0, Duration::from_millis(5)), 0);
    assert_eq!((topic.watermarks().durable, topic.watermarks().end), (0, 30));
    assert_eq!(topic.read(0, ReadLimit::default()).unwrap(), []);
    backend.stall_syncs(false);
    assert_eq!(topic.wait(29, PATIENCE), 30);
    assert_eq!(topic.watermarks().durable, 30);
    assert_eq!(read_all(&*topic, 0, ReadLimit::default()), numbers(0..30));
}

pub(crate) fn a_disk_that_does_not_keep_up_holds_producers_back(backend: &mut impl Breakable) {
    for (index, fsync) in
        [Fsync::Each, Fsync::Interval(Duration::from_millis(1))].into_iter().enumerate()
    {
        let options = TopicOptions { fsync, unsynced_limit_bytes: 1000, ..small_segments() };
        let topic = backend.stream().open(&format!("topic.{index}"), &options).unwrap();
        backend.stall_syncs(true);
        let refused = (0..1000).find_map(|number| topic.append(&numbers(number..number + 1)).err());
        match refused {
            Some(AppendError::Busy { unsynced, limit: 1000 }) => assert!(unsynced <= 1000),
            other => panic!("found {other:?}"),
        }
        let end = topic.watermarks().end;
        backend.stall_syncs(false);
        topic.sync().unwrap();
        // A batch beyond the limit goes through alone.
        assert_eq!(topic.append(&numbers(0..100)), Ok(end));
    }
}

pub(crate) fn a_failed_sync_poisons_the_writer(backend: &mut impl Breakable) {
    let hour = Duration::from_secs(3600);
    for (index, fsync) in [Fsync::Each, Fsync::Interval(hour), Fsync::None].into_iter().enumerate()
    {
        let options = TopicOptions { fsync, ..TopicOptions::default() };
        let topic = backend.stream().open(&format!("topic.{index}"), &options).unwrap();
        append(&*topic, 0..10);
        topic.sync().unwrap();
        let (sender, heard) = mpsc::channel();
        let _subscription = topic.subscribe(telling(sender));
        backend.fail_next_sync();
        topic.append(&numbers(10..20)).unwrap();
        // Under `each` the syncer may have met the failure before this one does.
        assert!(matches!(topic.sync(), Err(AppendError::Poisoned { .. })));
        let calls = if fsync == Fsync::Each { 1 } else { 2 };
        let last_heard = heard.iter().take(calls).last();
        let visible = if fsync == Fsync::Each { 10 } else { 20 };
        assert_eq!((last_heard, topic.readable_end()), (Some(visible), visible));
        assert!(matches!(topic.health(), Health::Poisoned { .. }));
        assert!(matches!(topic.append(&numbers(0..1)), Err(AppendError::Poisoned { .. })));
        assert!(matches!(topic.sync(), Err(AppendError::Poisoned { .. })));
        assert_eq!(topic.watermarks().durable, 10);
        assert_eq!(read_all(&*topic, 0, ReadLimit::default()), numbers(0..visible));
    }
}
