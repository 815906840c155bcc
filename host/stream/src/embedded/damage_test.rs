//! Damage to what was synced: it is told of, nothing around it is lost, and the log goes on.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use message::Time;

use super::EmbeddedStream;
use super::storage::faulty::FaultyDisk;
use crate::conformance::{numbered, numbers};
use crate::{Fsync, Health, Partition, ReadError, ReadLimit, Record, Stream, TopicOptions};

/// A topic on a disk that can be damaged.
struct Damaged {
    disk: FaultyDisk,
    fsync: Fsync,
}

impl Damaged {
    /// 60 records in several segments, all of them synced.
    fn new(fsync: Fsync) -> Self {
        let damaged = Self { disk: FaultyDisk::new(0), fsync };
        let (_stream, topic) = damaged.open();
        for number in 0..60 {
            topic.append(&[numbered(number)]).unwrap();
        }
        topic.sync().unwrap();
        // The next frame proves to whoever opens the topic that those before it were synced.
        topic.append(&[numbered(60)]).unwrap();
        topic.sync().unwrap();
        damaged
    }

    fn open(&self) -> (EmbeddedStream, Arc<dyn Partition>) {
        let storage = Arc::new(self.disk.clone());
        let stream = EmbeddedStream::open_with(storage, Path::new("/data"), None).unwrap();
        let options =
            TopicOptions { fsync: self.fsync, segment_bytes: 1500, ..TopicOptions::default() };
        let topic = stream.open("topic", &options).unwrap();
        (stream, topic)
    }

    fn segments(&self) -> Vec<PathBuf> {
        let files = self.disk.files().into_iter();
        files.filter(|file| file.extension().is_some_and(|it| it == "log")).collect()
    }
}

/// The first offset that is lost, and the first behind it that is not.
type Hole = (u64, u64);

/// Reads everything there is and jumps over what is lost; returns the records and the holes.
fn read_around(topic: &dyn Partition) -> (Vec<(u64, Record)>, Vec<Hole>) {
    let (mut records, mut holes) = (Vec::new(), Vec::new());
    let mut next = topic.watermarks().start;
    while next < topic.readable_end() {
        match topic.read(next, ReadLimit { records: 5, bytes: 1000 }) {
            Ok(found) => {
                records.extend(found.into_iter().map(|stored| (stored.offset, stored.record)));
                next = records.last().unwrap().0 + 1;
            }
            Err(ReadError::Corrupt { offset, next: behind, .. }) => {
                assert!(offset <= next && next < behind, "{offset} {next} {behind}");
                holes.push((offset, behind));
                next = behind;
            }
            Err(error) => panic!("found {error}"),
        }
    }
    (records, holes)
}

/// What is read is what was appended, but for the holes, and there is nothing twice.
fn check_around(topic: &dyn Partition, end: u64) -> Vec<Hole> {
    let (records, holes) = read_around(topic);
    let lost = |offset: u64| holes.iter().any(|&(from, to)| (from..to).contains(&offset));
    let expected: Vec<_> =
        (0..end).filter(|&offset| !lost(offset)).map(|offset| (offset, numbered(offset))).collect();
    assert_eq!(records, expected);
    holes
}

/// Damages one byte of a segment, and expects exactly one record to be lost.
fn check_one_byte(segment: usize, position: u64) {
    for fsync in [Fsync::None, Fsync::Each] {
        let damaged = Damaged::new(fsync);
        damaged.disk.damage(&damaged.segments()[segment], position);
        let (_stream, topic) = damaged.open();
        assert_eq!(topic.watermarks().end, 61, "nothing is cut off");
        let holes = check_around(&*topic, 61);
        assert_eq!(holes.len(), 1);
        assert_eq!(holes[0].1 - holes[0].0, 1);
        assert_eq!(topic.health(), Health::Damaged { segments: 1 });
        assert_eq!(topic.append(&numbers(61..64)), Ok(61));
        topic.sync().unwrap();
        assert_eq!(check_around(&*topic, 64), holes);
        drop((topic, _stream));
        let (_stream, topic) = damaged.open();
        assert_eq!(check_around(&*topic, 64), holes);
    }
}

#[test]
fn a_damaged_record_of_a_sealed_segment_is_told_of() {
    check_one_byte(0, 44 + 50);
    check_one_byte(1, 44 + 3);
}

#[test]
fn a_damaged_record_of_the_last_segment_is_no_torn_tail() {
    check_one_byte(Damaged::new(Fsync::Each).segments().len() - 1, 44 + 9);
}

#[test]
fn every_byte_of_a_segment_matters_and_costs_no_more_than_its_record() {
    let damaged = Damaged::new(Fsync::Each);
    let file = &damaged.segments()[1];
    let length = damaged.disk.content(file).len() as u64;
    for position in (0..length).step_by(7) {
        damaged.disk.damage(file, position);
        let (_stream, topic) = damaged.open();
        let holes = check_around(&*topic, 61);
        let lost = holes.iter().map(|(from, to)| to - from).sum::<u64>();
        let expected = if position < 44 { lost.max(2) } else { 1 };
        assert_eq!((holes.len(), lost), (1, expected), "byte {position}");
        // A second time is as if it had not been.
        damaged.disk.damage(file, position);
    }
}

#[test]
fn a_lost_segment_is_a_hole_and_times_are_found_around_it() {
    let damaged = Damaged::new(Fsync::Each);
    let segments = damaged.segments();
    let base = |file: &PathBuf| file.file_stem().unwrap().to_str().unwrap().parse::<u64>().unwrap();
    let (from, to) = (base(&segments[1]), base(&segments[2]));
    super::storage::Storage::remove(&damaged.disk, &segments[1]).unwrap();
    let (_stream, topic) = damaged.open();
    assert_eq!(check_around(&*topic, 61), [(from, to)]);
    let offset_at = |number: u64| topic.offset_at(Time::from_us(number * 10)).unwrap();
    assert_eq!(offset_at(from - 1), from - 1);
    // Reading there tells of the hole, so nobody takes the first record behind it for the first.
    assert_eq!(offset_at(from + 1), from);
    assert_eq!(offset_at(to + 1), to + 1);
}

#[test]
fn a_tail_that_nothing_proves_to_be_synced_is_cut_off() {
    let damaged = Damaged { disk: FaultyDisk::new(0), fsync: Fsync::None };
    let (stream, topic) = damaged.open();
    topic.append(&numbers(0..5)).unwrap();
    drop((topic, stream));
    let file = &damaged.segments()[0];
    damaged.disk.damage(file, damaged.disk.content(file).len() as u64 - 1);
    let (_stream, topic) = damaged.open();
    assert_eq!(topic.watermarks().end, 4);
    assert_eq!(check_around(&*topic, 4), []);
    assert_eq!(topic.health(), Health::Ready);
    assert_eq!(topic.append(&numbers(4..5)), Ok(4));
}

#[test]
fn what_clients_put_into_values_is_never_taken_for_a_frame() {
    let damaged = Damaged { disk: FaultyDisk::new(0), fsync: Fsync::None };
    let (stream, topic) = damaged.open();
    topic.append(&numbers(0..3)).unwrap();
    // Frames of another topic, one of which even has the offset that is due.
    let other = Damaged::new(Fsync::Each);
    let stolen = other.disk.content(&other.segments()[0]);
    topic.append(&[Record::new(Time::from_us(30), stolen)]).unwrap();
    drop((topic, stream));
    let file = damaged.segments().pop().unwrap();
    damaged.disk.damage(&file, damaged.disk.content(&file).len() as u64 - 1);
    let (_stream, topic) = damaged.open();
    assert_eq!(topic.watermarks().end, 3);
    assert_eq!(check_around(&*topic, 3), []);
}
