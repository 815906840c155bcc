//! What the driver and the lobby have to do with each other, where the stream is shared.

use std::sync::Arc;
use std::time::Duration;

use message::record::header;
use message::{Request, RequestId, Time};
use stream::Record;

use super::super::Driver;
use super::lobby::Lobby;
use crate::clock;
use crate::drivers::courier::Delivered;
use crate::endpoint::{Endpoint, Reply, Unanswered};

/// How long after its deadline a caller is kept waiting, since its request may be with a host that is
/// gone: until another one has taken over, say.
const SLACK: Duration = Duration::from_secs(5);

/// Where the callers of an endpoint wait, if several hosts share its stream.
pub(in super::super) fn lobby_of(endpoint: &Endpoint, limit: usize) -> Option<Lobby> {
    let replies = Arc::clone(endpoint.replies.as_ref()?);
    let requests = endpoint.journal.requests.clone();
    let calls = endpoint.meter.metrics.calls();
    Some(Lobby::new(endpoint.name.clone(), replies, requests, limit, SLACK, calls))
}

impl Driver {
    /// Hands in what callers ask and what others bring.
    pub(in super::super) fn hand_in(&mut self) {
        if self.lobby.is_none() {
            return;
        }
        let own = if self.calls.is_empty() { Vec::new() } else { self.own_partitions() };
        let Some(lobby) = &mut self.lobby else { return };
        if self.stopping {
            for call in self.calls.drain(..) {
                let _gone = call.reply.send(Err(Unanswered::Stopping));
            }
            for records in self.held.drain(..) {
                let _gone = records.reply.send(Err(Unanswered::Stopping));
            }
        }
        if !self.calls.is_empty() {
            lobby.accept(std::mem::take(&mut self.calls), &own);
        }
        self.held.drain(..).for_each(|records| lobby.bring(records));
        lobby.hand_in_brought();
    }

    /// Tells callers what came for them, here or from other hosts.
    pub(in super::super) fn tell_callers(&mut self) {
        if let Some(lobby) = &mut self.lobby {
            lobby.tell(clock::now());
        }
    }

    /// Other hosts have answered callers of this one.
    pub(in super::super) fn hear_from_others(&mut self, delivered: Vec<Delivered>) {
        if let Some(lobby) = &mut self.lobby {
            lobby.deliver(delivered);
        }
    }

    /// The way back to whoever waits for a request that was taken, unless that has been too long ago.
    pub(super) fn reply_to(&self, now: Time, record: &Record, request: &Request) -> Option<Reply> {
        let lobby = self.lobby.as_ref().filter(|_| now <= request.deadline + SLACK)?;
        lobby.reply_to(record, &request.id)
    }

    /// Tells whoever waits for a request that is none.
    pub(super) fn tell_unfit(&self, record: &Record, reason: &str) {
        let (Some(lobby), Some(id)) = (&self.lobby, record.headers.text(header::ID)) else {
            return;
        };
        if let Some(reply) = lobby.reply_to(record, &RequestId::from(id)) {
            // Nobody listens where the caller has gone.
            let _gone = reply.send(Err(Unanswered::Unfit { reason: reason.to_owned() }));
        }
    }

    /// The partitions of the requests that are ours.
    fn own_partitions(&self) -> Vec<u32> {
        let topic = self.endpoint.journal.requests[0].topic();
        let own = self.strands.iter().filter(|it| *it.source.topic == *topic && !it.is_leaving);
        own.map(|strand| strand.source.partition).collect()
    }
}
