//! Verifying: reading everything there is, and changing nothing.

use std::path::{Path, PathBuf};

use super::checkpoint::Checkpoint;
use super::recovery::{segment_bases, survey_segment};
use super::scan::Survey;
use super::segment::{HEADER_BYTES, Segment};
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
    let checkpoint = Checkpoint::load(storage, &directory).map_err(io)?;
    let mut found = Vec::new();
    for base in segment_bases(storage, &directory).map_err(io)? {
        let segment = Segment::open(storage, &directory, base)?;
        let survey = survey_segment(storage, &segment)?;
        found.push((segment, survey));
    }
    let proofs = found.iter().map(|(segment, survey)| {
        let by_header = segment.header.map_or(0, |header| header.durable);
        by_header.max(survey.as_ref().map_or(0, |survey| survey.durable))
    });
    let durable = proofs.max().unwrap_or(0).max(checkpoint.durable);
    let mut report = TopicReport {
        topic,
        start: found.first().map_or(0, |(segment, _)| segment.base),
        end: 0,
        records: 0,
        bytes: 0,
        torn_bytes: 0,
        damages: Vec::new(),
        segments: Vec::new(),
    };
    for (index, (segment, survey)) in found.iter().enumerate() {
        let next_base = found.get(index + 1).map(|(next, _)| next.base);
        report.add(segment, survey.as_ref(), next_base, durable);
    }
    report.end = report.end.max(report.start);
    Ok(report)
}

impl TopicReport {
    fn add(&mut self, segment: &Segment, survey: Option<&Survey>, next: Option<u64>, durable: u64) {
        let bytes = segment.length();
        let records = survey.map_or(0, |survey| survey.frames);
        let file = segment.path.clone();
        self.bytes += bytes;
        self.records += records;
        self.segments.push(SegmentReport { file, base: segment.base, records, bytes });
        if self.torn_bytes > 0 {
            // Nothing behind a torn tail counts.
            self.torn_bytes += bytes;
            return;
        }
        let header_bytes = HEADER_BYTES as u64;
        let end_offset = survey.map_or(segment.base, |survey| survey.end_offset);
        let end_position = survey.map_or(0, |survey| survey.end_position.max(header_bytes));
        let damages = survey.map_or(&[][..], |survey| &survey.damages);
        let mut holes: Vec<_> = damages
            .iter()
            .map(|damage| (damage.position, damage.offset, damage.next))
            .filter(|&(_, _, next)| next.is_some())
            .collect();
        // Whatever does not reach to the next segment, or to what was synced, lacks its end.
        if end_position < bytes || survey.is_none() || end_offset < next.unwrap_or(durable) {
            holes.push((end_position, end_offset, None));
        }
        self.end = end_offset;
        for (position, offset, behind) in holes {
            if offset >= durable {
                self.torn_bytes = bytes - position;
                self.end = offset;
                return;
            }
            let next = behind.unwrap_or(next.unwrap_or(durable));
            self.end = self.end.max(next);
            let file = segment.path.clone();
            self.damages.push(DamageReport { file, position, offset, next });
        }
    }
}
