//! The way in where the stream is shared: records are taken from the partitions that are ours, and each
//! becomes a request or a dead letter.
//!
//! No more is taken than mailboxes and lanes have room for; what waits, waits in the topic.

use std::sync::Arc;

use message::record::header;
use message::{Request, Time};
use stream::{AppendError, Member, ReadError, ReadLimit, StoredRecord};

use super::super::strand::Strand;
use super::super::{Driver, Unopened};
use crate::drivers::flow::{Desk, Origin};
use crate::envelope::ReturnTo;
use crate::live::Live;
use crate::topics::shown_name;

/// How much is taken of one partition at once.
const TAKE_LIMIT: ReadLimit = ReadLimit { records: 512, bytes: 4 << 20 };

impl Driver {
    /// Takes as many requests as there is room for, from all partitions in turn.
    pub(in super::super) fn take_requests(&mut self, now: Time) {
        let Some(member) = self.sharing.as_ref().and_then(|sharing| sharing.member()).cloned()
        else {
            return;
        };
        self.bury_letters();
        if self.stopping || self.live.paused || !self.live.settled {
            return;
        }
        if !self.strands.is_empty() {
            self.strands.rotate_left(1);
        }
        let live = Arc::clone(&self.live);
        let mut room = self.room_for_requests();
        self.for_each_strand(|driver, strand| {
            while room > 0 && strand.may_take() {
                let taken = driver.take_from(now, &live, &*member, strand, room);
                room = room.saturating_sub(taken);
            }
        });
        self.bury_letters();
    }

    /// Whether there is more to take and room for it, so that there is no time to sleep.
    pub(in super::super) fn is_hungry(&self) -> bool {
        self.sharing.is_some()
            && !self.stopping
            && !self.live.paused
            && self.live.settled
            && self.strands.iter().any(Strand::may_take)
            && self.room_for_requests() > 0
    }

    /// How many requests can be opened now and asked of the models.
    fn room_for_requests(&self) -> usize {
        // Answers on their way count: while nobody keeps them, nothing new is begun.
        let on_their_way = |strand: &Strand| strand.unsettled.len() + strand.exact.len();
        let unsettled: usize = self.strands.iter().map(on_their_way).sum();
        let room = self.free_mailboxes().saturating_sub(unsettled);
        room.min(self.live.room().saturating_sub(self.unopened()))
    }

    fn take_from(
        &mut self,
        now: Time,
        live: &Live,
        member: &dyn Member,
        strand: &mut Strand,
        room: usize,
    ) -> usize {
        let limit = ReadLimit { records: room.min(TAKE_LIMIT.records), ..TAKE_LIMIT };
        let records = match member.take(&strand.source, limit) {
            Ok(records) => records,
            Err(error) => {
                strand.readable = false;
                if !matches!(error, ReadError::NotOwned) {
                    let (endpoint, source) = (&self.endpoint.name, &strand.source);
                    tracing::error!(%endpoint, %source, %error, "requests cannot be taken");
                }
                return 0;
            }
        };
        // Word comes when there is more.
        strand.readable = !records.is_empty();
        let source = strand.source.clone();
        let endpoint = Arc::clone(&self.endpoint);
        let own_requests = endpoint.journal.requests[0].topic();
        let desk = Desk {
            live,
            flow: &live.flow,
            source: shown_name(&source.topic),
            origin: if *source.topic == *own_requests {
                Origin::Requests { partition: source.partition }
            } else {
                Origin::Source { partition: Some(source.partition) }
            },
            own_requests,
            tenant: endpoint.name.as_str().split_once('/').map(|(tenant, _)| tenant),
            record_limit_bytes: live.topic_options.record_limit_bytes,
            now,
        };
        let taken = records.len();
        for stored in &records {
            self.take_in(&desk, strand, stored);
        }
        taken
    }

    fn take_in(&mut self, desk: &Desk<'_>, strand: &mut Strand, stored: &StoredRecord) {
        let offset = stored.offset;
        if offset < strand.from {
            return;
        }
        strand.take_note(offset);
        strand.since.get_or_insert(stored.record.time);
        if strand.passing.as_mut().is_some_and(|passing| passing.passes(stored)) {
            return strand.watermark.finish(offset);
        }
        match desk.read(stored) {
            Ok(read) => {
                let return_to = match read.return_to {
                    ReturnTo::Named(topic) => Some(topic),
                    _ => None,
                };
                let request: Arc<Request> = Arc::new(read.request);
                let is_ours = matches!(desk.origin, Origin::Requests { .. });
                let reply =
                    is_ours.then(|| self.reply_to(desk.now, &stored.record, &request)).flatten();
                // Records that nobody waits for are taken as they come.
                let priority = if reply.is_some() { read.priority } else { 0 };
                strand.unopened.push_back(Unopened {
                    offset,
                    request,
                    key: stored.record.key.clone(),
                    reply,
                    may_repeat: true,
                    return_to,
                    priority,
                });
            }
            Err(refusal) => {
                if matches!(desk.origin, Origin::Requests { .. }) {
                    self.tell_unfit(&stored.record, &refusal.message);
                }
                self.endpoint.meter.flow.count_dead_letter(refusal.class);
                strand.letters.push((offset, desk.dead_letter(stored, &refusal)));
            }
        }
    }

    /// Hands in dead letters. Where that is not possible now, nothing more is taken until it is.
    fn bury_letters(&mut self) {
        let dead_letters = Arc::clone(&self.endpoint.journal.dead_letters);
        for strand in self.strands.iter_mut().filter(|strand| !strand.letters.is_empty()) {
            if strand.must_wait() {
                continue;
            }
            let (offsets, records): (Vec<_>, Vec<_>) = strand.letters.iter().cloned().unzip();
            match strand.send_out("a dead letter", &dead_letters, &offsets, &records) {
                Ok(()) => {
                    strand.retry_due = None;
                    strand.letters.clear();
                    // What still holds them is their way to the topic.
                    offsets.iter().for_each(|&offset| strand.watermark.finish(offset));
                }
                Err(AppendError::TooLarge { limit, .. }) => {
                    let too_large =
                        |(_, letter): &&mut (u64, stream::Record)| letter.size_bytes() > limit;
                    for (_, letter) in strand.letters.iter_mut().filter(too_large) {
                        let bytes = letter.value.len().to_string();
                        letter.headers = stream::Headers::new().with(header::DROPPED_BYTES, bytes);
                        letter.value = bytes::Bytes::new();
                        letter.key = None;
                    }
                    strand.try_again_later();
                }
                Err(error) => {
                    if strand.retry_due.is_none() {
                        tracing::error!(endpoint = %self.endpoint.name, %error, "dead letters cannot be kept");
                    }
                    strand.try_again_later();
                }
            }
        }
    }
}
