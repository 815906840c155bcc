//! One partition of requests, as long as it is this host's: what of it is open, what is answered and
//! not kept yet, and how far it is done.
//!
//! A driver has one strand where nobody shares the stream, and one for each partition that it owns
//! where others do. The mailboxes are the machine's, and there is one machine for all strands.

mod outgoing;
mod remembered;

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use message::record::header;
use message::{RequestId, Time};
use rendezvous::watermark::Watermark;
use stream::{AppendError, Headers, Partition, Record, Source};

use self::outgoing::Outgoing;
use self::remembered::Remembered;
use super::order::Order;
use super::sharing::{Claim, Exact, Passing, Takeover};
use super::{REMEMBERED_IDS, Unopened};
use crate::drivers::recovery::Recovery;
use crate::endpoint::{Answered, Endpoint, Recovered, Reply};

/// How long a full disk is left alone between two tries.
const RETRY_FULL_AFTER: Duration = Duration::from_millis(100);

/// The requests of one partition.
pub(super) struct Strand {
    /// Which no other strand has or had: a partition that comes back is another strand.
    pub(super) number: u64,
    pub(super) source: Source,
    pub(super) answers: Arc<dyn Partition>,
    pub(super) scored: Arc<dyn Partition>,
    /// In the topic, and not open yet: not durable, or no mailbox is free.
    pub(super) unopened: VecDeque<Unopened>,
    pub(super) watermark: Watermark<u64>,
    /// The lowest offset that was not done when that was committed last.
    pub(super) committed: u64,
    pub(super) remembered: Remembered,
    /// Answers that wait for others of their key.
    pub(super) order: Order,
    /// Answers of this turn, and those that there was no room for.
    pub(super) unwritten: Vec<Unwritten>,
    /// Answers that were handed in and that readers cannot see yet.
    pub(super) unsettled: VecDeque<Unsettled>,
    /// Copies for other topics and dead letters that were handed in and that readers cannot see yet, by
    /// topics.
    pub(super) outgoing: HashMap<String, Outgoing>,
    /// Records that are no requests, with their offsets, until they are handed in.
    pub(super) letters: Vec<(u64, Record)>,
    /// Callers who came again, with the offsets of the answers that they get.
    pub(super) repeated: Vec<(u64, Reply)>,
    /// Scores of this turn.
    pub(super) scores: Vec<Record>,
    /// What is held back until it is written together.
    pub(super) exact: Exact,
    /// When answers that there was no room for are tried again.
    pub(super) retry_due: Option<Instant>,
    /// Which gain of the partition it is, where the stream is shared.
    pub(super) tenure: Option<u64>,
    /// What its answers bear, where the stream is shared.
    pub(super) epoch: Option<Epoch>,
    /// Whether there may be more to take.
    pub(super) readable: bool,
    /// Whether it goes to somebody else: nothing is taken any more.
    pub(super) is_leaving: bool,
    /// Whether it may be somebody else's: until that is known, nothing is taken and nothing told.
    pub(super) is_doubted: bool,
    /// The first offset that is to be taken.
    pub(super) from: u64,
    /// Below which requests may have been answered by who had the partition before.
    pub(super) reread_until: u64,
    /// Where answers from now on can be at the earliest.
    pub(super) answers_floor: u64,
    /// The same for requests that may have been answered before.
    answers_before: u64,
    /// The fences among the answers, the oldest first, as far as they are known.
    pub(super) fences: Vec<u64>,
    /// What is passed over of a source whose records are answers.
    pub(super) passing: Option<Passing>,
    /// When the first record of it was made, if any was taken.
    pub(super) since: Option<Time>,
}

/// The gain of a partition, as answers to its requests bear it.
pub(super) struct Epoch {
    pub(super) offset: u64,
    source: String,
    text: String,
}

impl Epoch {
    /// What stands on the answer to the request at an offset.
    pub(super) fn headers(&self, headers: Headers, offset: u64) -> Headers {
        headers
            .with(header::REQUEST_SOURCE, &self.source)
            .with(header::REQUEST_OFFSET, offset.to_string())
            .with(header::EPOCH, &self.text)
    }
}

/// An answer on its way to the topic.
pub(super) struct Unwritten {
    pub(super) record: Record,
    /// The offset of the request.
    pub(super) offset: u64,
    /// The plain topics that it goes to as well, until it has been written to them.
    pub(super) return_to: Vec<String>,
    pub(super) answered: Answered,
    pub(super) replies: Vec<Reply>,
    pub(super) remember: Option<RequestId>,
}

/// An answer with the ticket that the topic gave for it.
pub(super) struct Unsettled {
    pub(super) ticket: u64,
    pub(super) unwritten: Unwritten,
}

/// How many answered ids are remembered of each partition that is taken over.
pub(super) fn share_of_ids(endpoint: &Endpoint) -> usize {
    (REMEMBERED_IDS / endpoint.journal.requests.len().max(1)).max(1024)
}

impl Strand {
    /// The only strand of a stream that nobody shares, with what an earlier life left behind.
    pub(super) fn own(endpoint: &Endpoint, recovery: Recovery) -> (Self, Vec<Recovered>) {
        let journal = &endpoint.journal;
        let source = Source { topic: journal.requests[0].topic().into(), partition: 0 };
        let (answers, scored) = (journal.answers_to(&source), journal.scores_of(&source));
        let (answers, scored) = (Arc::clone(answers), Arc::clone(scored));
        let mut strand = Self::new(0, source, answers, scored, recovery.committed);
        for (id, offset) in recovery.answered {
            strand.remembered.insert(id, Some(offset));
        }
        for left in &recovery.unanswered {
            strand.watermark.open(left.offset, recovery.answers_from);
        }
        (strand, recovery.unanswered)
    }

    /// The strand of a partition that was taken over.
    pub(super) fn shared(endpoint: &Endpoint, claim: Claim, taken: Takeover) -> Self {
        let journal = &endpoint.journal;
        let Claim { strand, source, tenure } = claim;
        let (answers, scored) = (journal.answers_to(&source), journal.scores_of(&source));
        let (answers, scored) = (Arc::clone(answers), Arc::clone(scored));
        let from = taken.committed.unwrap_or(0);
        let mut strand = Self::new(strand, source, answers, scored, from);
        let share = share_of_ids(endpoint);
        // What was found must stay until the requests have been read again.
        strand.remembered = Remembered::new(share.max(taken.found.ids.len()));
        for (id, offset) in taken.found.ids {
            // Of several answers to one id the first is the official one.
            if strand.remembered.offset_of(&id).is_none() {
                strand.remembered.insert(id, Some(offset));
            }
        }
        strand.tenure = tenure;
        strand.epoch = Some(Epoch {
            offset: taken.epoch,
            source: strand.source.to_string(),
            text: taken.epoch.to_string(),
        });
        strand.readable = true;
        strand.reread_until = taken.found.requests_end;
        strand.answers_floor = taken.epoch;
        strand.answers_before = taken.found.answers_from;
        strand.fences = taken.found.fences;
        strand.passing = Passing::of(&strand.source, taken.passed);
        strand
    }

    fn new(
        number: u64,
        source: Source,
        answers: Arc<dyn Partition>,
        scored: Arc<dyn Partition>,
        committed: u64,
    ) -> Self {
        Self {
            number,
            source,
            answers,
            scored,
            unopened: VecDeque::new(),
            watermark: Watermark::new(committed),
            committed,
            remembered: Remembered::new(REMEMBERED_IDS),
            order: Order::default(),
            unwritten: Vec::new(),
            unsettled: VecDeque::new(),
            outgoing: HashMap::new(),
            letters: Vec::new(),
            repeated: Vec::new(),
            scores: Vec::new(),
            exact: Exact::default(),
            retry_due: None,
            tenure: None,
            epoch: None,
            readable: false,
            is_leaving: false,
            is_doubted: false,
            from: committed,
            reread_until: 0,
            answers_floor: 0,
            answers_before: 0,
            fences: Vec::new(),
            passing: None,
            since: None,
        }
    }

    /// Whether everything that was accepted and opened is answered, and readers can see it.
    pub(super) fn is_settled(&self) -> bool {
        self.unopened.is_empty()
            && self.unwritten.is_empty()
            && self.unsettled.is_empty()
            && self.repeated.is_empty()
            && self.letters.is_empty()
            && self.outgoing.is_empty()
            && self.exact.is_settled(self.done(), self.is_leaving)
    }

    /// Whether requests can be taken from the group for it.
    pub(super) fn may_take(&self) -> bool {
        self.readable
            && !(self.is_leaving || self.is_doubted)
            && self.retry_due.is_none()
            && self.letters.is_empty()
    }

    /// Has an answer leave after those to earlier requests with its key.
    pub(super) fn pass_in_order(&mut self, key: &Bytes, unwritten: Unwritten) {
        self.order.pass(key, unwritten.offset, unwritten, &mut self.unwritten);
    }

    /// Opens an offset that was taken.
    pub(super) fn take_note(&mut self, offset: u64) {
        let is_reread = offset < self.reread_until;
        let mark = if is_reread { self.answers_before } else { self.answers_floor };
        self.watermark.open(offset, mark);
    }

    /// The answer of a ticket has been kept.
    pub(super) fn note_settled(&mut self, ticket: u64, id: Option<RequestId>) {
        if self.epoch.is_none() {
            return;
        }
        self.note_kept(self.answers.offset_of(ticket), id);
    }

    /// An answer has been kept, at this offset if that is known.
    pub(super) fn note_kept(&mut self, offset: Option<u64>, id: Option<RequestId>) {
        if let Some(offset) = offset {
            self.answers_floor = self.answers_floor.max(offset + 1);
        }
        if let Some(id) = id {
            self.remembered.insert(id, offset);
        }
    }

    /// It has been committed that it is done up to an offset.
    pub(super) fn note_committed(&mut self, offset: u64) {
        self.committed = offset;
        self.passing.iter_mut().for_each(|passing| passing.forget_before(offset));
    }

    /// The lowest offset that is not done.
    pub(super) fn done(&self) -> u64 {
        self.watermark.lowest()
    }

    /// Where the answers to what is not done can be at the earliest.
    pub(super) fn answers_from(&self) -> u64 {
        self.watermark.lowest_mark().unwrap_or_else(|| match self.epoch {
            Some(_) => self.answers_floor,
            None => self.answers.readable_end(),
        })
    }

    /// Whether answers wait because there was no room for them lately.
    pub(super) fn must_wait(&self) -> bool {
        self.retry_due.is_some_and(|due| due > Instant::now())
    }

    /// Leaves answers for another try.
    pub(super) fn try_again_later(&mut self) {
        self.retry_due = Some(Instant::now() + RETRY_FULL_AFTER);
    }

    /// Hands in the answers that wait, with one write.
    pub(super) fn submit_answers(&mut self) -> Result<(), AppendError> {
        if self.exact.is_on {
            self.hold_answers();
            return Ok(());
        }
        let records: Vec<_> = self.unwritten.iter().map(|it| it.record.clone()).collect();
        let first = self.answers.submit(&records)?;
        self.retry_due = None;
        let is_shared = self.epoch.is_some();
        for (ticket, unwritten) in (first..).zip(self.unwritten.drain(..)) {
            if let Some(id) = &unwritten.remember {
                // Where nobody shares the stream, a ticket is an offset.
                self.remembered.insert(id.clone(), (!is_shared).then_some(ticket));
            }
            self.unsettled.push_back(Unsettled { ticket, unwritten });
        }
        Ok(())
    }

    /// Keeps a score of the request at an offset, to be handed in.
    pub(super) fn keep_score(&mut self, offset: u64, score: Record) {
        match self.exact.is_on {
            true => self.exact.hold_score(offset, score),
            false => self.scores.push(score),
        }
    }

    /// Everybody who waits for an answer that is made already.
    pub(super) fn take_replies(&mut self) -> impl Iterator<Item = Reply> {
        let unsettled = self.unsettled.drain(..).flat_map(|it| it.unwritten.replies);
        unsettled.chain(self.repeated.drain(..).map(|(_, reply)| reply))
    }
}
