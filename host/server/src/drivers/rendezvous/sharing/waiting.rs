//! Callers who wait for what is on a shared stream.
//!
//! On such a stream the host that a caller asked need not be the one that answers. So a caller waits
//! here, by the id of the request, and is told by whoever brings the answer first: this host's own
//! driver, or the replies of another one. Answers of one id are all the same, so the first will do.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use message::{RequestId, Time};

use crate::endpoint::{Answered, Reply, Unanswered};

/// Everybody who waits for an answer from the stream.
pub(super) struct Waiting {
    callers: HashMap<RequestId, Callers>,
    /// When each request is given up.
    dues: BTreeSet<(Time, RequestId)>,
    /// What is handed in and not settled: the partition and the ticket of each request.
    unsettled: BTreeMap<(u32, u64), RequestId>,
    count: usize,
    limit: usize,
}

/// Those who wait for one request.
struct Callers {
    replies: Vec<Reply>,
    due: Time,
}

/// What became of a caller who wants to wait.
pub(super) enum Joined {
    /// It waits, and its request has to go to the stream.
    First,
    /// It waits for a request that is on its way already.
    Others,
    /// So many wait that it cannot.
    Full(Reply),
}

impl Waiting {
    /// Nobody waits; at most `limit` callers may.
    pub(super) fn new(limit: usize) -> Self {
        let (callers, dues, unsettled) = Default::default();
        Self { callers, dues, unsettled, count: 0, limit }
    }

    /// Has a caller wait until `due` for the answer of a request.
    pub(super) fn join(&mut self, id: &RequestId, reply: Reply, due: Time) -> Joined {
        if self.count >= self.limit {
            return Joined::Full(reply);
        }
        self.count += 1;
        if let Some(callers) = self.callers.get_mut(id) {
            callers.replies.push(reply);
            if callers.due < due {
                self.dues.remove(&(callers.due, id.clone()));
                self.dues.insert((due, id.clone()));
                callers.due = due;
            }
            return Joined::Others;
        }
        self.callers.insert(id.clone(), Callers { replies: vec![reply], due });
        self.dues.insert((due, id.clone()));
        Joined::First
    }

    /// Takes note of the ticket under which a request was handed in.
    pub(super) fn handed_in(&mut self, partition: u32, ticket: u64, id: RequestId) {
        self.unsettled.insert((partition, ticket), id);
    }

    /// Whether somebody waits who wants the answer as a value.
    pub(super) fn wants_tensors(&self, id: &RequestId) -> bool {
        self.callers.get(id).is_some_and(|it| it.replies.iter().any(|reply| reply.wants_tensors))
    }

    /// Tells those who wait for a request, and returns how many they were.
    pub(super) fn tell(&mut self, id: &RequestId, said: &Result<Answered, Unanswered>) -> u64 {
        let Some(callers) = self.callers.remove(id) else { return 0 };
        self.dues.remove(&(callers.due, id.clone()));
        self.count -= callers.replies.len();
        let told = callers.replies.len() as u64;
        for reply in callers.replies {
            // Nobody listens where the caller has gone.
            let _gone = reply.send(said.clone());
        }
        told
    }

    /// Tells those whose request was not taken by the stream.
    pub(super) fn failed(&mut self, partition: u32, ticket: u64, why: Unanswered) {
        if let Some(id) = self.unsettled.remove(&(partition, ticket)) {
            self.tell(&id, &Err(why));
        }
    }

    /// Takes note that every request below this ticket is in the partition, or has [failed](Self::failed).
    pub(super) fn settled(&mut self, partition: u32, below: u64) {
        while let Some((&at, _)) = self.unsettled.range((partition, 0)..(partition, below)).next() {
            self.unsettled.remove(&at);
        }
    }

    /// Tells those whose time is up that nobody brought an answer, and returns how many they were.
    pub(super) fn give_up(&mut self, now: Time) -> u64 {
        let mut told = 0;
        while let Some((due, id)) = self.dues.first().filter(|(due, _)| *due <= now).cloned() {
            self.dues.remove(&(due, id.clone()));
            told += self.tell(&id, &Err(Unanswered::NoAnswer));
        }
        told
    }

    /// Tells everybody the same, and returns how many they were.
    pub(super) fn tell_all(&mut self, why: &Unanswered) -> u64 {
        let ids: Vec<RequestId> = self.callers.keys().cloned().collect();
        self.unsettled.clear();
        ids.iter().map(|id| self.tell(id, &Err(why.clone()))).sum()
    }

    /// When the next of them is given up.
    pub(super) fn next_due(&self) -> Option<Time> {
        self.dues.first().map(|(due, _)| *due)
    }

    /// How many callers wait.
    pub(super) const fn len(&self) -> usize {
        self.count
    }

    /// Whether nobody waits.
    pub(super) const fn is_empty(&self) -> bool {
        self.count == 0
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use tokio::sync::oneshot;

    use super::*;

    type Heard = oneshot::Receiver<Result<Answered, Unanswered>>;

    /// A table in which these ids wait, in this order, each until this time, and what each hears.
    fn waiting<const N: usize>(limit: usize, calls: [(&str, u64); N]) -> (Waiting, [Heard; N]) {
        let mut waiting = Waiting::new(limit);
        let heard = calls.map(|(id, due)| {
            let (reply, heard) = Reply::new(false);
            let _joined = waiting.join(&RequestId::from(id), reply, Time::from_us(due));
            heard
        });
        (waiting, heard)
    }

    fn answer(text: &'static str) -> Result<Answered, Unanswered> {
        Ok(Answered { document: Bytes::from(text), response: None, is_error: false })
    }

    fn text(heard: &mut Heard) -> Option<String> {
        match heard.try_recv().ok()? {
            Ok(answered) => Some(String::from_utf8(answered.document.to_vec()).unwrap()),
            Err(unanswered) => Some(unanswered.to_string()),
        }
    }

    #[test]
    fn all_who_wait_for_an_id_are_told_once_and_the_same() {
        let (mut waiting, [mut one, mut two, mut other]) =
            waiting(9, [("a", 10), ("a", 20), ("b", 10)]);
        assert_eq!(waiting.len(), 3);
        assert_eq!(waiting.tell(&"a".into(), &answer("yes")), 2);
        assert_eq!(waiting.tell(&"a".into(), &answer("no")), 0);
        assert_eq!(text(&mut one).as_deref(), Some("yes"));
        assert_eq!(text(&mut two).as_deref(), Some("yes"));
        assert_eq!(text(&mut other), None);
        assert_eq!(waiting.len(), 1);
    }

    #[test]
    fn only_the_first_of_an_id_goes_to_the_stream_and_beyond_the_limit_nobody_waits() {
        let mut waiting = Waiting::new(2);
        let join = |waiting: &mut Waiting, id: &str| {
            waiting.join(&RequestId::from(id), Reply::new(false).0, Time::from_us(1))
        };
        assert!(matches!(join(&mut waiting, "a"), Joined::First));
        assert!(matches!(join(&mut waiting, "a"), Joined::Others));
        assert!(matches!(join(&mut waiting, "b"), Joined::Full(_)));
        assert_eq!(waiting.tell(&"a".into(), &answer("yes")), 2);
        assert!(matches!(join(&mut waiting, "b"), Joined::First));
    }

    #[test]
    fn whoever_waits_too_long_is_told_so_and_whoever_joins_prolongs_the_wait() {
        let (mut waiting, [mut one, mut two, mut late]) =
            waiting(9, [("a", 10), ("b", 11), ("b", 30)]);
        assert_eq!(waiting.next_due(), Some(Time::from_us(10)));
        assert_eq!(waiting.give_up(Time::from_us(9)), 0);
        assert_eq!(waiting.give_up(Time::from_us(29)), 1);
        assert_eq!(text(&mut one), Some(Unanswered::NoAnswer.to_string()));
        assert_eq!(text(&mut two), None);
        assert_eq!(waiting.next_due(), Some(Time::from_us(30)));
        assert_eq!(waiting.give_up(Time::from_us(30)), 2);
        assert_eq!(text(&mut late), Some(Unanswered::NoAnswer.to_string()));
        assert!(waiting.is_empty());
        assert_eq!(waiting.next_due(), None);
    }

    #[test]
    fn whose_request_the_stream_did_not_take_is_told_and_the_others_wait_on() {
        let (mut waiting, [mut one, mut two, mut three]) =
            waiting(9, [("a", 10), ("b", 10), ("c", 10)]);
        waiting.handed_in(0, 7, "a".into());
        waiting.handed_in(0, 8, "b".into());
        waiting.handed_in(1, 7, "c".into());
        let why = Unanswered::TooLarge { found: 9, limit: 8 };
        waiting.failed(0, 8, why.clone());
        waiting.settled(0, 9);
        waiting.failed(0, 7, why.clone());
        waiting.failed(1, 7, why.clone());
        assert_eq!(text(&mut one), None);
        assert_eq!(text(&mut two), Some(why.to_string()));
        assert_eq!(text(&mut three), Some(why.to_string()));
        assert_eq!(waiting.tell_all(&Unanswered::Stopping), 1);
        assert_eq!(text(&mut one), Some(Unanswered::Stopping.to_string()));
    }
}
