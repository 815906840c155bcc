//! Order, offsets, times, limits, names, commits.

use bytes::Bytes;
use message::Time;

use super::{Backend, append, numbered, numbers, read_all, record, small_segments};
use crate::{AppendError, Headers, Health, OpenError, ReadError, ReadLimit, Record, TopicOptions};

const ONE: ReadLimit = ReadLimit { records: 1, bytes: usize::MAX };

pub(crate) fn offsets_count_up_and_batches_stay_together(backend: &mut impl Backend) {
    let topic = backend.stream().open("topic", &small_segments()).unwrap();
    let mut end = 0;
    for length in [1, 3, 40, 2, 1] {
        assert_eq!(topic.append(&numbers(end..end + length)).unwrap(), end);
        end += length;
        assert_eq!(topic.watermarks().end, end);
        assert_eq!(topic.readable_end(), end);
    }
    assert_eq!(read_all(&*topic, 0, ReadLimit::default()), numbers(0..end));
}

pub(crate) fn records_come_back_as_they_were(backend: &mut impl Backend) {
    let topic = backend.stream().open("topic", &TopicOptions::default()).unwrap();
    let headers = Headers::new().with("id", "7").with("id", [0xff]).with("", "");
    let batch = [
        Record::default(),
        Record { key: Some(Bytes::new()), ..Record::default() },
        Record { headers, ..Record::default() },
        Record { key: Some("key".into()), ..record("value") },
        record(vec![0; 1 << 20]),
        Record::new(Time::NEVER, vec![0xff; 7]),
    ];
    topic.append(&batch).unwrap();
    assert_eq!(read_all(&*topic, 0, ReadLimit::default()), batch);
    assert_eq!(read_all(&*topic, 0, ONE), batch);
}

pub(crate) fn an_empty_batch_changes_nothing(backend: &mut impl Backend) {
    let topic = backend.stream().open("topic", &TopicOptions::default()).unwrap();
    append(&*topic, 0..2);
    assert_eq!(topic.append(&[]), Ok(2));
    assert_eq!(topic.watermarks().end, 2);
}

pub(crate) fn times_never_go_backwards(backend: &mut impl Backend) {
    let topic = backend.stream().open("topic", &small_segments()).unwrap();
    let at = |us| Record::new(Time::from_us(us), vec![0; 100]);
    topic.append(&[at(5), at(3), at(9)]).unwrap();
    topic.append(&[at(7), at(7), at(10), at(1)]).unwrap();
    let times = read_all(&*topic, 0, ONE).into_iter().map(|record| record.time.as_us());
    assert_eq!(times.collect::<Vec<_>>(), [5, 5, 9, 9, 9, 10, 10]);
}

pub(crate) fn reading_begins_at_any_offset(backend: &mut impl Backend) {
    let topic = backend.stream().open("topic", &small_segments()).unwrap();
    append(&*topic, 0..100);
    for from in 0..=100 {
        assert_eq!(read_all(&*topic, from, ReadLimit::default()), numbers(from..100));
    }
    for limit in [1, 2, 7, 99] {
        let limit = ReadLimit { records: limit, bytes: 700 };
        assert_eq!(read_all(&*topic, 3, limit), numbers(3..100));
    }
    assert_eq!(topic.read(100, ReadLimit::default()).unwrap(), []);
}

pub(crate) fn limits_bound_a_read_and_one_record_always_comes(backend: &mut impl Backend) {
    let topic = backend.stream().open("topic", &TopicOptions::default()).unwrap();
    topic.append(&[record(vec![0; 5000]), record(vec![0; 5000]), record(vec![0; 5000])]).unwrap();
    // What was read once is at hand.
    assert_eq!(read_all(&*topic, 0, ReadLimit::default()).len(), 3);
    let count = |records, bytes| topic.read(0, ReadLimit { records, bytes }).unwrap().len();
    assert_eq!(count(2, usize::MAX), 2);
    assert_eq!(count(usize::MAX, usize::MAX), 3);
    assert_eq!(count(3, 11_000), 2);
    assert_eq!(count(3, 1), 1);
    assert_eq!(count(0, 0), 1);
}

pub(crate) fn reading_outside_is_refused(backend: &mut impl Backend) {
    let topic = backend.stream().open("topic", &TopicOptions::default()).unwrap();
    append(&*topic, 0..3);
    match topic.read(4, ReadLimit::default()) {
        Err(ReadError::OutOfRange { found: 4, start: 0, end: 3 }) => {}
        other => panic!("found {other:?}"),
    }
}

pub(crate) fn too_large_a_record_is_refused_with_its_batch(backend: &mut impl Backend) {
    let options = TopicOptions { record_limit_bytes: 10, ..TopicOptions::default() };
    let topic = backend.stream().open("topic", &options).unwrap();
    let refused = topic.append(&[record("fits"), record("does not fit")]);
    assert_eq!(refused, Err(AppendError::TooLarge { found: 12, limit: 10 }));
    assert_eq!(topic.watermarks().end, 0);
    assert_eq!(topic.append(&[record("fits again")]), Ok(0));
}

pub(crate) fn replay_begins_at_any_time(backend: &mut impl Backend) {
    let topic = backend.stream().open("topic", &small_segments()).unwrap();
    let offset_at = |us| topic.offset_at(Time::from_us(us)).unwrap();
    assert_eq!(offset_at(0), 0);
    append(&*topic, 0..100);
    for number in 0..100 {
        // The record with this number has ten times the number as its time.
        assert_eq!(offset_at(number * 10), number);
        assert_eq!(offset_at(number * 10 + 1), number + 1);
    }
    assert_eq!(offset_at(u64::MAX), 100);
    topic.append(&vec![numbered(99); 50]).unwrap();
    assert_eq!(offset_at(990), 99);
}

pub(crate) fn topics_have_names_and_are_opened_once(backend: &mut impl Backend) {
    let (stream, options) = (backend.stream(), TopicOptions::default());
    let first = stream.open("acme/fraud/requests", &options).unwrap();
    stream.open("flights", &options).unwrap();
    stream.open("flights/requests", &options).unwrap();
    assert_eq!(first.topic(), "acme/fraud/requests");
    assert_eq!(stream.topics().unwrap(), ["acme/fraud/requests", "flights", "flights/requests"]);
    append(&*first, 0..1);
    let again = stream.open("acme/fraud/requests", &options).unwrap();
    assert_eq!(again.watermarks().end, 1);
    assert!(matches!(stream.open("../x", &options), Err(OpenError::Topic { .. })));
    let silly = TopicOptions { record_limit_bytes: 0, ..options };
    assert!(matches!(stream.open("silly", &silly), Err(OpenError::Option { .. })));
}

pub(crate) fn commits_are_per_reader_and_go_forward(backend: &mut impl Backend) {
    let topic = backend.stream().open("topic", &TopicOptions::default()).unwrap();
    append(&*topic, 0..10);
    topic.wait(9, super::PATIENCE);
    assert_eq!(topic.committed("a"), None);
    topic.commit("a", 4).unwrap();
    topic.commit("b", 7).unwrap();
    topic.commit("a", 3).unwrap();
    assert_eq!(topic.readers(), [("a".to_owned(), 4), ("b".to_owned(), 7)]);
    topic.reset("a", 2).unwrap();
    topic.commit("b", 99).unwrap();
    assert_eq!((topic.committed("a"), topic.committed("b")), (Some(2), Some(10)));
    topic.forget("a").unwrap();
    assert_eq!(topic.committed("a"), None);
}

pub(crate) fn a_closed_stream_refuses_appends_and_still_reads(backend: &mut impl Backend) {
    let topic = backend.stream().open("topic", &TopicOptions::default()).unwrap();
    append(&*topic, 0..3);
    backend.close();
    assert_eq!(topic.append(&numbers(3..4)), Err(AppendError::Closed));
    assert_eq!(topic.commit("a", 1), Err(AppendError::Closed));
    assert_eq!(topic.health(), Health::Closed);
    assert_eq!(read_all(&*topic, 0, ReadLimit::default()), numbers(0..3));
}
