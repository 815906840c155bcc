//! Requests that have come again: their answers are in the topic, where the brokers have them.
//!
//! What was read again after a partition was taken over may have been answered without the answer having
//! been returned to the other topics. So it is returned once more, and its header `id` tells.

use message::RequestId;
use message::record::header;
use stream::{AppendError, Partition, Record, StoredRecord};

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use super::super::Driver;
use super::super::appended::{answered_of, refuse};
use super::super::strand::Strand;
use super::clerk::Errand;
use super::{ASK_AGAIN_AFTER, Again, ReturnTopic};
use crate::endpoint::{Reply, Unanswered};

impl Driver {
    /// Deals with a request that is answered already. `answer` is where its answer is at the earliest, if
    /// that is known yet.
    pub(in super::super) fn open_again(
        &mut self,
        strand: &mut Strand,
        offset: u64,
        id: RequestId,
        return_to: Option<String>,
        answer: Option<u64>,
        reply: Option<Reply>,
    ) {
        let is_reread = offset < strand.reread_until;
        let mut topics: Vec<String> = return_to.into_iter().collect();
        topics.extend(self.live.flow.answers.clone());
        topics.dedup();
        let return_to = if is_reread { topics } else { Vec::new() };
        let Some(answer) = answer else {
            // It is on its way to the topic, and whoever waits is told with the others.
            let is_it = |unsettled: &&mut super::super::strand::Unsettled| {
                unsettled.unwritten.remember.as_ref() == Some(&id)
            };
            if let Some(unsettled) = strand.unsettled.iter_mut().find(is_it) {
                unsettled.unwritten.replies.extend(reply);
            } else if let Some(held) = strand.exact.answer_to(&id) {
                held.replies.extend(reply);
            }
            return strand.watermark.finish(offset);
        };
        let Some(sharing) =
            self.sharing.as_mut().filter(|_| reply.is_some() || !return_to.is_empty())
        else {
            return strand.watermark.finish(offset);
        };
        let number = sharing.next_read_back;
        sharing.next_read_back += 1;
        sharing.clerk.send(Errand::ReadBack {
            number,
            answers: Arc::clone(&strand.answers),
            id: id.clone(),
            offset: answer,
        });
        let again = Again { strand: strand.number, offset, id, return_to, reply };
        sharing.read_back.insert(number, again);
    }

    /// An answer was read back, or could not be.
    pub(super) fn handle_read_back(&mut self, number: u64, found: Result<StoredRecord, String>) {
        let again = self.sharing.as_mut().and_then(|sharing| sharing.read_back.remove(&number));
        let Some(again) = again else { return };
        let Again { strand: strand_number, offset, id, return_to, reply } = again;
        let record = match found {
            Ok(stored) => stored.record,
            Err(error) => {
                tracing::warn!(endpoint = %self.endpoint.name, %id, error, "an answer that was given before cannot be read");
                let broken = Unanswered::StreamAway;
                reply.into_iter().for_each(|reply| refuse(reply, &broken));
                let strand = self.strand_mut(strand_number);
                return strand.into_iter().for_each(|strand| strand.watermark.finish(offset));
            }
        };
        if let Some(reply) = reply {
            // Nobody listens where the caller has gone.
            let _gone = reply.send(Ok(answered_of(record.clone())));
        }
        self.for_each_strand(|driver, strand| {
            if strand.number != strand_number {
                return;
            }
            if let Err(error) = driver.send_copies(strand, &[(offset, &record, &return_to)]) {
                tracing::warn!(endpoint = %driver.endpoint.name, %id, %error, "an answer is not returned once more");
            }
            strand.watermark.finish(offset);
        });
    }

    /// Hands in the answers of this turn to the other topics that they go to. Fails where such a topic is
    /// still being opened, or has no room.
    pub(in super::super) fn return_to_others(
        &mut self,
        strand: &mut Strand,
    ) -> Result<(), AppendError> {
        let unwritten = std::mem::take(&mut strand.unwritten);
        let copies: Vec<_> = unwritten
            .iter()
            .filter(|it| !it.return_to.is_empty())
            .map(|it| (it.offset, &it.record, &it.return_to[..]))
            .map(|(offset, record, topics)| (offset, record, topics.to_vec()))
            .collect();
        let copies: Vec<_> =
            copies.iter().map(|(offset, record, topics)| (*offset, *record, topics)).collect();
        let sent = if copies.is_empty() { Ok(()) } else { self.send_copies(strand, &copies) };
        drop(copies);
        strand.unwritten = unwritten;
        if sent.is_ok() {
            strand.unwritten.iter_mut().for_each(|it| it.return_to.clear());
        }
        sent
    }

    fn send_copies(
        &mut self,
        strand: &mut Strand,
        answers: &[(u64, &Record, &Vec<String>)],
    ) -> Result<(), AppendError> {
        let mut copies: BTreeMap<&str, (Vec<u64>, Vec<Record>)> = BTreeMap::new();
        for (offset, record, topics) in answers {
            for topic in *topics {
                let mut copy = (*record).clone();
                copy.headers = copy.headers.with(header::ENDPOINT, self.endpoint.name.as_str());
                let (offsets, records) = copies.entry(topic).or_default();
                offsets.push(*offset);
                records.push(copy);
            }
        }
        let mut ready = Vec::new();
        for (topic, (offsets, records)) in copies {
            match self.return_partition(topic, strand.source.partition) {
                Some(Some(partition)) => ready.push((partition, offsets, records)),
                // The answer itself is safe, in the answers topic.
                Some(None) => {}
                None => {
                    let reason = format!("topic `{topic}` is being opened");
                    return Err(AppendError::Away { reason });
                }
            }
        }
        let mut returned = 0;
        for (partition, offsets, records) in ready {
            match strand.send_out("a returned answer", &partition, &offsets, &records) {
                Ok(()) => returned += records.len() as u64,
                Err(
                    error @ (AppendError::Full
                    | AppendError::Busy { .. }
                    | AppendError::Away { .. }),
                ) => {
                    return Err(error);
                }
                Err(error) => {
                    let topic = partition.topic();
                    tracing::error!(endpoint = %self.endpoint.name, topic, %error, "answers cannot be returned");
                }
            }
        }
        self.endpoint.meter.flow.count_returned(returned);
        Ok(())
    }

    /// Where in a plain topic answers to a partition go. None where it is being opened, and nothing in
    /// place of the partition where it cannot be had.
    fn return_partition(&mut self, topic: &str, number: u32) -> Option<Option<Arc<dyn Partition>>> {
        let sharing = self.sharing.as_mut()?;
        match sharing.returns.get(topic) {
            Some(ReturnTopic::Open { partitions, .. }) => {
                Some(partitions.get(number as usize % partitions.len().max(1)).cloned())
            }
            Some(ReturnTopic::Awaited) => None,
            Some(ReturnTopic::Refused { due }) if *due > Instant::now() + ASK_AGAIN_AFTER => {
                Some(None)
            }
            Some(ReturnTopic::Refused { .. }) | None => {
                let options = self.live.topic_options.clone();
                sharing.clerk.send(Errand::OpenTopic { topic: topic.to_owned(), options });
                sharing.returns.insert(topic.to_owned(), ReturnTopic::Awaited);
                None
            }
        }
    }
}
