//! What is counted of an endpoint whose stream several hosts share. One that nobody shares has none of it.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::families::Families;
use super::labels::{ChangeLabels, EndpointLabels, PartitionLabels};
use super::saturate;

/// The metrics of the partitions of one endpoint that are this host's. `Clone` costs one atomic
/// increment.
#[derive(Debug, Clone)]
pub struct SharingMetrics {
    families: Arc<Families>,
    endpoint: String,
}

impl SharingMetrics {
    pub(super) fn new(families: Arc<Families>, endpoint: &str) -> Self {
        Self { families, endpoint: endpoint.to_owned() }
    }

    /// Counts partitions that came or went; `change` is one of a few fixed words.
    pub fn changed(&self, change: &'static str, count: u64) {
        let labels = ChangeLabels { endpoint: self.endpoint.clone(), change };
        self.families.partition_changes.get_or_create(&labels).inc_by(count);
    }

    /// Counts requests that were given up unanswered together with their partitions.
    pub fn dropped(&self, count: u64) {
        self.families.mailboxes_dropped.get_or_create(&self.labels()).inc_by(count);
    }

    /// Counts answers that were found and do not count, since their host had lost the partition.
    pub fn void(&self, count: u64) {
        self.families.void_answers.get_or_create(&self.labels()).inc_by(count);
    }

    /// Takes note of the partitions that are this host's, each with how many of its records are not
    /// done. `before` is what was noted last; what is in it and gone is scraped no more.
    pub fn set_owned<'a>(
        &self,
        before: impl IntoIterator<Item = &'a str>,
        now: impl IntoIterator<Item = (&'a str, u64)>,
    ) {
        let mut owned = BTreeSet::new();
        for (partition, lag) in now {
            let lag = i64::try_from(lag).unwrap_or(i64::MAX);
            self.families.partition_lag.get_or_create(&self.partition(partition)).set(lag);
            owned.insert(partition);
        }
        for gone in before.into_iter().filter(|partition| !owned.contains(partition)) {
            self.families.partition_lag.remove(&self.partition(gone));
        }
        self.families.owned_partitions.get_or_create(&self.labels()).set(saturate(owned.len()));
    }

    fn labels(&self) -> EndpointLabels {
        EndpointLabels { endpoint: self.endpoint.clone() }
    }

    fn partition(&self, partition: &str) -> PartitionLabels {
        PartitionLabels { endpoint: self.endpoint.clone(), partition: partition.to_owned() }
    }
}
