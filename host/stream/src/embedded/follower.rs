//! A topic that another process may be writing, to read only.
//!
//! It changes no file and takes no lock. What it sees is what the files hold, synced or not; where
//! they are not whole, it stops and looks again. Since no one tells it of new records, [`wait`]
//! looks at the files now and then: this is for tools, not for hosts.
//!
//! [`wait`]: Partition::wait

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use message::Time;
use parking_lot::Mutex;

use super::chain::Chain;
use super::checkpoint::Checkpoint;
use super::recovery::segment_bases;
use super::scan::{Damage, Found, Scan};
use super::segment::{HEADER_BYTES, Index, IndexEntry, Segment};
use super::storage::Storage;
use crate::progress::Progress;
use crate::{
    AppendError, Health, OpenError, Partition, ReadError, ReadLimit, Record, StoredRecord,
    Subscription, Watermarks,
};

const LOOK_AGAIN: Duration = Duration::from_millis(50);

/// A topic that is only read.
pub(super) struct Follower {
    topic: String,
    directory: PathBuf,
    storage: Arc<dyn Storage>,
    chain: Chain,
    tail: Mutex<Tail>,
    progress: Arc<Progress>,
}

/// How far the last segment was looked at.
#[derive(Debug, Clone, Copy)]
struct Tail {
    position: u64,
    offset: u64,
}

impl Follower {
    pub(super) fn open(
        storage: Arc<dyn Storage>,
        topic: &str,
        directory: PathBuf,
    ) -> Result<Self, OpenError> {
        let io = |source| OpenError::io(&directory, source);
        let bases = segment_bases(&*storage, &directory).map_err(io)?;
        let Some(&last) = bases.last() else {
            return Err(OpenError::UnknownTopic { found: topic.to_owned() });
        };
        let open = |base| Segment::open(&*storage, &directory, base).map(Arc::new);
        let segments = bases.into_iter().map(open).collect::<Result<Vec<_>, _>>()?;
        let follower = Self {
            topic: topic.to_owned(),
            chain: Chain::new(Arc::clone(&storage), segments),
            progress: Arc::new(Progress::starting_at(last)),
            tail: Mutex::new(Tail { position: HEADER_BYTES as u64, offset: last }),
            storage,
            directory: directory.clone(),
        };
        follower.begin_segment();
        follower.look()?;
        Ok(follower)
    }

    /// Makes the last segment searchable while it grows.
    fn begin_segment(&self) {
        if let Some(last) = self.chain.segments().last() {
            last.set_index(Index::default());
        }
    }

    /// Looks for what is new.
    fn look(&self) -> Result<(), OpenError> {
        let io = |source| OpenError::io(&self.directory, source);
        let mut tail = self.tail.lock();
        loop {
            self.look_at_last(&mut tail).map_err(io)?;
            let bases = segment_bases(&*self.storage, &self.directory).map_err(io)?;
            let segments = self.chain.segments();
            self.chain.forget_below(bases.first().copied().unwrap_or(0));
            let known = segments.last().map_or(0, |last| last.base);
            let Some(&next) = bases.iter().find(|&&base| base > known) else { break };
            let segment = Segment::open(&*self.storage, &self.directory, next)?;
            if segment.header.is_none() {
                // It is just being made.
                break;
            }
            // Whoever made the next segment was done with this one, but perhaps not when it was looked at.
            self.look_at_last(&mut tail).map_err(io)?;
            self.chain.push(Arc::new(segment));
            self.begin_segment();
            *tail = Tail { position: HEADER_BYTES as u64, offset: next };
        }
        self.progress.advance(tail.offset);
        Ok(())
    }

    /// Steps over the whole frames at the end of the last segment.
    fn look_at_last(&self, tail: &mut Tail) -> io::Result<()> {
        let segments = self.chain.segments();
        let Some((last, header)) = segments.last().and_then(|last| Some((last, last.header?)))
        else {
            return Ok(());
        };
        let file = last.file(&*self.storage)?;
        let length = file.len()?;
        last.set_length(length);
        let mut scan = Scan::new(&*file, header.marker, length, (tail.position, tail.offset));
        loop {
            match scan.step()? {
                Found::Frame(frame) => {
                    let (offset, time) = (frame.place.offset, frame.time);
                    last.note(&[IndexEntry { offset, time, position: tail.position }]);
                }
                // What was synced is not being written: readers come to it, and are told.
                Found::Damage(Damage { next: Some(next), .. }) if next <= self.durable() => {}
                Found::Damage(_) | Found::End => return Ok(()),
            }
            *tail = Tail { position: scan.position(), offset: scan.offset() };
        }
    }

    /// Up to where the writer has synced, by what it left for its next life.
    fn durable(&self) -> u64 {
        Checkpoint::load(&*self.storage, &self.directory).unwrap_or_default().durable
    }

    /// Looks for what is new, and leaves it at what is known where that fails.
    fn look_again(&self) -> u64 {
        if let Err(error) = self.look() {
            tracing::warn!(topic = self.topic, %error, "could not look for new records");
        }
        self.progress.readable_end()
    }
}

impl Partition for Follower {
    fn topic(&self) -> &str {
        &self.topic
    }

    fn append(&self, _: &[Record]) -> Result<u64, AppendError> {
        Err(AppendError::ReadOnly)
    }

    fn watermarks(&self) -> Watermarks {
        let end = self.look_again();
        Watermarks { start: self.chain.start(), durable: self.durable().min(end), end }
    }

    fn readable_end(&self) -> u64 {
        self.look_again()
    }

    fn read(&self, from: u64, limit: ReadLimit) -> Result<Vec<StoredRecord>, ReadError> {
        let (end, start) = (self.look_again(), self.chain.start());
        if from < start || from > end {
            return Err(ReadError::OutOfRange { found: from, start, end });
        }
        self.chain.read(from, end, limit)
    }

    fn wait(&self, beyond: u64, timeout: Duration) -> u64 {
        let started = Instant::now();
        loop {
            let end = self.look_again();
            let left = timeout.saturating_sub(started.elapsed());
            if end > beyond || left.is_zero() {
                return end;
            }
            std::thread::sleep(left.min(LOOK_AGAIN));
        }
    }

    fn subscribe(&self, waker: Arc<dyn Fn(u64) + Send + Sync>) -> Subscription {
        self.progress.subscribe(waker)
    }

    fn offset_at(&self, time: Time) -> Result<u64, ReadError> {
        let end = self.look_again();
        self.chain.offset_at(time, end)
    }

    fn commit(&self, _: &str, _: u64) -> Result<(), AppendError> {
        Err(AppendError::ReadOnly)
    }

    fn committed(&self, reader: &str) -> Option<u64> {
        Checkpoint::load(&*self.storage, &self.directory).ok()?.readers.committed(reader)
    }

    fn reset(&self, _: &str, _: u64) -> Result<(), AppendError> {
        Err(AppendError::ReadOnly)
    }

    fn forget(&self, _: &str) -> Result<(), AppendError> {
        Err(AppendError::ReadOnly)
    }

    fn readers(&self) -> Vec<(String, u64)> {
        let checkpoint = Checkpoint::load(&*self.storage, &self.directory);
        checkpoint.map_or_else(|_| Vec::new(), |checkpoint| checkpoint.readers.to_vec())
    }

    fn retain(&self, _: Time) -> Result<u64, AppendError> {
        Err(AppendError::ReadOnly)
    }

    fn health(&self) -> Health {
        match self.chain.damaged() {
            0 => Health::Ready,
            segments => Health::Damaged { segments },
        }
    }

    fn size_bytes(&self) -> u64 {
        self.chain.size_bytes()
    }

    fn sync(&self) -> Result<(), AppendError> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conformance::{PATIENCE, append, numbers, read_all, small_segments};
    use crate::{EmbeddedStream, Fsync, Retention, Stream, TopicOptions};

    #[test]
    fn a_follower_sees_what_another_stream_writes_and_changes_nothing() {
        let directory = tempfile::tempdir().unwrap();
        let stream = EmbeddedStream::open(directory.path()).unwrap();
        let retention = Retention { bytes: Some(0), ..Retention::default() };
        let options = TopicOptions { fsync: Fsync::None, retention, ..small_segments() };
        let topic = stream.open("topic", &options).unwrap();
        append(&*topic, 0..30);
        topic.commit("reader", 7).unwrap();

        let beside = EmbeddedStream::open_read_only(directory.path()).unwrap();
        assert_eq!(beside.topics().unwrap(), ["topic"]);
        let followed = beside.open("topic", &TopicOptions::default()).unwrap();
        assert_eq!(read_all(&*followed, 0, ReadLimit::default()), numbers(0..30));
        assert_eq!(followed.committed("reader"), Some(7));
        assert_eq!(followed.append(&numbers(0..1)), Err(AppendError::ReadOnly));
        assert_eq!(followed.commit("reader", 9), Err(AppendError::ReadOnly));

        append(&*topic, 30..90);
        assert_eq!(followed.wait(89, Duration::ZERO), 90);
        assert_eq!(read_all(&*followed, 20, ReadLimit::default()), numbers(20..90));
        for number in [0, 29, 60, 89] {
            assert_eq!(followed.offset_at(Time::from_us(number * 10)).unwrap(), number);
        }

        topic.commit("reader", 90).unwrap();
        let start = topic.retain(Time::EPOCH).unwrap();
        assert!(start > 0);
        assert_eq!(followed.watermarks().start, start);
        assert!(matches!(
            followed.read(0, ReadLimit::default()),
            Err(ReadError::OutOfRange { .. })
        ));
        append(&*topic, 90..95);
        assert_eq!(read_all(&*followed, start, ReadLimit::default()), numbers(start..95));
    }

    #[test]
    fn a_follower_never_overlooks_what_was_written_before_the_next_segment() {
        const RECORDS: u64 = 3_000;
        let directory = tempfile::tempdir().unwrap();
        let stream = EmbeddedStream::open(directory.path()).unwrap();
        let options = TopicOptions { fsync: Fsync::None, ..small_segments() };
        let topic = stream.open("topic", &options).unwrap();
        let beside = EmbeddedStream::open_read_only(directory.path()).unwrap();
        let followed = beside.open("topic", &options).unwrap();
        let writer = std::thread::spawn(move || {
            for number in 0..RECORDS {
                append(&*topic, number..number + 1);
            }
        });
        let mut next = 0;
        while next < RECORDS {
            for stored in followed.read(next, ReadLimit::default()).unwrap() {
                assert_eq!(stored.offset, next);
                next += 1;
            }
        }
        writer.join().unwrap();
    }

    #[test]
    fn a_follower_waits_until_there_is_more() {
        let directory = tempfile::tempdir().unwrap();
        let stream = EmbeddedStream::open(directory.path()).unwrap();
        let topic = stream.open("topic", &small_segments()).unwrap();
        let beside = EmbeddedStream::open_read_only(directory.path()).unwrap();
        let followed = beside.open("topic", &small_segments()).unwrap();
        assert_eq!(followed.wait(0, Duration::from_millis(1)), 0);
        let waiter = std::thread::spawn(move || followed.wait(0, PATIENCE));
        append(&*topic, 0..1);
        assert_eq!(waiter.join().unwrap(), 1);
    }

    #[test]
    fn a_frame_that_is_being_written_is_not_there_yet() {
        let directory = tempfile::tempdir().unwrap();
        let stream = EmbeddedStream::open(directory.path()).unwrap();
        let topic = stream.open("topic", &TopicOptions::default()).unwrap();
        append(&*topic, 0..10);
        drop((topic, stream));
        let file = directory.path().join("topic/00000000000000000000.log");
        let whole = std::fs::read(&file).unwrap();
        std::fs::write(&file, &whole[..whole.len() - 5]).unwrap();
        let beside = EmbeddedStream::open_read_only(directory.path()).unwrap();
        let followed = beside.open("topic", &small_segments()).unwrap();
        assert_eq!(followed.readable_end(), 9);
        assert_eq!(read_all(&*followed, 0, ReadLimit::default()), numbers(0..9));
        std::fs::write(&file, whole).unwrap();
        assert_eq!(followed.readable_end(), 10);
        assert_eq!(read_all(&*followed, 9, ReadLimit::default()), numbers(9..10));
    }

    #[test]
    fn damage_to_what_was_synced_is_told_of_and_what_is_behind_it_can_be_read() {
        let directory = tempfile::tempdir().unwrap();
        let stream = EmbeddedStream::open(directory.path()).unwrap();
        let topic = stream.open("topic", &TopicOptions::default()).unwrap();
        append(&*topic, 0..10);
        topic.sync().unwrap();
        drop((topic, stream));
        let file = directory.path().join("topic/00000000000000000000.log");
        let mut content = std::fs::read(&file).unwrap();
        let middle = content.len() / 2;
        content[middle] ^= 1;
        std::fs::write(&file, content).unwrap();
        let beside = EmbeddedStream::open_read_only(directory.path()).unwrap();
        let followed = beside.open("topic", &small_segments()).unwrap();
        assert_eq!(followed.readable_end(), 10);
        let before = followed.read(0, ReadLimit::default()).unwrap().len() as u64;
        let told = followed.read(before, ReadLimit::default());
        let Err(ReadError::Corrupt { offset, next, .. }) = told else { panic!("{told:?}") };
        assert_eq!((offset, next), (before, before + 1));
        assert_eq!(read_all(&*followed, next, ReadLimit::default()), numbers(next..10));
    }

    #[test]
    fn a_topic_that_is_not_there_is_not_made() {
        let directory = tempfile::tempdir().unwrap();
        let beside = EmbeddedStream::open_read_only(directory.path()).unwrap();
        let opened = beside.open("topic", &TopicOptions::default());
        assert!(matches!(opened, Err(OpenError::UnknownTopic { .. })));
        assert_eq!(beside.topics().unwrap(), [""; 0]);
    }
}
