//! Calls where the stream is shared: what a caller asks is handed in to some partition of the requests,
//! and whoever owns that answers.

use std::collections::{HashMap, VecDeque};
use std::hash::{DefaultHasher, Hash, Hasher};

use message::RequestId;
use stream::Record;

use super::appended::refuse;
use super::{Driver, Unacknowledged};
use crate::endpoint::{Appended, Ask, Call, Records, Reply};

/// Who waits for requests that are in the stream.
pub(super) struct Calling {
    waiting: HashMap<RequestId, Vec<Reply>>,
    /// What was handed in to each partition and is not kept yet, by its tickets.
    submitted: Vec<VecDeque<(u64, RequestId)>>,
    /// Counts what goes to any partition.
    turn: usize,
}

impl Calling {
    /// Nobody waits.
    pub(super) fn new(partitions: usize) -> Self {
        let submitted = (0..partitions).map(|_| VecDeque::new()).collect();
        Self { waiting: HashMap::new(), submitted, turn: 0 }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Who waits for a request that is being opened.
    pub(super) fn reply_of(&mut self, id: &RequestId) -> Option<Reply> {
        let replies = self.waiting.get_mut(id)?;
        let reply = replies.pop();
        if replies.is_empty() {
            self.waiting.remove(id);
        }
        reply
    }

    /// Everybody who waits.
    pub(super) fn take_all(&mut self) -> impl Iterator<Item = Reply> {
        self.waiting.drain().flat_map(|(_, replies)| replies)
    }
}

impl Driver {
    /// Hands in the calls of this turn; refuses those beyond the limit.
    pub(super) fn submit_calls(&mut self) {
        let mut calls = std::mem::take(&mut self.calls);
        let refusal = self.refuses();
        let room = self.open_limit.saturating_sub(self.calling.waiting.len());
        for (nth, Call { ask, reply }) in calls.drain(..).enumerate() {
            if let Some(refusal) = &refusal {
                refuse(reply, refusal);
            } else if nth >= room {
                refuse(reply, &crate::endpoint::Unanswered::Busy);
            } else {
                self.submit_call(ask, reply);
            }
        }
        self.calls = calls;
        self.hear_of_failed_calls();
    }

    fn submit_call(&mut self, ask: Ask, reply: Reply) {
        let partition = self.partition_of(&ask.record);
        let requests = &self.endpoint.journal.requests[partition];
        match requests.submit(std::slice::from_ref(&ask.record)) {
            Ok(ticket) => {
                let id = ask.request.id;
                self.calling.waiting.entry(id.clone()).or_default().push(reply);
                self.calling.submitted[partition].push_back((ticket, id));
            }
            Err(error) => {
                let refusal = self.refusal_of(&error);
                refuse(reply, &refusal);
            }
        }
    }

    /// Hands in records that somebody brought.
    pub(super) fn submit_records(&mut self) {
        while let Some(Records { asks, count, reply, .. }) = self.held.pop_front() {
            let mut parts: Vec<Vec<Record>> = Vec::new();
            parts.resize_with(self.endpoint.journal.requests.len(), Vec::new);
            for ask in asks {
                let partition = self.partition_of(&ask.record);
                parts[partition].push(ask.record);
            }
            let mut ends = Vec::new();
            let mut refusal = self.refuses();
            for (partition, records) in parts.iter().enumerate().filter(|it| !it.1.is_empty()) {
                if refusal.is_some() {
                    break;
                }
                match self.endpoint.journal.requests[partition].submit(records) {
                    Ok(first) => ends.push((partition as u32, first + records.len() as u64)),
                    Err(error) => refusal = Some(self.refusal_of(&error)),
                }
            }
            if let Some(refusal) = refusal {
                let _gone = reply.send(Err(refusal));
                continue;
            }
            let appended = Appended::together(0, count as u64);
            self.unacknowledged.push_back(Unacknowledged { ends, appended, reply });
        }
    }

    /// Tells the callers whose requests were not kept.
    fn hear_of_failed_calls(&mut self) {
        for partition in 0..self.endpoint.journal.requests.len() {
            let requests = &self.endpoint.journal.requests[partition];
            let (settled, failed) = (requests.settled(), requests.take_failed());
            for (ticket, error) in failed {
                let found = self.calling.submitted[partition].iter().find(|it| it.0 == ticket);
                let Some(id) = found.map(|(_, id)| id.clone()) else { continue };
                let refusal = self.refusal_of(&error);
                while let Some(reply) = self.calling.reply_of(&id) {
                    refuse(reply, &refusal);
                }
            }
            while self.calling.submitted[partition].pop_front_if(|it| it.0 < settled).is_some() {}
        }
    }

    /// The partition that a request goes to: that of its key, or else one of our own.
    fn partition_of(&mut self, record: &Record) -> usize {
        let partitions = self.endpoint.journal.requests.len();
        if let Some(key) = &record.key {
            let mut hasher = DefaultHasher::new();
            key.hash(&mut hasher);
            return (hasher.finish() % partitions as u64) as usize;
        }
        self.calling.turn += 1;
        let turn = self.calling.turn;
        let name = self.endpoint.journal.requests[0].topic();
        let own: Vec<_> = self.strands.iter().filter(|it| *it.source.topic == *name).collect();
        match own.len() {
            0 => turn % partitions,
            some => own[turn % some].source.partition as usize,
        }
    }
}
