//! How a topic is opened after its last host has stopped in whatever way.
//!
//! The crash model is the worst there is: of what was written and not synced, any part may be on the
//! disk and any other not, later parts without earlier ones. What was synced is there. So a place
//! that does not hold the frame that is due is one of two things:
//!
//! - **A torn tail**, if nothing proves that the frame was ever synced. It was never acknowledged, nor
//!   was anything behind it; the log is cut off there.
//! - **Damage**, if something proves it: the checkpoint, the header of a later segment, or a later
//!   frame, each of which says how far the log was synced when it was written. Then nothing is cut.
//!   The records around it stay, the hole is told of to whoever reads there, and the log goes on in a
//!   new segment.
//!
//! Only segments that can have a torn tail are read whole: those behind what the header of the last
//! one proves, which is the last one itself and seldom one more.

use std::io;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use message::Time;

use super::checkpoint::Checkpoint;
use super::scan::{Damage, Scan, Survey, survey};
use super::segment::{self, HEADER_BYTES, Header, Segment};
use super::storage::{LogFile, Storage, TEMPORARY};
use crate::OpenError;

const REWRITE_BYTES: u64 = 1 << 20;

/// A topic as it was found, fit to be written.
#[derive(Debug)]
pub(super) struct Recovered {
    pub(super) segments: Vec<Arc<Segment>>,
    /// Those before the last which may not be synced.
    pub(super) unsynced: Vec<Arc<Segment>>,
    /// Up to where the file of the last one has zeros behind the frames.
    pub(super) room_end: u64,
    pub(super) end: u64,
    pub(super) durable: u64,
    pub(super) last_time: Time,
}

/// Recovers the topic in a directory.
///
/// With `prove` all of it is known to be on the disk afterwards. That takes writing once more what
/// nothing proves to have been synced: if an fsync failed before, the operating system may take pages
/// for clean which the disk has never seen.
pub(super) fn recover(
    storage: &dyn Storage,
    directory: &Path,
    checkpoint: &Checkpoint,
    prove: bool,
) -> Result<Recovered, OpenError> {
    let mut recovery = Recovery {
        storage,
        directory,
        segments: open_segments(storage, directory)?,
        durable: checkpoint.durable,
        tail: Vec::new(),
    };
    recovery.survey_tail()?;
    if let Some(cut) = recovery.find_cut() {
        recovery.cut(cut)?;
    }
    recovery.sync_tail(prove)?;
    recovery.finish(prove)
}

/// Opens every segment in a directory, oldest first, and removes what was left half-made.
fn open_segments(storage: &dyn Storage, directory: &Path) -> Result<Vec<Arc<Segment>>, OpenError> {
    let io = |source| OpenError::io(directory, source);
    for entry in storage.list(directory).map_err(io)? {
        if Path::new(&entry.name).extension().is_some_and(|it| it == TEMPORARY) {
            storage.remove(&directory.join(entry.name)).map_err(io)?;
        }
    }
    let bases = segment_bases(storage, directory).map_err(io)?;
    bases.into_iter().map(|base| Segment::open(storage, directory, base).map(Arc::new)).collect()
}

/// The offsets at which the segments in a directory begin, in order.
pub(super) fn segment_bases(storage: &dyn Storage, directory: &Path) -> io::Result<Vec<u64>> {
    let entries = storage.list(directory)?.into_iter();
    let files = entries.filter(|entry| !entry.is_directory);
    let mut bases: Vec<u64> =
        files.filter_map(|entry| segment::parse_file_name(&entry.name)).collect();
    bases.sort_unstable();
    Ok(bases)
}

/// Reads a whole segment; `None` if its header is damaged.
pub(super) fn survey_segment(
    storage: &dyn Storage,
    segment: &Segment,
) -> Result<Option<Survey>, OpenError> {
    let io = |source| OpenError::io(&segment.path, source);
    let Some(header) = segment.header else { return Ok(None) };
    let file = segment.file(storage).map_err(io)?;
    let start = (HEADER_BYTES as u64, segment.base);
    survey(Scan::new(&*file, header.marker, segment.length(), start)).map(Some).map_err(io)
}

/// A place of a segment that does not hold the frame that is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Hole {
    pub(super) position: u64,
    /// The first offset that is not there.
    pub(super) offset: u64,
    /// The first offset behind it that is there or could be.
    pub(super) next: u64,
}

/// The holes of a segment, in order, those at its end included. `end` is the offset to which it
/// should reach: the base of the next one, or what is known to have been synced.
pub(super) fn holes(segment: &Segment, survey: Option<&Survey>, end: u64) -> Vec<Hole> {
    let Some(survey) = survey else {
        return vec![Hole { position: 0, offset: segment.base, next: end }];
    };
    let hole = |damage: &Damage| {
        let Damage { position, offset, next } = *damage;
        Hole { position, offset, next: next.unwrap_or(end) }
    };
    let mut holes: Vec<_> = survey.damages.iter().map(hole).collect();
    let told = survey.damages.last().is_some_and(|damage| damage.next.is_none());
    if !told && survey.end_offset < end {
        let (position, offset) = (survey.end_position, survey.end_offset);
        holes.push(Hole { position, offset, next: end });
    }
    holes
}

/// What a segment proves to have been synced: an offset below which everything was.
pub(super) fn proven_by(segment: &Segment, survey: Option<&Survey>) -> u64 {
    let by_header = segment.header.map_or(0, |header| header.durable);
    by_header.max(survey.map_or(0, |survey| survey.durable))
}

struct Recovery<'a> {
    storage: &'a dyn Storage,
    directory: &'a Path,
    segments: Vec<Arc<Segment>>,
    /// Everything below was synced before.
    durable: u64,
    /// What the last segments hold, those in the order of `segments`.
    tail: Vec<Option<Survey>>,
}

/// Where the log is cut off.
struct Cut {
    /// The index of the segment.
    index: usize,
    /// The byte, or `None` where nothing of the segment stays.
    position: Option<u64>,
}

impl Recovery<'_> {
    fn survey_tail(&mut self) -> Result<(), OpenError> {
        for segment in self.segments.iter().rev() {
            let survey = survey_segment(self.storage, segment)?;
            self.durable = self.durable.max(proven_by(segment, survey.as_ref()));
            self.tail.push(survey);
            if segment.base <= self.durable {
                break;
            }
        }
        self.tail.reverse();
        Ok(())
    }

    /// The index of the first segment of the tail.
    fn tail_start(&self) -> usize {
        self.segments.len() - self.tail.len()
    }

    /// The first hole that nothing proves to have held anything that was synced.
    fn find_cut(&self) -> Option<Cut> {
        (self.tail_start()..).zip(&self.tail).find_map(|(index, survey)| {
            let next = self.segments.get(index + 1);
            let end = next.map_or(self.durable, |next| next.base);
            let holes = holes(&self.segments[index], survey.as_ref(), end);
            let torn = holes.into_iter().find(|hole| hole.offset >= self.durable)?;
            Some(Cut { index, position: survey.as_ref().map(|_| torn.position) })
        })
    }

    /// Cuts the log off. A crash before all of it is synced leaves a log to be cut off again.
    fn cut(&mut self, cut: Cut) -> Result<(), OpenError> {
        let kept = cut.index + usize::from(cut.position.is_some());
        let tail_start = self.tail_start();
        if let Some(position) = cut.position {
            let segment = &self.segments[cut.index];
            let io = |source| OpenError::io(&segment.path, source);
            let (path, bytes) = (segment.path.display(), segment.length() - position);
            tracing::info!(file = %path, position, bytes, "cut off a torn tail");
            let file = segment.hold(self.storage).map_err(io)?;
            file.truncate(position).map_err(io)?;
            segment.set_length(position);
            self.tail[cut.index - tail_start] = survey_segment(self.storage, segment)?;
        }
        for segment in self.segments.drain(kept..).rev() {
            let io = |source| OpenError::io(&segment.path, source);
            self.storage.remove(&segment.path).map_err(io)?;
        }
        self.tail.truncate(kept.saturating_sub(tail_start));
        Ok(())
    }

    /// Brings the tail to the disk, so that what is written next meets nothing that a host before
    /// this one has failed to cut off.
    fn sync_tail(&self, write_again: bool) -> Result<(), OpenError> {
        for (segment, survey) in self.segments[self.tail_start()..].iter().zip(&self.tail) {
            let Some(survey) = survey else { continue };
            let io = |source| OpenError::io(&segment.path, source);
            let file = segment.hold(self.storage).map_err(io)?;
            if write_again {
                let unproven = self.first_unproven(segment, survey)..survey.end_position;
                rewrite(&*file, unproven).map_err(io)?;
            }
            file.sync().map_err(io)?;
        }
        self.sync_directory()
    }

    /// A position of a segment before which everything was synced.
    fn first_unproven(&self, segment: &Segment, survey: &Survey) -> u64 {
        if self.durable <= segment.base {
            return 0;
        }
        if self.durable >= survey.end_offset {
            return survey.end_position;
        }
        let entry = survey.index.before_offset(self.durable);
        entry.map_or(HEADER_BYTES as u64, |entry| entry.position)
    }

    fn sync_directory(&self) -> Result<(), OpenError> {
        let synced = self.storage.sync_directory(self.directory);
        synced.map_err(|source| OpenError::io(self.directory, source))
    }

    fn finish(mut self, proven: bool) -> Result<Recovered, OpenError> {
        let last_time = self.last_time();
        let end = self.end();
        let last = self.segments.last().zip(self.tail.last().and_then(Option::as_ref));
        let goes_on = |survey: &Survey| survey.damages.is_empty() && survey.end_offset == end;
        let room_end = match last.filter(|(_, survey)| goes_on(survey)) {
            Some((segment, survey)) => {
                let room_end = segment.length();
                segment.set_length(survey.end_position);
                room_end
            }
            None => {
                self.begin_segment(end, last_time)?;
                HEADER_BYTES as u64
            }
        };
        let durable = if proven { end } else { self.durable.min(end) };
        let tail_start = self.tail_start();
        for (segment, survey) in self.segments[tail_start..].iter().zip(self.tail) {
            if let Some(survey) = survey {
                segment.set_index(survey.index);
            }
        }
        let (last, sealed) = self.segments.split_last().expect("invariant: there is a segment now");
        last.hold(self.storage).map_err(|source| OpenError::io(&last.path, source))?;
        sealed.iter().for_each(|segment| segment.release());
        let synced_count = self.segments[1..].partition_point(|next| next.base <= durable);
        let unsynced = sealed[synced_count..].to_vec();
        Ok(Recovered { segments: self.segments, unsynced, room_end, end, durable, last_time })
    }

    /// The offset of the next record.
    fn end(&self) -> u64 {
        let last_base = self.segments.last().map_or(0, |last| last.base);
        let found = self.tail.last().and_then(Option::as_ref).map_or(0, |last| last.end_offset);
        self.durable.max(last_base).max(found)
    }

    /// The latest time that is known of any record.
    fn last_time(&self) -> Time {
        let headers = self.segments.iter().filter_map(|segment| segment.header);
        let frames = self.tail.iter().flatten().filter_map(|survey| survey.last_time);
        headers.map(|header| header.time_before).chain(frames).max().unwrap_or_default()
    }

    /// Makes a segment to go on in: the first one, or one behind damage.
    fn begin_segment(&mut self, base: u64, time_before: Time) -> Result<(), OpenError> {
        let io = |source| OpenError::io(self.directory, source);
        let marker = self.storage.random().max(1);
        let header = Header { marker, base, time_before, durable: self.durable };
        let segment = Segment::create(self.storage, self.directory, header).map_err(io)?;
        segment.hold(self.storage).and_then(|file| file.sync()).map_err(io)?;
        self.segments.push(Arc::new(segment));
        self.tail.push(None);
        self.sync_directory()
    }
}

/// Writes bytes of a file once more as they are.
fn rewrite(file: &dyn LogFile, range: Range<u64>) -> io::Result<()> {
    let mut bytes = vec![0; REWRITE_BYTES.min(range.end.saturating_sub(range.start)) as usize];
    for position in range.clone().step_by(REWRITE_BYTES as usize) {
        let length = REWRITE_BYTES.min(range.end - position) as usize;
        let read = file.read_at(position, &mut bytes[..length])?;
        file.write_at(position, &bytes[..read])?;
    }
    Ok(())
}
