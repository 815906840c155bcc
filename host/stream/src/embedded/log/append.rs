//! Appending: encode a batch into one buffer, write it once.

use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use message::Time;

use super::{Due, Log, State, Writer};
use crate::embedded::frame::{self, FRAME_OVERHEAD_BYTES, Place};
use crate::embedded::segment::{HEADER_BYTES, Header, INDEX_STEP_BYTES, IndexEntry, Segment};
use crate::embedded::storage::is_full;
use crate::{AppendError, Fsync, Record};

/// A buffer that has grown beyond this for one large batch is given back.
const BUFFER_KEPT_BYTES: usize = 4 << 20;

/// What came of an append.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::embedded) struct Appended {
    /// The offset of the first record.
    pub(in crate::embedded) first: u64,
    /// The sync that has to be arranged for, unless one is on its way.
    pub(in crate::embedded) due: Option<Due>,
}

impl Log {
    /// Appends a batch. The caller tells the readers and arranges for the sync.
    pub(in crate::embedded) fn append(&self, batch: &[Record]) -> Result<Appended, AppendError> {
        let mut writer = self.writer.lock();
        writer.check_open()?;
        let appended = self.append_open(&mut writer, batch);
        let failed = writer.state != State::Open;
        drop(writer);
        if failed {
            self.progress.alarm();
        }
        appended
    }

    fn append_open(&self, writer: &mut Writer, batch: &[Record]) -> Result<Appended, AppendError> {
        let first = writer.next_offset;
        if batch.is_empty() {
            return Ok(Appended { first, due: None });
        }
        let bytes = self.admit(writer, batch)?;
        if !writer.is_empty() && writer.position + bytes > self.options.segment_bytes {
            self.rotate(writer);
        }
        writer.buffer.reserve(bytes as usize);
        let encoded = self.encode(writer, batch);
        let written = self.write(writer);
        let written_bytes = writer.buffer.len() as u64;
        writer.buffer.clear();
        writer.buffer.shrink_to(BUFFER_KEPT_BYTES);
        written?;
        writer.full = false;
        writer.position += written_bytes;
        writer.written_bytes += written_bytes;
        writer.last_time = encoded.last_time;
        writer.next_offset += batch.len() as u64;
        writer.active.note(&encoded.index);
        writer.active.set_length(writer.position);
        self.end.store(writer.next_offset, Ordering::Release);
        Ok(Appended { first, due: self.arrange_sync(writer) })
    }

    /// The bytes that a batch takes, if it may be taken.
    fn admit(&self, writer: &Writer, batch: &[Record]) -> Result<u64, AppendError> {
        let limit = self.options.record_limit_bytes;
        let mut bytes = (batch.len() * FRAME_OVERHEAD_BYTES) as u64;
        for record in batch {
            let found = record.size_bytes();
            if found > limit {
                return Err(AppendError::TooLarge { found, limit });
            }
            bytes += found;
        }
        let (unsynced, limit) = (self.unsynced_bytes(writer), self.options.unsynced_limit_bytes);
        // A batch larger than the limit must get through when there is nothing before it.
        if self.options.fsync != Fsync::None && unsynced > 0 && unsynced + bytes > limit {
            return Err(AppendError::Busy { unsynced, limit });
        }
        Ok(bytes)
    }

    pub(super) fn unsynced_bytes(&self, writer: &Writer) -> u64 {
        writer.written_bytes - writer.synced_bytes
    }

    /// Seals the active segment and begins another.
    ///
    /// Where that fails, the active segment stays and grows beyond its size. Nothing is lost by that,
    /// and the next append tries again.
    pub(super) fn rotate(&self, writer: &mut Writer) {
        let header = Header {
            marker: self.storage.random().max(1),
            base: writer.next_offset,
            time_before: writer.last_time,
            durable: self.durable.load(Ordering::Acquire),
        };
        match Segment::create(&*self.storage, &self.directory, header) {
            Ok(segment) => {
                let segment = Arc::new(segment);
                self.chain.push(Arc::clone(&segment));
                self.cut_off_room(writer);
                writer.sealed.push(std::mem::replace(&mut writer.active, segment));
                writer.position = HEADER_BYTES as u64;
                writer.room_end = writer.position;
                writer.sealed_bytes = writer.written_bytes;
                writer.directory_changed = true;
            }
            Err(error) => {
                tracing::warn!(topic = self.topic, %error, "could not begin a segment");
            }
        }
    }

    /// Makes the file as long as its frames. Nothing depends on it.
    pub(super) fn cut_off_room(&self, writer: &mut Writer) {
        if writer.room_end > writer.position {
            let file = writer.active.hold(&*self.storage);
            if file.and_then(|file| file.truncate(writer.position)).is_ok() {
                writer.room_end = writer.position;
            }
        }
    }

    fn encode(&self, writer: &mut Writer, batch: &[Record]) -> Encoded {
        let marker = writer.active.header.map_or(0, |header| header.marker);
        let durable = self.durable.load(Ordering::Acquire);
        let mut encoded = Encoded { last_time: writer.last_time, index: Vec::new() };
        let mut next_note = 0;
        for (record, offset) in batch.iter().zip(writer.next_offset..) {
            let position = writer.position + writer.buffer.len() as u64;
            let time = encoded.last_time.max(record.time);
            if position >= next_note {
                encoded.index.push(IndexEntry { offset, time, position });
                next_note = position + INDEX_STEP_BYTES;
            }
            frame::encode(&mut writer.buffer, marker, Place { offset, durable }, time, record);
            encoded.last_time = time;
        }
        encoded
    }

    /// Writes the buffer behind the last frame, or leaves no trace of it.
    fn write(&self, writer: &mut Writer) -> Result<(), AppendError> {
        let written = writer.active.hold(&*self.storage).and_then(|file| {
            writer.make_room(&*file, writer.buffer.len() as u64);
            file.write_at(writer.position, &writer.buffer)
        });
        let Err(error) = written else { return Ok(()) };
        if let Err(undo) = self.undo_write(writer) {
            let reason = format!("a write failed: {error}; undoing it failed: {undo}");
            return Err(self.poison(writer, reason));
        }
        if is_full(&error) {
            if !writer.full {
                tracing::error!(topic = self.topic, "found the disk full");
            }
            writer.full = true;
            return Err(AppendError::Full);
        }
        Err(self.poison(writer, format!("a write failed: {error}")))
    }

    /// Cuts off what a failed write has left.
    fn undo_write(&self, writer: &mut Writer) -> io::Result<()> {
        let file = writer.active.hold(&*self.storage)?;
        if file.len()? > writer.position {
            file.truncate(writer.position)?;
            // What is written here next must not meet the rest of what was refused.
            file.sync()?;
            writer.room_end = writer.position;
        }
        Ok(())
    }
}

/// What is known of a batch when it is encoded.
struct Encoded {
    last_time: Time,
    index: Vec<IndexEntry>,
}
