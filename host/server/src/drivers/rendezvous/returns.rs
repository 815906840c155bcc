//! Answers that go to other topics as well.
//!
//! They are written there before they are written to the answers topic. So whoever finds an answer in
//! that need not ask whether it was returned: after a crash between the two it is returned again,
//! and its header `id` tells.

use std::collections::BTreeMap;

use message::record::header;
use stream::{AppendError, Record};

use super::strand::Strand;
use super::{Driver, Open};

impl Driver {
    /// The plain topics that the answer of a request goes to as well.
    pub(super) fn return_addresses(open: &mut Open) -> Vec<String> {
        let mut topics: Vec<String> = open.return_to.take().into_iter().collect();
        topics.extend(open.live.flow.answers.clone());
        topics.dedup();
        topics
    }

    /// Writes the answers of this turn to the other topics that they go to.
    pub(super) fn return_answers(&self, strand: &mut Strand) -> Result<(), AppendError> {
        let mut records: BTreeMap<&str, Vec<Record>> = BTreeMap::new();
        for unwritten in &strand.unwritten {
            for topic in &unwritten.return_to {
                let mut record = unwritten.record.clone();
                record.headers = record
                    .headers
                    .with(header::REQUEST_OFFSET, unwritten.offset.to_string())
                    .with(header::ENDPOINT, self.endpoint.name.as_str());
                records.entry(topic).or_default().push(record);
            }
        }
        let mut returned = 0;
        for (topic, records) in records {
            let partition = match self.endpoint.topics.open(topic, &self.live.topic_options) {
                Ok(partition) => partition,
                Err(error) => {
                    // The answer itself is safe, in the answers topic.
                    tracing::error!(endpoint = %self.endpoint.name, topic, %error, "answers cannot be returned");
                    continue;
                }
            };
            match partition.append(&records) {
                Ok(_) => returned += records.len() as u64,
                Err(error @ (AppendError::Full | AppendError::Busy { .. })) => return Err(error),
                Err(error) => {
                    tracing::error!(endpoint = %self.endpoint.name, topic, %error, "answers cannot be returned");
                }
            }
        }
        self.endpoint.meter.flow.count_returned(returned);
        strand.unwritten.iter_mut().for_each(|unwritten| unwritten.return_to.clear());
        Ok(())
    }
}
