//! What is forgotten, and what is not.

use std::time::Duration;

use message::Time;

use super::{Backend, append, numbers, read_all, small_segments};
use crate::{Partition, ReadError, ReadLimit, Retention, TopicOptions};

const NOW: Time = Time::from_us(1000);

fn options(retention: Retention) -> TopicOptions {
    TopicOptions { retention, ..small_segments() }
}

/// What is kept is whole, and what is not is refused.
fn check_kept(topic: &dyn Partition, start: u64, end: u64) {
    assert_eq!(topic.watermarks().start, start);
    assert_eq!(read_all(topic, start, ReadLimit::default()), numbers(start..end));
    if start > 0 {
        let refused = topic.read(start - 1, ReadLimit::default());
        assert!(matches!(refused, Err(ReadError::OutOfRange { .. })), "found {refused:?}");
    }
}

pub(crate) fn by_size_the_oldest_go(backend: &mut impl Backend) {
    let retention = Retention { bytes: Some(4000), ..Retention::default() };
    let topic = backend.stream().open("topic", &options(retention)).unwrap();
    append(&*topic, 0..100);
    assert!(topic.size_bytes() > 4000);
    let start = topic.retain(NOW).unwrap();
    assert!(start > 0 && topic.size_bytes() <= 4000);
    check_kept(&*topic, start, 100);
    append(&*topic, 100..101);
    check_kept(&*topic, start, 101);
}

pub(crate) fn by_age_the_oldest_go(backend: &mut impl Backend) {
    let retention = Retention { age: Some(Duration::from_micros(300)), ..Retention::default() };
    let topic = backend.stream().open("topic", &options(retention)).unwrap();
    append(&*topic, 0..100);
    // The record 70 is 300 us old and has to stay.
    let start = topic.retain(NOW).unwrap();
    assert!((1..=70).contains(&start), "found {start}");
    check_kept(&*topic, start, 100);
    assert_eq!(topic.retain(Time::NEVER), Ok(100));
    check_kept(&*topic, 100, 100);
    append(&*topic, 100..103);
    check_kept(&*topic, 100, 103);
}

pub(crate) fn readers_are_waited_for_up_to_the_hard_limit(backend: &mut impl Backend) {
    let retention = Retention { bytes: Some(0), hard_bytes: Some(20_000), age: None };
    let topic = backend.stream().open("topic", &options(retention)).unwrap();
    append(&*topic, 0..50);
    topic.wait(49, super::PATIENCE);
    topic.commit("slow", 0).unwrap();
    topic.commit("fast", 50).unwrap();
    assert_eq!(topic.retain(NOW), Ok(0));
    topic.commit("slow", 20).unwrap();
    let start = topic.retain(NOW).unwrap();
    assert!((1..=20).contains(&start), "found {start}");
    append(&*topic, 50..500);
    let start = topic.retain(NOW).unwrap();
    assert!(start > 20 && topic.size_bytes() <= 20_000, "found {start}");
    topic.forget("slow").unwrap();
    topic.forget("fast").unwrap();
    assert!(topic.retain(NOW).unwrap() > start);
}

pub(crate) fn without_limits_everything_stays(backend: &mut impl Backend) {
    let topic = backend.stream().open("topic", &options(Retention::default())).unwrap();
    append(&*topic, 0..100);
    assert_eq!(topic.retain(Time::NEVER), Ok(0));
    check_kept(&*topic, 0, 100);
}
