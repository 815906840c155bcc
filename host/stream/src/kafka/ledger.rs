//! What was handed in for one partition and how it fared: tickets, in order, without clients or clocks.
//!
//! A record is sent, and then delivered, failed, or to be sent again. As long as one is to be sent again,
//! none behind it is sent either, and it goes out only when nothing is on its way any more: so records
//! keep their order, whatever happens to single ones.

use std::collections::VecDeque;

use message::Time;

use crate::{AppendError, Record};

/// For how many settled tickets the offset is remembered at least.
const REMEMBERED: u64 = 65_536;

/// How many failures are kept for somebody to take.
const FAILURES_KEPT: usize = 65_536;

/// What a record is taken to cost beside its bytes.
pub(crate) const OVERHEAD_BYTES: u64 = 64;

/// The tickets of a partition.
#[derive(Default)]
pub(crate) struct Ledger {
    /// Every ticket below is settled.
    settled: u64,
    /// The tickets from there on.
    open: VecDeque<Entry>,
    /// How many of these are on their way.
    on_their_way: usize,
    /// How many of these are to be sent.
    to_be_sent: usize,
    /// How many of these are done with, behind one that is not.
    done: usize,
    offsets: VecDeque<Run>,
    failed: VecDeque<(u64, AppendError)>,
    last_time: Time,
    /// Whether each record that is to be sent goes out by itself.
    one_by_one: bool,
    /// The last that went out so.
    alone: Option<u64>,
}

struct Entry {
    record: Record,
    state: State,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    ToBeSent,
    OnItsWay,
    Delivered(u64),
    Failed,
}

/// Tickets in a row that got offsets in a row; no offsets if they failed.
struct Run {
    ticket: u64,
    offset: Option<u64>,
    count: u64,
}

/// What has changed by what became of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Change {
    /// Whether more tickets are settled.
    pub(crate) is_advance: bool,
    /// How many records wait no more.
    pub(crate) records: u64,
    /// What they cost.
    pub(crate) bytes: u64,
}

impl Ledger {
    /// The ticket that the next record gets.
    pub(crate) fn next(&self) -> u64 {
        self.settled + self.open.len() as u64
    }

    pub(crate) fn settled(&self) -> u64 {
        self.settled
    }

    pub(crate) fn is_idle(&self) -> bool {
        self.open.is_empty()
    }

    /// Whether records may be sent as they are handed in: none before them is to be sent again.
    pub(crate) fn may_send(&self) -> bool {
        self.to_be_sent == 0
    }

    /// Whether those that are to be sent can go out now.
    pub(crate) fn may_send_again(&self) -> bool {
        self.to_be_sent > 0 && self.on_their_way == 0
    }

    /// Takes a record in, to be sent. Its time is no earlier than that of the record before it.
    pub(crate) fn take_in(&mut self, record: &Record) -> u64 {
        let ticket = self.next();
        self.last_time = self.last_time.max(record.time);
        let record = Record { time: self.last_time, ..record.clone() };
        self.open.push_back(Entry { record, state: State::ToBeSent });
        self.to_be_sent += 1;
        ticket
    }

    /// The records that are to be sent, from the first on.
    pub(crate) fn unsent(&self, from: u64) -> impl Iterator<Item = (u64, &Record)> {
        let begin = from.saturating_sub(self.settled) as usize;
        let entries = self.open.range(begin.min(self.open.len())..).enumerate();
        let first = self.settled + begin as u64;
        entries
            .filter(|(_, entry)| entry.state == State::ToBeSent)
            .map(move |(index, entry)| (first + index as u64, &entry.record))
    }

    /// What may be sent of a ticket, if it is still open.
    pub(crate) fn record(&self, ticket: u64) -> Option<&Record> {
        self.index(ticket).map(|index| &self.open[index].record)
    }

    pub(crate) fn sent(&mut self, ticket: u64) {
        self.alone = self.one_by_one.then_some(ticket);
        self.change(ticket, State::OnItsWay);
    }

    /// A record has to go out once more, after those that are on their way.
    pub(crate) fn send_again(&mut self, ticket: u64) {
        self.change(ticket, State::ToBeSent);
    }

    /// A record was refused because its batch was too large. Returns whether it has to go out once more,
    /// by itself, because others may have been to blame.
    pub(crate) fn was_too_large(&mut self, ticket: u64) -> bool {
        if self.alone == Some(ticket) {
            return false;
        }
        self.one_by_one = true;
        self.send_again(ticket);
        true
    }

    /// How many records may be sent together.
    pub(crate) fn at_once(&self) -> usize {
        if self.one_by_one { 1 } else { usize::MAX }
    }

    /// Everything that is on its way has to go out once more.
    pub(crate) fn send_all_again(&mut self) {
        for entry in &mut self.open {
            if entry.state == State::OnItsWay {
                entry.state = State::ToBeSent;
            }
        }
        self.to_be_sent += std::mem::take(&mut self.on_their_way);
    }

    pub(crate) fn delivered(&mut self, ticket: u64, offset: u64) -> Change {
        self.change(ticket, State::Delivered(offset));
        self.settle()
    }

    pub(crate) fn failed(&mut self, ticket: u64, error: AppendError) -> Change {
        if self.index(ticket).is_some() {
            self.change(ticket, State::Failed);
            self.failed.push_back((ticket, error));
            if self.failed.len() > FAILURES_KEPT {
                self.failed.pop_front();
            }
        }
        self.settle()
    }

    /// The failures of settled tickets that nobody has taken yet.
    pub(crate) fn take_failed(&mut self) -> Vec<(u64, AppendError)> {
        let settled = self.settled;
        let failed = std::mem::take(&mut self.failed).into_iter();
        let (told, kept): (Vec<_>, Vec<_>) = failed.partition(|&(ticket, _)| ticket < settled);
        self.failed = kept.into();
        told
    }

    /// Takes the first failure of some tickets.
    pub(crate) fn take_failure(&mut self, tickets: std::ops::Range<u64>) -> Option<AppendError> {
        let found = self.failed.iter().position(|(ticket, _)| tickets.contains(ticket))?;
        let error = self.failed.remove(found).map(|(_, error)| error);
        self.failed.retain(|(ticket, _)| !tickets.contains(ticket));
        error
    }

    pub(crate) fn offset_of(&self, ticket: u64) -> Option<u64> {
        let run = self.offsets.partition_point(|run| run.ticket <= ticket).checked_sub(1)?;
        let run = &self.offsets[run];
        let behind = ticket - run.ticket;
        run.offset.filter(|_| behind < run.count).map(|offset| offset + behind)
    }

    fn index(&self, ticket: u64) -> Option<usize> {
        let index = ticket.checked_sub(self.settled)? as usize;
        (index < self.open.len()).then_some(index)
    }

    fn change(&mut self, ticket: u64, state: State) {
        let Some(index) = self.index(ticket) else { return };
        let before = std::mem::replace(&mut self.open[index].state, state);
        *self.count(before) -= 1;
        *self.count(state) += 1;
        self.one_by_one &= self.to_be_sent + self.on_their_way > 0;
    }

    fn count(&mut self, state: State) -> &mut usize {
        match state {
            State::ToBeSent => &mut self.to_be_sent,
            State::OnItsWay => &mut self.on_their_way,
            State::Delivered(_) | State::Failed => &mut self.done,
        }
    }

    fn settle(&mut self) -> Change {
        let mut change = Change::default();
        while let Some(entry) = self.open.front() {
            let offset = match entry.state {
                State::Delivered(offset) => Some(offset),
                State::Failed => None,
                State::ToBeSent | State::OnItsWay => break,
            };
            change.records += 1;
            change.bytes += entry.record.size_bytes() + OVERHEAD_BYTES;
            self.open.pop_front();
            self.done -= 1;
            self.remember(offset);
            self.settled += 1;
        }
        change.is_advance = change.records > 0;
        change
    }

    /// Notes the offset of the ticket that is settled now.
    fn remember(&mut self, offset: Option<u64>) {
        let ticket = self.settled;
        match self.offsets.back_mut() {
            Some(run) if run.offset.map(|first| first + run.count) == offset => run.count += 1,
            _ => self.offsets.push_back(Run { ticket, offset, count: 1 }),
        }
        let is_old = |run: &Run| run.ticket + run.count + REMEMBERED <= ticket;
        while self.offsets.front().is_some_and(is_old) {
            self.offsets.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(count: u64) -> Ledger {
        let mut ledger = Ledger::default();
        for number in 0..count {
            let ticket = ledger.take_in(&Record::new(Time::from_us(number), vec![0; 10]));
            assert_eq!(ticket, number);
            ledger.sent(ticket);
        }
        ledger
    }

    fn refused() -> AppendError {
        AppendError::Refused { reason: "no".to_owned() }
    }

    #[test]
    fn tickets_are_settled_in_order_whatever_is_delivered_first() {
        let mut ledger = with(3);
        assert!(!ledger.delivered(1, 11).is_advance);
        assert_eq!(ledger.settled(), 0);
        let change = ledger.delivered(0, 10);
        assert_eq!((change.records, change.bytes, ledger.settled()), (2, 2 * (10 + 64), 2));
        ledger.delivered(2, 50);
        assert_eq!(
            [0, 1, 2, 3].map(|ticket| ledger.offset_of(ticket)),
            [Some(10), Some(11), Some(50), None]
        );
        assert!(ledger.is_idle());
    }

    #[test]
    fn a_failure_is_told_once_and_only_when_it_is_settled() {
        let mut ledger = with(3);
        ledger.failed(1, refused());
        assert_eq!(ledger.take_failed(), []);
        ledger.delivered(0, 7);
        assert_eq!(ledger.take_failed(), [(1, refused())]);
        assert_eq!(ledger.take_failed(), []);
        ledger.delivered(2, 8);
        assert_eq!([0, 1, 2].map(|ticket| ledger.offset_of(ticket)), [Some(7), None, Some(8)]);
        ledger.failed(2, refused());
        assert_eq!(ledger.take_failed(), []);
    }

    #[test]
    fn what_is_sent_again_waits_for_what_is_on_its_way_and_holds_up_what_comes_behind() {
        let mut ledger = with(3);
        ledger.send_again(1);
        assert!(!ledger.may_send() && !ledger.may_send_again());
        ledger.take_in(&Record::default());
        ledger.delivered(0, 0);
        ledger.send_again(2);
        assert!(ledger.may_send_again());
        let unsent: Vec<_> = ledger.unsent(0).map(|(ticket, _)| ticket).collect();
        assert_eq!(unsent, [1, 2, 3]);
        assert_eq!(ledger.unsent(3).count(), 1);
        for ticket in unsent {
            ledger.sent(ticket);
        }
        assert!(ledger.may_send());
        ledger.send_all_again();
        assert_eq!(ledger.unsent(0).count(), 3);
    }

    #[test]
    fn who_was_too_large_is_found_by_sending_one_by_one() {
        let mut ledger = with(3);
        for ticket in 0..3 {
            assert!(ledger.was_too_large(ticket));
        }
        assert_eq!((ledger.at_once(), ledger.may_send_again()), (1, true));
        ledger.sent(0);
        ledger.delivered(0, 0);
        ledger.sent(1);
        assert!(!ledger.was_too_large(1));
        ledger.failed(1, refused());
        ledger.sent(2);
        ledger.delivered(2, 1);
        assert_eq!((ledger.at_once(), ledger.settled()), (usize::MAX, 3));
        assert_eq!(ledger.take_failed(), [(1, refused())]);
    }

    #[test]
    fn offsets_are_remembered_for_long_and_in_little_space() {
        let mut ledger = with(0);
        for ticket in 0..200_000 {
            ledger.take_in(&Record::default());
            ledger.delivered(ticket, ticket + ticket / 50_000);
        }
        assert_eq!(ledger.offset_of(199_999), Some(200_002));
        assert_eq!(ledger.offset_of(200_000 - REMEMBERED), Some(200_000 - REMEMBERED + 2));
        assert_eq!(ledger.offset_of(10_000), None);
        assert!(ledger.offsets.len() <= 3);
    }

    #[test]
    fn times_never_go_backwards() {
        let mut ledger = Ledger::default();
        for us in [5, 3, 9, 7] {
            ledger.take_in(&Record::new(Time::from_us(us), ""));
        }
        let times = ledger.unsent(0).map(|(_, record)| record.time.as_us());
        assert_eq!(times.collect::<Vec<_>>(), [5, 5, 9, 9]);
    }
}
