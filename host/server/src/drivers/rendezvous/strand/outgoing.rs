//! What a strand writes to other topics than its answers: copies of answers, and dead letters.

use std::collections::VecDeque;
use std::sync::Arc;

use stream::{AppendError, Partition, Record, Source};

use super::Strand;

/// Records on their way to one topic.
pub(in super::super) struct Outgoing {
    what: &'static str,
    partitions: Vec<Underway>,
}

/// Records on their way to one partition.
struct Underway {
    partition: Arc<dyn Partition>,
    /// Their tickets, and the offsets of the requests that they hold.
    tickets: VecDeque<(u64, u64)>,
}

impl Strand {
    /// Hands in records for another topic, each made of the request at an offset, which is not done until
    /// readers can see them.
    pub(in super::super) fn send_out(
        &mut self,
        what: &'static str,
        partition: &Arc<dyn Partition>,
        offsets: &[u64],
        records: &[Record],
    ) -> Result<(), AppendError> {
        if self.exact.is_on {
            let to = Source { topic: partition.topic().into(), partition: partition.number() };
            for (record, &offset) in records.iter().zip(offsets) {
                self.exact.hold_other(offset, to.clone(), record.clone());
            }
            return Ok(());
        }
        let first = partition.submit(records)?;
        let topic = partition.topic().to_owned();
        let fresh = || Outgoing { what, partitions: Vec::new() };
        let partitions = &mut self.outgoing.entry(topic).or_insert_with(fresh).partitions;
        let number = partition.number();
        let known = partitions.iter().position(|known| known.partition.number() == number);
        let position = known.unwrap_or_else(|| {
            let partition = Arc::clone(partition);
            partitions.push(Underway { partition, tickets: VecDeque::new() });
            partitions.len() - 1
        });
        for (ticket, &offset) in (first..).zip(offsets) {
            self.watermark.hold(offset);
            partitions[position].tickets.push_back((ticket, offset));
        }
        Ok(())
    }

    /// Takes note of what has arrived in other topics. Returns what has failed: how much, and of what.
    pub(in super::super) fn settle_outgoing(&mut self) -> Vec<(String, &'static str, u64)> {
        let mut all_failed = Vec::new();
        let watermark = &mut self.watermark;
        self.outgoing.retain(|topic, outgoing| {
            let mut failed = 0;
            for Underway { partition, tickets } in &mut outgoing.partitions {
                let settled = partition.settled();
                while let Some(&(ticket, offset)) = tickets.front().filter(|it| it.0 < settled) {
                    tickets.pop_front();
                    failed += u64::from(partition.offset_of(ticket).is_none());
                    watermark.finish(offset);
                }
            }
            if failed > 0 {
                all_failed.push((topic.clone(), outgoing.what, failed));
            }
            outgoing.partitions.retain(|underway| !underway.tickets.is_empty());
            !outgoing.partitions.is_empty()
        });
        all_failed
    }
}
