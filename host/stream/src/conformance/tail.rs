//! Following the end of a topic, by one reader and by many.

use std::sync::{Arc, mpsc};
use std::time::Duration;

use super::{Backend, PATIENCE, append, numbers, read_all, record, small_segments, telling};
use crate::{Fsync, ReadLimit, TopicOptions};

pub(crate) fn a_waiting_reader_gets_every_record_in_order(backend: &mut impl Backend) {
    for (index, fsync) in [Fsync::None, Fsync::Each].into_iter().enumerate() {
        let options = TopicOptions { fsync, ..small_segments() };
        let topic = backend.stream().open(&format!("topic.{index}"), &options).unwrap();
        let followed = Arc::clone(&topic);
        let reader = std::thread::spawn(move || {
            let mut records = Vec::new();
            while records.len() < 300 {
                let next = records.len() as u64;
                assert!(followed.wait(next, PATIENCE) > next, "nothing came");
                let found = followed.read(next, ReadLimit::default()).unwrap();
                records.extend(found.into_iter().map(|stored| stored.record));
            }
            records
        });
        append(&*topic, 0..100);
        topic.append(&numbers(100..250)).unwrap();
        append(&*topic, 250..300);
        assert_eq!(reader.join().unwrap(), numbers(0..300));
    }
}

pub(crate) fn a_subscriber_hears_of_what_is_new(backend: &mut impl Backend) {
    let topic = backend.stream().open("topic", &TopicOptions::default()).unwrap();
    let (sender, heard) = mpsc::channel();
    let subscription = topic.subscribe(telling(sender));
    // One advance can be told of in parts, or more than once.
    let hears_of = |end| {
        while heard.recv_timeout(PATIENCE).expect("nothing came") < end {}
    };
    topic.append(&numbers(0..3)).unwrap();
    hears_of(3);
    topic.append(&numbers(3..4)).unwrap();
    hears_of(4);
    drop(subscription);
    topic.append(&numbers(4..5)).unwrap();
    // The sender went with the subscription.
    let late: Vec<_> = std::iter::from_fn(|| heard.recv_timeout(PATIENCE).ok()).collect();
    assert!(late.iter().all(|&end| end == 4), "found {late:?}");
    assert_eq!(heard.try_recv(), Err(mpsc::TryRecvError::Disconnected));
}

pub(crate) fn a_waker_may_use_the_topic_itself(backend: &mut impl Backend) {
    let options = TopicOptions { fsync: Fsync::Each, ..small_segments() };
    let topic = backend.stream().open("topic", &options).unwrap();
    let (sender, heard) = mpsc::channel();
    let woken = Arc::clone(&topic);
    let _subscription = topic.subscribe(Arc::new(move |end| {
        if end == 1 {
            woken.append(&numbers(1..2)).unwrap();
            woken.sync().unwrap();
            woken.retain(message::Time::EPOCH).unwrap();
        }
        sender.send(woken.read(0, ReadLimit::default()).unwrap().len()).unwrap_or(());
    }));
    append(&*topic, 0..1);
    let most = heard.iter().find(|&records| records == 2);
    assert_eq!(most, Some(2));
}

pub(crate) fn batches_of_several_producers_do_not_mix(backend: &mut impl Backend) {
    let topic = backend.stream().open("topic", &small_segments()).unwrap();
    std::thread::scope(|scope| {
        for producer in 0..4_u8 {
            let topic = &topic;
            scope.spawn(move || {
                for batch in 0..25_u8 {
                    topic.append(&vec![record(vec![producer, batch]); 4]).unwrap();
                }
            });
        }
    });
    let records = read_all(&*topic, 0, ReadLimit::default());
    let mut batches: Vec<_> = records.chunks(4).map(|batch| batch[0].value.clone()).collect();
    assert!(records.chunks(4).all(|batch| batch.iter().all(|it| it.value == batch[0].value)));
    batches.sort();
    batches.dedup();
    assert_eq!(batches.len(), 100);
}

pub(crate) fn every_policy_lets_readers_see_what_is_synced(backend: &mut impl Backend) {
    let policies = [
        Fsync::None,
        Fsync::Interval(Duration::from_millis(1)),
        Fsync::Interval(Duration::from_secs(3600)),
        Fsync::Each,
    ];
    for (index, fsync) in policies.into_iter().enumerate() {
        let options = TopicOptions { fsync, ..small_segments() };
        let topic = backend.stream().open(&format!("topic.{index}"), &options).unwrap();
        append(&*topic, 0..50);
        if fsync != Fsync::Each {
            assert_eq!(topic.readable_end(), 50);
        }
        assert_eq!(topic.wait(49, PATIENCE), 50);
        topic.sync().unwrap();
        let marks = topic.watermarks();
        assert_eq!((marks.start, marks.durable, marks.end), (0, 50, 50));
        assert_eq!(read_all(&*topic, 0, ReadLimit::default()), numbers(0..50));
    }
    backend.stream().sync().unwrap();
}
