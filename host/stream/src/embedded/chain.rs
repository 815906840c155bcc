//! The segments of a partition in order, and how records are read from them.

use std::io::{self, ErrorKind};
use std::sync::Arc;

use message::Time;
use parking_lot::{Mutex, RwLock};

use super::frame::Frame;
use super::scan::{Damage, Found, Scan, survey};
use super::segment::{HEADER_BYTES, Header, INDEX_STEP_BYTES, Index, IndexEntry, Segment};
use super::storage::{LogFile, Storage};
use crate::{ReadError, ReadLimit, StoredRecord};

/// The segments of a partition, oldest first; there is always one.
#[derive(Debug)]
pub(super) struct Chain {
    storage: Arc<dyn Storage>,
    segments: RwLock<Vec<Arc<Segment>>>,
    cursors: Mutex<Cursors>,
    /// The sealed segment that was read last, for who reads on in it.
    opened: Mutex<Option<(u64, Arc<dyn LogFile>)>>,
}

/// A segment, and the first offset that is not its own.
struct Link {
    segment: Arc<Segment>,
    end: u64,
}

impl Chain {
    pub(super) fn new(storage: Arc<dyn Storage>, segments: Vec<Arc<Segment>>) -> Self {
        Self {
            storage,
            segments: RwLock::new(segments),
            cursors: Mutex::default(),
            opened: Mutex::default(),
        }
    }

    pub(super) fn start(&self) -> u64 {
        self.segments.read().first().map_or(0, |first| first.base)
    }

    pub(super) fn segments(&self) -> Vec<Arc<Segment>> {
        self.segments.read().clone()
    }

    pub(super) fn push(&self, segment: Arc<Segment>) {
        self.segments.write().push(segment);
    }

    /// Takes the segments off the start that hold only offsets below `end`, where the next one begins.
    pub(super) fn forget_below(&self, end: u64) -> Vec<Arc<Segment>> {
        let mut segments = self.segments.write();
        let count = segments.partition_point(|segment| segment.base < end);
        let last = segments.len().saturating_sub(1);
        segments.drain(..count.min(last)).collect()
    }

    pub(super) fn size_bytes(&self) -> u64 {
        self.segments.read().iter().map(|segment| segment.length()).sum()
    }

    /// How many segments were found damaged.
    pub(super) fn damaged(&self) -> usize {
        self.segments.read().iter().filter(|segment| segment.is_alarmed()).count()
    }

    /// Reads from `from`, which is not behind `readable_end`, up to there.
    pub(super) fn read(
        &self,
        from: u64,
        readable_end: u64,
        limit: ReadLimit,
    ) -> Result<Vec<StoredRecord>, ReadError> {
        let mut batch = Batch { records: Vec::new(), next: from, bytes: 0, limit };
        while batch.next < readable_end && !batch.is_full() {
            let link = self.link_at(batch.next, readable_end)?;
            match self.read_segment(&link, &mut batch) {
                Ok(()) => {}
                Err(error) if batch.records.is_empty() => return Err(error),
                // What is whole comes first; the next read begins at the damage and tells of it.
                Err(_) => break,
            }
        }
        Ok(batch.records)
    }

    /// Finds the first offset whose record is not older than `time`.
    pub(super) fn offset_at(&self, time: Time, readable_end: u64) -> Result<u64, ReadError> {
        let older = |header: Header| header.time_before < time;
        let begins_older = |segment: &Arc<Segment>| segment.header.is_some_and(older);
        let first = {
            let segments = self.segments.read();
            let index = segments.iter().rposition(begins_older).unwrap_or(0);
            segments[index].base
        };
        let mut next = first;
        while next < readable_end {
            let link = self.link_at(next, readable_end)?;
            if let Some(offset) = self.search_segment(&link, time)? {
                return Ok(offset);
            }
            next = link.end;
        }
        Ok(readable_end)
    }

    fn link_at(&self, offset: u64, readable_end: u64) -> Result<Link, ReadError> {
        let segments = self.segments.read();
        let behind = segments.partition_point(|segment| segment.base <= offset);
        let Some(index) = behind.checked_sub(1) else {
            let start = segments.first().map_or(0, |first| first.base);
            return Err(ReadError::OutOfRange { found: offset, start, end: readable_end });
        };
        let end = segments.get(behind).map_or(readable_end, |next| next.base.min(readable_end));
        Ok(Link { segment: Arc::clone(&segments[index]), end })
    }

    fn read_segment(&self, link: &Link, batch: &mut Batch) -> Result<(), ReadError> {
        let segment = &link.segment;
        let (header, file) = self.file(link, batch.next)?;
        let io = |source| ReadError::Io { file: segment.path.clone(), source };
        let start = self.seek(segment, &header, &*file, batch.next).map_err(io)?;
        let scan = Scan::new(&*file, header.marker, segment.length(), start);
        let passed = if start.1 < batch.next { INDEX_STEP_BYTES as usize } else { 0 };
        let mut scan = scan.with_budget_bytes(batch.budget_bytes(link) + passed);
        while scan.offset() < link.end {
            match scan.peek().map_err(io)? {
                Found::Frame(frame) if scan.offset() < batch.next => scan.pass(&frame),
                Found::Frame(frame) => {
                    if !batch.take(&scan, &frame) {
                        break;
                    }
                    scan.pass(&frame);
                }
                Found::Damage(damage) => link.check(damage, batch.next)?,
                Found::End => link.check(Damage::at_end(&scan), batch.next)?,
            }
        }
        self.cursors.lock().put(batch.next, segment.base, scan.position());
        Ok(())
    }

    fn search_segment(&self, link: &Link, time: Time) -> Result<Option<u64>, ReadError> {
        let segment = &link.segment;
        let (header, file) = self.file(link, segment.base)?;
        let io = |source| ReadError::Io { file: segment.path.clone(), source };
        let start = self.indexed(segment, &header, &*file, |index| index.before_time(time));
        let mut scan = Scan::new(&*file, header.marker, segment.length(), start.map_err(io)?);
        let mut lost = None;
        while scan.offset() < link.end {
            match scan.step().map_err(io)? {
                // What is lost before the frame may have been late enough.
                Found::Frame(frame) if frame.time >= time => {
                    return Ok(Some(lost.unwrap_or(frame.place.offset)));
                }
                Found::Frame(_) => lost = None,
                Found::Damage(damage) => lost = Some(damage.offset),
                Found::End => return Ok(lost.or(Some(scan.offset()))),
            }
        }
        Ok(lost)
    }

    /// The header and the file of a segment; damage where there is no header.
    fn file(&self, link: &Link, offset: u64) -> Result<(Header, Arc<dyn LogFile>), ReadError> {
        let Some(header) = link.segment.header else {
            return Err(link.corrupt(0, offset, link.end));
        };
        match self.open_file(&link.segment) {
            Ok(file) => Ok((header, file)),
            // Retention was faster than this reader.
            Err(error) if error.kind() == ErrorKind::NotFound && self.start() > offset => {
                let (start, end) = (self.start(), link.end);
                Err(ReadError::OutOfRange { found: offset, start, end })
            }
            Err(source) => Err(ReadError::Io { file: link.segment.path.clone(), source }),
        }
    }

    fn open_file(&self, segment: &Segment) -> io::Result<Arc<dyn LogFile>> {
        let mut opened = self.opened.lock();
        if let Some(file) = segment.held() {
            // Who has come to where is written needs no sealed segment any more.
            *opened = None;
            return Ok(file);
        }
        match &*opened {
            Some((base, file)) if *base == segment.base => Ok(Arc::clone(file)),
            _ => {
                let file = segment.file(&*self.storage)?;
                *opened = Some((segment.base, Arc::clone(&file)));
                Ok(file)
            }
        }
    }

    /// Where to scan from to come to an offset: its own place, if a reader has just come to it.
    fn seek(
        &self,
        segment: &Segment,
        header: &Header,
        file: &dyn LogFile,
        offset: u64,
    ) -> io::Result<(u64, u64)> {
        if offset == segment.base {
            return Ok((HEADER_BYTES as u64, offset));
        }
        if let Some(position) = self.cursors.lock().get(offset, segment.base) {
            return Ok((position, offset));
        }
        self.indexed(segment, header, file, |index| index.before_offset(offset))
    }

    /// Where to scan from according to the index, which is made if there is none yet.
    fn indexed(
        &self,
        segment: &Segment,
        header: &Header,
        file: &dyn LogFile,
        search: impl Fn(&Index) -> Option<IndexEntry>,
    ) -> io::Result<(u64, u64)> {
        let first = (HEADER_BYTES as u64, segment.base);
        let found = match segment.search(&search) {
            Some(found) => found,
            None => {
                let survey = survey(Scan::new(file, header.marker, segment.length(), first))?;
                let found = search(&survey.index);
                segment.set_index(survey.index);
                found
            }
        };
        Ok(found.map_or(first, |entry| (entry.position, entry.offset)))
    }
}

impl Link {
    /// Refuses damage that reaches to `next` or beyond.
    fn check(&self, damage: Damage, next: u64) -> Result<(), ReadError> {
        let lost_to = damage.next.map_or(self.end, |found| found.min(self.end));
        if lost_to <= next {
            Ok(())
        } else {
            Err(self.corrupt(damage.position, damage.offset, lost_to))
        }
    }

    fn corrupt(&self, position: u64, offset: u64, next: u64) -> ReadError {
        let file = self.segment.path.clone();
        if self.segment.alarm_once() {
            let path = file.display();
            tracing::error!(file = %path, position, offset, next, "found damaged records");
        }
        ReadError::Corrupt { file, position, offset, next }
    }
}

/// The records of one read so far.
struct Batch {
    records: Vec<StoredRecord>,
    next: u64,
    bytes: usize,
    limit: ReadLimit,
}

impl Batch {
    fn is_full(&self) -> bool {
        !self.records.is_empty()
            && (self.records.len() >= self.limit.records || self.bytes >= self.limit.bytes)
    }

    /// Takes the record of a frame if the limits allow; the first one always.
    fn take(&mut self, scan: &Scan<'_>, frame: &Frame) -> bool {
        if self.is_full()
            || (!self.records.is_empty() && self.bytes + frame.length > self.limit.bytes)
        {
            self.bytes = self.limit.bytes;
            return false;
        }
        self.records.push(StoredRecord { offset: self.next, record: scan.record(frame) });
        self.bytes += frame.length;
        self.next += 1;
        true
    }

    /// How much to read ahead, so that few records are not paid for with many bytes.
    fn budget_bytes(&mut self, link: &Link) -> usize {
        let average = link.segment.length() / (link.end - link.segment.base).max(1) + 1;
        let records = self.limit.records.saturating_sub(self.records.len()).max(1) as u64;
        let bytes = self.limit.bytes.saturating_sub(self.bytes).max(4096) as u64;
        let expected = records.min(bytes / average + 1).min(link.end - self.next);
        self.records.reserve(expected as usize);
        // A little more, because an average is one.
        let wanted = expected.saturating_mul(average + average / 8).saturating_add(1024);
        wanted.min(bytes) as usize
    }
}

/// Where the latest reads ended, so that who reads on need not search.
#[derive(Debug, Default)]
struct Cursors {
    places: [Option<Cursor>; 16],
    oldest: usize,
}

#[derive(Debug, Clone, Copy)]
struct Cursor {
    offset: u64,
    base: u64,
    position: u64,
}

impl Cursors {
    fn get(&self, offset: u64, base: u64) -> Option<u64> {
        let found = self.places.iter().flatten().find(|it| it.offset == offset && it.base == base);
        found.map(|cursor| cursor.position)
    }

    fn put(&mut self, offset: u64, base: u64, position: u64) {
        if self.get(offset, base).is_none() {
            self.places[self.oldest] = Some(Cursor { offset, base, position });
            self.oldest = (self.oldest + 1) % self.places.len();
        }
    }
}
