//! Plain topics: those that belong to no endpoint.
//!
//! In the stream they lie below `topics/`, where no endpoint can get in their way: the last part of an
//! endpoint's topic is one of a few words, and a plain topic must not end in one. A plain topic comes
//! to be when a `[flow]` names it, or by the first answer that is returned to it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use catalog::flow::{is_endpoint_topic, is_plain_topic};
use parking_lot::Mutex;
use stream::{Health, OpenError, Partition, Stream, TopicOptions, partition_of_key};
use thiserror::Error;

use crate::journal::open_all;

/// Below what plain topics lie in the stream.
pub(crate) const PLAIN: &str = "topics/";

/// How many plain topics there may be: each has files and threads of its own.
const PLAIN_TOPICS: usize = 256;

/// The plain topics of a host.
pub(crate) struct Topics {
    stream: Arc<dyn Stream>,
    open: Mutex<BTreeMap<String, Vec<Arc<dyn Partition>>>>,
    /// Counts the records without a key, so that the partitions take turns.
    turns: AtomicUsize,
}

/// Why a topic cannot be had.
#[derive(Debug, Error)]
pub(crate) enum TopicError {
    /// Because it is not called like one.
    #[error("found topic {0:?}, expected a plain topic such as \"orders\" or \"acme/orders\"")]
    Name(String),
    /// Because there are too many.
    #[error("found {PLAIN_TOPICS} plain topics, expected fewer before {0:?} can be made")]
    TooMany(String),
    /// Because the stream does not open it.
    #[error(transparent)]
    Open(#[from] OpenError),
}

/// A topic of the stream as people call it.
pub(crate) fn shown_name(name: &str) -> &str {
    name.strip_prefix(PLAIN).unwrap_or(name)
}

/// The name in the stream of a topic as people call it.
pub(crate) fn stream_name(topic: &str) -> Option<String> {
    if is_endpoint_topic(topic) {
        Some(topic.to_owned())
    } else {
        is_plain_topic(topic).then(|| format!("{PLAIN}{topic}"))
    }
}

impl Topics {
    /// No topic is open yet.
    pub(crate) fn new(stream: Arc<dyn Stream>) -> Self {
        Self { stream, open: Mutex::default(), turns: AtomicUsize::new(0) }
    }

    /// Forgets what is open, so that it is opened anew.
    pub(crate) fn forget_open(&self) {
        self.open.lock().clear();
    }

    /// The first partition of a plain topic, which is made with these options where there is none: all of
    /// it, where nobody shares the stream.
    pub(crate) fn open(
        &self,
        topic: &str,
        options: &TopicOptions,
    ) -> Result<Arc<dyn Partition>, TopicError> {
        let partitions = self.open_all(topic, options)?;
        Ok(partitions.into_iter().next().expect("invariant: a topic has a partition"))
    }

    fn open_all(
        &self,
        topic: &str,
        options: &TopicOptions,
    ) -> Result<Vec<Arc<dyn Partition>>, TopicError> {
        let mut open = self.open.lock();
        if let Some(partitions) = open.get(topic) {
            return Ok(partitions.clone());
        }
        if !is_plain_topic(topic) {
            return Err(TopicError::Name(topic.to_owned()));
        }
        if open.len() >= PLAIN_TOPICS {
            return Err(TopicError::TooMany(topic.to_owned()));
        }
        let name = stream_name(topic).unwrap_or_default();
        let partitions = open_all(&*self.stream, &name, options)?;
        open.insert(topic.to_owned(), partitions.clone());
        Ok(partitions)
    }

    /// The partitions of a plain topic that is open, or was there before. Waits for brokers, where there
    /// are any.
    pub(crate) fn existing(&self, topic: &str) -> Option<Vec<Arc<dyn Partition>>> {
        if let Some(partitions) = self.open.lock().get(topic) {
            return Some(partitions.clone());
        }
        let name = stream_name(topic).filter(|_| is_plain_topic(topic))?;
        let is_there = self.stream.topics().is_ok_and(|topics| topics.contains(&name));
        is_there.then(|| self.open_all(topic, &TopicOptions::default()).ok())?
    }

    /// The partition of a record that has this key, of all those that its topic has. One without a key
    /// goes to those that can be reached in turns.
    pub(crate) fn partition_of(
        &self,
        key: Option<&[u8]>,
        partitions: &[Arc<dyn Partition>],
    ) -> usize {
        if let Some(key) = key {
            return partition_of_key(key, partitions.len() as u32) as usize;
        }
        let can_be = |at: &usize| !matches!(partitions[*at].health(), Health::Away { .. });
        let mut reachable: Vec<usize> = (0..partitions.len()).filter(can_be).collect();
        if reachable.is_empty() {
            reachable = (0..partitions.len()).collect();
        }
        let turn = self.turns.fetch_add(1, Ordering::Relaxed);
        reachable.get(turn % reachable.len().max(1)).copied().unwrap_or(0)
    }

    /// Every plain topic that is open, with its partitions.
    pub(crate) fn all(&self) -> Vec<(String, Vec<Arc<dyn Partition>>)> {
        let open = self.open.lock();
        open.iter().map(|(name, partitions)| (name.clone(), partitions.clone())).collect()
    }
}

#[cfg(test)]
mod tests {
    use stream::MemoryStream;

    use super::*;

    #[test]
    fn plain_topics_and_those_of_endpoints_never_meet() {
        let check = |topic, name: Option<&str>| {
            assert_eq!(stream_name(topic).as_deref(), name);
            assert!(name.is_none_or(|name| shown_name(name) == topic || is_endpoint_topic(topic)));
        };
        check("orders", Some("topics/orders"));
        check("acme/orders", Some("topics/acme/orders"));
        check("flights/answers", Some("flights/answers"));
        check("topics/answers", Some("topics/answers"));
        check("answers", None);
        check("../orders", None);
    }

    #[test]
    fn a_key_has_one_partition_and_records_without_one_take_turns() {
        let (topics, stream) = (Topics::new(Arc::new(MemoryStream::new())), MemoryStream::new());
        let open = |number| stream.open(&format!("p{number}"), &TopicOptions::default()).unwrap();
        let partitions: Vec<_> = (0..8).map(open).collect();
        let of = |key: Option<&str>| topics.partition_of(key.map(str::as_bytes), &partitions);
        // As Kafka's own client has it.
        assert_eq!([Some("a"), Some("HA"), Some("HA"), Some("")].map(of), [4, 7, 7, 1]);
        let turns: Vec<usize> = (0..9).map(|_| of(None)).collect();
        assert_eq!(turns, [0, 1, 2, 3, 4, 5, 6, 7, 0]);
    }

    #[test]
    fn so_many_topics_and_no_more() {
        let topics = Topics::new(Arc::new(MemoryStream::new()));
        let options = TopicOptions::default();
        for number in 0..PLAIN_TOPICS {
            assert!(topics.open(&format!("t{number}"), &options).is_ok());
        }
        assert!(matches!(topics.open("more", &options), Err(TopicError::TooMany(_))));
        assert!(topics.open("t7", &options).is_ok());
        assert!(matches!(topics.open("flights/answers", &options), Err(TopicError::Name(_))));
        assert!(topics.existing("t8").is_some());
        assert!(topics.existing("more").is_none());
    }
}
