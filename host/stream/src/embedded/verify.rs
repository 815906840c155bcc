//! Verifying: reading everything there is, and changing nothing.

use std::path::{Path, PathBuf};

use super::checkpoint::Checkpoint;
use super::recovery::{Hole, holes, proven_by, segment_bases, survey_segment};
use super::scan::Survey;
use super::segment::Segment;
use super::storage::{RealStorage, Storage};
use super::topic_names;
use crate::OpenError;

/// What [`verify`] found in a topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopicReport {
    /// The name of the topic.
    pub topic: String,
    /// The first offset that is kept.
    pub start: u64,
    /// The first offset that is not written.
    pub end: u64,
    /// The records that are whole.
    pub records: u64,
    /// The size of the files.
    pub bytes: u64,
    /// What the next host will cut off: written last, never acknowledged, not whole.
    pub torn_bytes: u64,
    /// What was acknowledged and is not whole any more, in order.
    pub damages: Vec<DamageReport>,
    /// Its segments, oldest first.
    pub segments: Vec<SegmentReport>,
}

/// What [`verify`] found in a segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SegmentReport {
    /// The file.
    pub file: PathBuf,
    /// The offset of its first record.
    pub base: u64,
    /// The records that are whole.
    pub records: u64,
    /// The size of the file.
    pub bytes: u64,
}

/// A place where records are lost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DamageReport {
    /// The file.
    pub file: PathBuf,
    /// The byte where the damage begins.
    pub position: u64,
    /// The first offset that is lost.
    pub offset: u64,
    /// The first offset behind it that is not.
    pub next: u64,
}

/// Reads every record of every topic below a data directory, and reports what is there.
///
/// A host may be running there. Then its last records may look torn, because they are being written.
pub fn verify(directory: impl AsRef<Path>) -> Result<Vec<TopicReport>, OpenError> {
    let root = directory.as_ref();
    let storage = RealStorage;
    let topics = topic_names(&storage, root)?;
    topics.into_iter().map(|topic| verify_topic(&storage, root, topic)).collect()
}

fn verify_topic(
    storage: &dyn Storage,
    root: &Path,
    topic: String,
) -> Result<TopicReport, OpenError> {
    let directory = root.join(&topic);
    let io = |source| OpenError::io(&directory, source);
    let mut durable = Checkpoint::load(storage, &directory).map_err(io)?.durable;
    let mut found = Vec::new();
    for base in segment_bases(storage, &directory).map_err(io)? {
        let segment = Segment::open(storage, &directory, base)?;
        let survey = survey_segment(storage, &segment)?;
        durable = durable.max(proven_by(&segment, survey.as_ref()));
        found.push((segment, survey));
    }
    let bases: Vec<_> = found.iter().map(|(segment, _)| segment.base).collect();
    let mut report = TopicReport {
        topic,
        start: bases.first().copied().unwrap_or(0),
        end: durable,
        records: 0,
        bytes: 0,
        torn_bytes: 0,
        damages: Vec::new(),
        segments: Vec::new(),
    };
    for (index, (segment, survey)) in found.iter().enumerate() {
        let end = bases.get(index + 1).copied().unwrap_or(durable);
        report.add(segment, survey.as_ref(), end, durable);
    }
    Ok(report)
}

impl TopicReport {
    /// Adds the next segment, which should reach to the offset `end`.
    fn add(&mut self, segment: &Segment, survey: Option<&Survey>, end: u64, durable: u64) {
        let (bytes, records) = (segment.length(), survey.map_or(0, |survey| survey.frames));
        let file = segment.path.clone();
        self.bytes += bytes;
        self.records += records;
        self.segments.push(SegmentReport { file, base: segment.base, records, bytes });
        if self.torn_bytes > 0 {
            // Nothing behind a torn tail stays.
            self.torn_bytes += bytes;
            return;
        }
        self.end = self.end.max(survey.map_or(end, |survey| survey.end_offset));
        for Hole { position, offset, next } in holes(segment, survey, end) {
            if offset >= durable {
                self.torn_bytes = bytes - position;
                self.end = offset;
                return;
            }
            let file = segment.path.clone();
            self.damages.push(DamageReport { file, position, offset, next });
        }
    }
}

#[cfg(test)]
mod tests {
    use message::Time;

    use super::super::segment::HEADER_BYTES;
    use super::*;
    use crate::{EmbeddedStream, Fsync, Record, Stream, TopicOptions};

    /// A data directory with a topic of 30 records in several segments, everything synced.
    fn example() -> tempfile::TempDir {
        let directory = tempfile::tempdir().unwrap();
        let stream = EmbeddedStream::open(directory.path()).unwrap();
        let options =
            TopicOptions { fsync: Fsync::None, segment_bytes: 1000, ..TopicOptions::default() };
        let topic = stream.open("a/b", &options).unwrap();
        for number in 0..30 {
            topic.append(&[Record::new(Time::from_us(number), vec![7; 60])]).unwrap();
        }
        topic.sync().unwrap();
        topic.commit("reader", 30).unwrap();
        drop(stream);
        directory
    }

    fn check(directory: &tempfile::TempDir) -> TopicReport {
        let mut reports = verify(directory.path()).unwrap();
        assert_eq!(reports.len(), 1);
        reports.remove(0)
    }

    #[test]
    fn a_sound_topic_is_reported_in_full() {
        let report = check(&example());
        assert_eq!((report.topic.as_str(), report.start, report.end), ("a/b", 0, 30));
        assert_eq!((report.records, report.torn_bytes), (30, 0));
        assert_eq!(report.damages, []);
        assert_eq!(report.segments.iter().map(|segment| segment.records).sum::<u64>(), 30);
        assert_eq!(report.segments.iter().map(|segment| segment.bytes).sum::<u64>(), report.bytes);
        assert!(report.segments.len() > 2);
    }

    #[test]
    fn garbage_behind_what_was_synced_is_a_torn_tail() {
        let directory = example();
        let last = check(&directory).segments.pop().unwrap();
        let mut content = std::fs::read(&last.file).unwrap();
        content.extend([0xab; 77]);
        std::fs::write(&last.file, content).unwrap();
        let report = check(&directory);
        assert_eq!((report.records, report.end, report.torn_bytes), (30, 30, 77));
        assert_eq!(report.damages, []);
    }

    #[test]
    fn damage_to_what_was_synced_is_reported_with_its_place() {
        let directory = example();
        let sound = check(&directory);
        for segment in [&sound.segments[0], sound.segments.last().unwrap()] {
            let mut content = std::fs::read(&segment.file).unwrap();
            // In the second of frames of 100 bytes.
            content[HEADER_BYTES + 150] ^= 1;
            std::fs::write(&segment.file, content).unwrap();
        }
        let report = check(&directory);
        let damage = |segment: &SegmentReport| DamageReport {
            file: segment.file.clone(),
            position: HEADER_BYTES as u64 + 100,
            offset: segment.base + 1,
            next: segment.base + 2,
        };
        let expected = [damage(&sound.segments[0]), damage(sound.segments.last().unwrap())];
        assert_eq!(report.damages, expected);
        assert_eq!((report.records, report.end, report.torn_bytes), (28, 30, 0));
    }

    #[test]
    fn lost_files_and_headers_and_ends_are_reported() {
        let directory = example();
        let sound = check(&directory).segments;
        std::fs::remove_file(&sound[1].file).unwrap();
        std::fs::write(&sound[2].file, [0; 10]).unwrap();
        let content = std::fs::read(&sound[0].file).unwrap();
        std::fs::write(&sound[0].file, &content[..content.len() - 1]).unwrap();
        let report = check(&directory);
        let places: Vec<_> = report.damages.iter().map(|it| (it.offset, it.next)).collect();
        let lost_end = (sound[1].base - 1, sound[2].base);
        assert_eq!(places, [lost_end, (sound[2].base, sound[3].base)]);
    }
}
