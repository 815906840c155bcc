//! The partitions of a topic, read together in the order of their records' times.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use crossbeam_channel::{Receiver, bounded};
use message::record::{Fences, Standing};
use stream::{Partition, ReadLimit, StoredRecord, Subscription};

/// How much of a partition is read at once.
const READ_LIMIT: ReadLimit = ReadLimit { records: 1024, bytes: 4 << 20 };
/// How often it is looked again at least.
const LOOK_AGAIN: Duration = Duration::from_millis(500);

/// A record with its partition, and what it counts.
#[derive(Debug)]
pub(super) struct Read {
    pub(super) partition: u32,
    pub(super) standing: Standing,
    pub(super) stored: StoredRecord,
}

/// The partitions of a topic.
pub(super) struct Tails {
    tails: Vec<Tail>,
    /// Whether to go on with what comes.
    follow: bool,
    more: Receiver<()>,
    _subscriptions: Vec<Subscription>,
}

struct Tail {
    partition: Arc<dyn Partition>,
    next: u64,
    fences: Fences,
    waiting: VecDeque<Read>,
}

impl Tails {
    /// Reads each of these from the offset beside it.
    pub(super) fn new(partitions: Vec<(Arc<dyn Partition>, u64)>, follow: bool) -> Self {
        let (sender, more) = bounded(1);
        let subscribe = |(partition, _): &(Arc<dyn Partition>, u64)| {
            let sender = sender.clone();
            // Full means that somebody has told already.
            partition.subscribe(Arc::new(move |_| sender.try_send(()).unwrap_or_default()))
        };
        let subscriptions = partitions.iter().map(subscribe).collect();
        let tail = |(partition, next): (Arc<dyn Partition>, u64)| Tail {
            partition,
            next,
            fences: Fences::default(),
            waiting: VecDeque::new(),
        };
        let tails = partitions.into_iter().map(tail).collect();
        Self { tails, follow, more, _subscriptions: subscriptions }
    }

    /// The next record; none where the end is reached and nothing that comes is wanted.
    pub(super) fn next(&mut self) -> Result<Option<Read>> {
        loop {
            // Reading waits for what has to be there, so a partition without any has none for now.
            self.tails.iter_mut().try_for_each(Tail::fill)?;
            if let Some(read) = self.oldest() {
                return Ok(Some(read));
            }
            if !self.follow {
                return Ok(None);
            }
            // Somebody tells, or it is time to look.
            let _told = self.more.recv_timeout(LOOK_AGAIN);
        }
    }

    fn oldest(&mut self) -> Option<Read> {
        let heads = self.tails.iter().enumerate();
        let times = heads.filter_map(|(index, tail)| {
            tail.waiting.front().map(|read| (read.stored.record.time, index))
        });
        let (_, index) = times.min()?;
        self.tails[index].waiting.pop_front()
    }
}

impl Tail {
    fn fill(&mut self) -> Result<()> {
        if !self.waiting.is_empty() {
            return Ok(());
        }
        let number = self.partition.number();
        for stored in self.partition.read(self.next, READ_LIMIT)? {
            self.next = stored.offset + 1;
            let standing = self.fences.judge(stored.offset, stored.record.headers.iter());
            self.waiting.push_back(Read { partition: number, standing, stored });
        }
        Ok(())
    }
}
