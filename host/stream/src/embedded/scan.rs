//! Frames of a segment in order, from a position on.
//!
//! A scan never invents an order: a frame that is whole but has another offset than the one due is
//! damage like any other.

use std::io;

use bytes::Bytes;
use message::Time;

use super::buffers::{BUFFER_BYTES, Buffer};
use super::frame::{self, FRAME_OVERHEAD_BYTES, Frame, NoFrame};
use super::segment::{Index, IndexEntry};
use super::storage::LogFile;
use crate::Record;

/// A walk over the frames of a segment.
pub(super) struct Scan<'a> {
    file: &'a dyn LogFile,
    marker: u32,
    /// Where the frames end.
    end: u64,
    position: u64,
    offset: u64,
    chunk: Bytes,
    chunk_position: u64,
    /// How much may still be read ahead of need.
    budget_bytes: usize,
}

/// What a scan finds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Found {
    /// The frame that is due.
    Frame(Frame),
    /// Something else. The scan goes on behind it, if there is a frame behind it.
    Damage(Damage),
    /// The end of the bytes or nothing but zeros, exactly behind a frame.
    End,
}

/// A place that does not hold the frame that is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Damage {
    pub(super) position: u64,
    /// The offset that was due.
    pub(super) offset: u64,
    /// The offset of the next whole frame of the segment.
    pub(super) next: Option<u64>,
}

impl Damage {
    /// What is missing where a scan has ended.
    pub(super) fn at_end(scan: &Scan<'_>) -> Self {
        Self { position: scan.position, offset: scan.offset, next: None }
    }
}

impl<'a> Scan<'a> {
    /// A scan from the frame at `position`, which should have `offset`.
    pub(super) fn new(file: &'a dyn LogFile, marker: u32, end: u64, start: (u64, u64)) -> Self {
        let (position, offset) = start;
        Self {
            file,
            marker,
            end,
            position,
            offset,
            chunk: Bytes::new(),
            chunk_position: position,
            budget_bytes: usize::MAX,
        }
    }

    /// Reads no more than this ahead, for those who know how much they want.
    pub(super) fn with_budget_bytes(self, budget_bytes: usize) -> Self {
        Self { budget_bytes, ..self }
    }

    /// Where the next frame begins.
    pub(super) fn position(&self) -> u64 {
        self.position
    }

    /// The offset that is due next.
    pub(super) fn offset(&self) -> u64 {
        self.offset
    }

    /// Finds the next frame and steps over it.
    #[inline]
    pub(super) fn step(&mut self) -> io::Result<Found> {
        let found = self.peek()?;
        if let Found::Frame(frame) = &found {
            self.pass(frame);
        }
        Ok(found)
    }

    /// Finds the next frame and stays before it; steps over damage before it.
    #[inline]
    pub(super) fn peek(&mut self) -> io::Result<Found> {
        match frame::decode(self.available(), self.marker) {
            Ok(frame) if frame.place.offset == self.offset => Ok(Found::Frame(frame)),
            Err(NoFrame::Short { needed }) => self.refill(needed),
            Ok(_) | Err(NoFrame::Bad) => self.skip_damage(),
        }
    }

    /// Steps over the frame that was peeked at.
    #[inline]
    pub(super) fn pass(&mut self, frame: &Frame) {
        self.position += frame.length as u64;
        self.offset += 1;
    }

    /// The record of the frame that was peeked at.
    #[inline]
    pub(super) fn record(&self, frame: &Frame) -> Record {
        frame.record(&self.chunk, (self.position - self.chunk_position) as usize)
    }

    fn available(&self) -> &[u8] {
        &self.chunk[(self.position - self.chunk_position) as usize..]
    }

    /// Reads on where a frame is cut off by the end of the chunk.
    #[cold]
    fn refill(&mut self, needed: usize) -> io::Result<Found> {
        if self.position == self.end {
            return Ok(Found::End);
        }
        let known = self.available().len();
        if self.load(needed)? && self.available().len() > known {
            return self.peek();
        }
        self.skip_damage()
    }

    /// Reads from the position on, and tells whether there are as many bytes as needed.
    fn load(&mut self, needed: usize) -> io::Result<bool> {
        let left = self.end - self.position;
        if needed as u64 > left {
            return Ok(false);
        }
        let ahead = self.budget_bytes.min(BUFFER_BYTES);
        let length = left.min(needed.max(ahead) as u64) as usize;
        self.budget_bytes = self.budget_bytes.saturating_sub(length);
        // The old chunk goes first, for the new one to take its place.
        (self.chunk, self.chunk_position) = (Bytes::new(), self.position);
        let mut buffer = Buffer::take(length);
        let read = self.file.read_at(self.position, buffer.bytes())?;
        self.chunk = buffer.share(read);
        Ok(self.chunk.len() >= needed)
    }

    /// Goes to the next whole frame that can belong behind the damage, or to the end.
    #[cold]
    fn skip_damage(&mut self) -> io::Result<Found> {
        let (position, offset) = (self.position, self.offset);
        // Now as much is needed as there is.
        self.budget_bytes = usize::MAX;
        if self.only_zeros_follow()? {
            return Ok(Found::End);
        }
        while let Some(frame) = self.next_whole_frame()? {
            let lost = frame.place.offset.saturating_sub(offset);
            let lost_at_most = (self.position - position) / FRAME_OVERHEAD_BYTES as u64;
            if (1..=lost_at_most).contains(&lost) {
                self.offset = frame.place.offset;
                return Ok(Found::Damage(Damage { position, offset, next: Some(self.offset) }));
            }
            self.position += 1;
        }
        (self.position, self.chunk_position) = (self.end, self.end);
        self.chunk = Bytes::new();
        Ok(Found::Damage(Damage { position, offset, next: None }))
    }

    /// Whether there are no frames any more, but room for more of them.
    fn only_zeros_follow(&mut self) -> io::Result<bool> {
        let start = self.position;
        while self.available().iter().all(|&byte| byte == 0) {
            self.position += self.available().len() as u64;
            if !self.load(1)? {
                (self.position, self.chunk_position) = (start, start);
                self.chunk = Bytes::new();
                return Ok(true);
            }
        }
        if self.position != start {
            self.position = start;
            self.load(1)?;
        }
        Ok(false)
    }

    fn next_whole_frame(&mut self) -> io::Result<Option<Frame>> {
        while self.seek_marker()? {
            match frame::decode(self.available(), self.marker) {
                Ok(frame) => return Ok(Some(frame)),
                // Either the chunk now holds the frame, and the next turn decodes it, or no file does.
                Err(NoFrame::Short { needed }) if self.load(needed)? => {}
                Err(_) => self.position += 1,
            }
        }
        Ok(None)
    }

    /// Goes to the next place where a frame could begin, if there is one.
    fn seek_marker(&mut self) -> io::Result<bool> {
        loop {
            if let Some(distance) = frame::find_marker(self.available(), self.marker) {
                self.position += distance as u64;
                return Ok(true);
            }
            // The last bytes may begin a frame whose marker lies in the next chunk.
            self.position += self.available().len().saturating_sub(7) as u64;
            if !self.load(FRAME_OVERHEAD_BYTES)? {
                return Ok(false);
            }
        }
    }
}

/// Walks over a whole segment and notes what is found.
pub(super) fn survey(scan: Scan<'_>) -> io::Result<Survey> {
    let mut survey = Survey::starting_at(scan.position(), scan.offset());
    let mut scan = scan;
    loop {
        let position = scan.position();
        match scan.step()? {
            Found::Frame(frame) => survey.note(position, &frame),
            Found::Damage(damage) => survey.damages.push(damage),
            Found::End => return Ok(survey),
        }
    }
}

/// What was found in a segment.
#[derive(Debug, Clone)]
pub(super) struct Survey {
    pub(super) index: Index,
    pub(super) frames: u64,
    /// Behind the last whole frame: its position and the offset that is due there.
    pub(super) end_position: u64,
    pub(super) end_offset: u64,
    pub(super) last_time: Option<Time>,
    /// The first offset that no frame proves to have been synced.
    pub(super) durable: u64,
    pub(super) damages: Vec<Damage>,
}

impl Survey {
    fn starting_at(position: u64, offset: u64) -> Self {
        Self {
            index: Index::default(),
            frames: 0,
            end_position: position,
            end_offset: offset,
            last_time: None,
            durable: 0,
            damages: Vec::new(),
        }
    }

    fn note(&mut self, position: u64, frame: &Frame) {
        let offset = frame.place.offset;
        self.index.note(IndexEntry { offset, time: frame.time, position });
        self.frames += 1;
        self.end_position = position + frame.length as u64;
        self.end_offset = offset + 1;
        self.last_time = Some(frame.time);
        self.durable = self.durable.max(frame.place.durable);
    }
}
