//! The commits of readers that are in no group of ours: each is a group of its own, which nobody joins.

use std::collections::BTreeMap;
use std::sync::Arc;

use parking_lot::Mutex;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer};
use rdkafka::{Offset, TopicPartitionList};

use super::Cluster;
use super::asker::{listen, number};
use super::client::Link;
use super::farewell::let_go;
use super::settings::Role;

/// A client for each reader that has ever committed or asked.
#[derive(Default)]
pub(crate) struct Commits {
    clients: Mutex<BTreeMap<String, Arc<BaseConsumer<Link>>>>,
}

impl Commits {
    pub(crate) fn committed(
        &self,
        cluster: &Cluster,
        topic: &str,
        partition: u32,
        reader: &str,
    ) -> Result<Option<u64>, String> {
        let client = self.client(cluster, topic, reader)?;
        let topic = cluster.names.topic(topic);
        let mut wanted = TopicPartitionList::new();
        wanted.add_partition(&topic, number(partition));
        let timeout = cluster.config.delivery.answer_timeout;
        let found = client.committed_offsets(wanted, timeout).map_err(|error| error.to_string())?;
        let found = found.find_partition(&topic, number(partition));
        Ok(found.and_then(|element| match element.offset() {
            Offset::Offset(offset) => u64::try_from(offset).ok(),
            _ => None,
        }))
    }

    pub(crate) fn commit(
        &self,
        cluster: &Cluster,
        topic: &str,
        partition: u32,
        reader: &str,
        offset: u64,
    ) -> Result<(), String> {
        let client = self.client(cluster, topic, reader)?;
        let topic = cluster.names.topic(topic);
        let mut commit = TopicPartitionList::new();
        let offset = Offset::Offset(i64::try_from(offset).unwrap_or(i64::MAX));
        commit
            .add_partition_offset(&topic, number(partition), offset)
            .and_then(|()| client.commit(&commit, CommitMode::Sync))
            .map_err(|error| format!("the commit of `{reader}`: {error}"))
    }

    /// Forgets a reader of a topic, on all partitions.
    pub(crate) fn forget(
        &self,
        cluster: &Cluster,
        topic: &str,
        reader: &str,
    ) -> Result<(), String> {
        let group = group(cluster, topic, reader);
        if let Some(client) = self.clients.lock().remove(&group) {
            let_go(client, std::time::Duration::ZERO);
        }
        let deleted = cluster.asker.delete_group(&group);
        deleted.map_err(|code| format!("the group `{group}`: {code}"))
    }

    /// Has the clients say what they have to say.
    pub(crate) fn listen(&self) {
        let clients: Vec<_> = self.clients.lock().values().cloned().collect();
        clients.iter().for_each(|client| listen(client));
    }

    fn client(
        &self,
        cluster: &Cluster,
        topic: &str,
        reader: &str,
    ) -> Result<Arc<BaseConsumer<Link>>, String> {
        let group = group(cluster, topic, reader);
        let mut clients = self.clients.lock();
        if let Some(client) = clients.get(&group) {
            return Ok(Arc::clone(client));
        }
        let mut config = cluster.config.client(Role::Admin);
        config.set("group.id", &group).set("statistics.interval.ms", "0");
        let link = Link::new(cluster.board.enter(Role::Admin));
        let client = config.create_with_context(link).map_err(|error| error.to_string())?;
        let client = Arc::new(client);
        clients.insert(group, Arc::clone(&client));
        Ok(client)
    }
}

impl Drop for Commits {
    fn drop(&mut self) {
        let clients = std::mem::take(self.clients.get_mut());
        if !clients.is_empty() {
            let_go(clients, std::time::Duration::ZERO);
        }
    }
}

fn group(cluster: &Cluster, topic: &str, reader: &str) -> String {
    cluster.names.group(&format!("{topic}.{reader}"))
}
