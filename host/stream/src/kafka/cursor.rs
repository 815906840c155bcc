//! The part of a partition that is read ahead: a window of records, without clients or clocks.
//!
//! Offsets have gaps, where transactions begin and end and where records were given up. So a window
//! knows up to where it has seen everything, beside what it holds.

use std::collections::VecDeque;

use crate::{ReadLimit, StoredRecord};

/// What a record is taken to cost beside its bytes.
const OVERHEAD_BYTES: usize = 64;

/// What is held of a partition.
#[derive(Default)]
pub(crate) struct Cursor {
    records: VecDeque<StoredRecord>,
    bytes: usize,
    /// The bytes of those that nobody has read.
    unread_bytes: usize,
    /// The first offset that is covered.
    begin: u64,
    /// The first offset that is not covered.
    position: u64,
    /// The first offset that nobody has read.
    read_to: u64,
    pub(crate) state: State,
}

/// What a client does for a cursor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum State {
    /// Nobody has ever read, or nobody does any more.
    #[default]
    Closed,
    /// It is wanted, and no record of it has come yet.
    Ordered,
    /// More records come.
    Open,
    /// There were enough, and it goes on when some are read.
    Full,
}

fn cost(stored: &StoredRecord) -> usize {
    stored.record.size_bytes() as usize + OVERHEAD_BYTES
}

impl Cursor {
    pub(crate) fn covers(&self, from: u64) -> bool {
        self.state != State::Closed && (self.begin..=self.position).contains(&from)
    }

    pub(crate) fn begin(&self) -> u64 {
        self.begin
    }

    pub(crate) fn position(&self) -> u64 {
        self.position
    }

    pub(crate) fn has_unread(&self) -> bool {
        self.unread_bytes > 0
    }

    /// Is to begin anew at an offset, with nothing.
    pub(crate) fn order(&mut self, from: u64) {
        *self = Self {
            begin: from,
            position: from,
            read_to: from,
            state: State::Ordered,
            ..Self::default()
        };
    }

    /// Records come from this offset on now, if that is what was ordered last.
    pub(crate) fn open(&mut self, from: u64) {
        if self.state == State::Ordered && self.position == from {
            self.state = State::Open;
        }
    }

    /// Takes in what the client found. What is covered already is left out.
    pub(crate) fn push(&mut self, stored: StoredRecord) -> bool {
        if self.state != State::Open || stored.offset < self.position {
            return false;
        }
        self.position = stored.offset + 1;
        let bytes = cost(&stored);
        (self.bytes, self.unread_bytes) = (self.bytes + bytes, self.unread_bytes + bytes);
        self.records.push_back(stored);
        true
    }

    /// Notes that the client has seen everything up to an offset.
    pub(crate) fn pass(&mut self, position: u64) -> bool {
        let is_news = self.state == State::Open && position > self.position;
        if is_news {
            self.position = position;
        }
        is_news
    }

    /// The records from a covered offset on. What lies far behind is let go.
    pub(crate) fn take(
        &mut self,
        from: u64,
        limit: ReadLimit,
        kept_bytes: usize,
    ) -> Vec<StoredRecord> {
        while self.bytes - self.unread_bytes > kept_bytes
            && self.records.front().is_some_and(|oldest| oldest.offset < from.min(self.read_to))
        {
            if let Some(oldest) = self.records.pop_front() {
                self.bytes -= cost(&oldest);
                self.begin = oldest.offset + 1;
            }
        }
        let first = self.records.partition_point(|stored| stored.offset < from);
        let mut bytes = 0;
        let within = |stored: &&StoredRecord| {
            let is_first = bytes == 0;
            bytes += cost(stored);
            is_first || bytes <= limit.bytes
        };
        let found = self.records.range(first..).take(limit.records.max(1)).take_while(within);
        let found: Vec<_> = found.cloned().collect();
        if let Some(last) = found.last() {
            let read = found.iter().filter(|stored| stored.offset >= self.read_to);
            self.unread_bytes -= read.map(cost).sum::<usize>();
            self.read_to = self.read_to.max(last.offset + 1);
        }
        found
    }

    pub(crate) fn unread_bytes(&self) -> usize {
        self.unread_bytes
    }
}

#[cfg(test)]
mod tests {
    use message::Time;

    use super::*;
    use crate::Record;

    const ALL: ReadLimit = ReadLimit { records: usize::MAX, bytes: usize::MAX };

    fn stored(offset: u64) -> StoredRecord {
        StoredRecord { offset, record: Record::new(Time::EPOCH, vec![0; 36]) }
    }

    fn at(from: u64, offsets: &[u64]) -> Cursor {
        let mut cursor = Cursor::default();
        cursor.order(from);
        assert!(!cursor.push(stored(from + 1000)) && !cursor.pass(from + 1000));
        cursor.open(from + 1);
        cursor.open(from);
        for &offset in offsets {
            assert!(cursor.push(stored(offset)));
        }
        cursor
    }

    fn take(cursor: &mut Cursor, from: u64, limit: ReadLimit) -> Vec<u64> {
        cursor.take(from, limit, 0).into_iter().map(|stored| stored.offset).collect()
    }

    #[test]
    fn gaps_are_covered() {
        let mut cursor = at(3, &[3, 6, 7]);
        assert!(cursor.covers(3) && cursor.covers(5) && cursor.covers(8) && !cursor.covers(9));
        assert_eq!(take(&mut cursor, 4, ALL), [6, 7]);
        assert!(cursor.pass(10) && !cursor.pass(9));
        assert!(take(&mut cursor, 8, ALL).is_empty());
        assert_eq!(cursor.position(), 10);
    }

    #[test]
    fn what_was_read_is_let_go_and_what_was_not_is_kept() {
        let mut cursor = at(0, &[0, 1, 2, 3]);
        let two = ReadLimit { records: 2, bytes: usize::MAX };
        assert_eq!(take(&mut cursor, 0, two), [0, 1]);
        assert_eq!((cursor.unread_bytes(), cursor.begin()), (200, 0));
        assert_eq!(take(&mut cursor, 2, ReadLimit { records: 9, bytes: 150 }), [2]);
        assert_eq!((cursor.unread_bytes(), cursor.begin()), (100, 2));
        assert!(!cursor.covers(1));
        assert_eq!(take(&mut cursor, 2, ALL), [2, 3]);
        assert!(!cursor.has_unread());
    }

    #[test]
    fn what_comes_late_from_before_is_left_out() {
        let mut cursor = at(5, &[5]);
        assert!(!cursor.push(stored(5)) && !cursor.push(stored(4)));
        cursor.state = State::Closed;
        assert!(!cursor.push(stored(6)) && !cursor.covers(5));
    }
}
