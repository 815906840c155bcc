//! Plain topics: those that belong to no endpoint.
//!
//! In the stream they lie below `topics/`, where no endpoint can get in their way: the last part of an
//! endpoint's topic is one of a few words, and a plain topic must not end in one. A plain topic comes
//! to be when a `[flow]` names it, or by the first answer that is returned to it.

use std::collections::BTreeMap;
use std::sync::Arc;

use catalog::flow::{is_endpoint_topic, is_plain_topic};
use parking_lot::Mutex;
use stream::{OpenError, Partition, Stream, TopicOptions};
use thiserror::Error;

/// Below what plain topics lie in the stream.
pub(crate) const PLAIN: &str = "topics/";

/// How many plain topics there may be: each has files and threads of its own.
const PLAIN_TOPICS: usize = 256;

/// The plain topics of a host.
pub(crate) struct Topics {
    stream: Arc<dyn Stream>,
    open: Mutex<BTreeMap<String, Arc<dyn Partition>>>,
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
        Self { stream, open: Mutex::default() }
    }

    /// Forgets what is open, so that it is opened anew.
    pub(crate) fn forget_open(&self) {
        self.open.lock().clear();
    }

    /// A plain topic, which is made with these options where there is none.
    pub(crate) fn open(
        &self,
        topic: &str,
        options: &TopicOptions,
    ) -> Result<Arc<dyn Partition>, TopicError> {
        let mut open = self.open.lock();
        if let Some(partition) = open.get(topic) {
            return Ok(Arc::clone(partition));
        }
        if !is_plain_topic(topic) {
            return Err(TopicError::Name(topic.to_owned()));
        }
        if open.len() >= PLAIN_TOPICS {
            return Err(TopicError::TooMany(topic.to_owned()));
        }
        let name = stream_name(topic).unwrap_or_default();
        let partition = self.stream.open(&name, options)?;
        open.insert(topic.to_owned(), Arc::clone(&partition));
        Ok(partition)
    }

    /// A plain topic that is open, or was there before.
    pub(crate) fn existing(&self, topic: &str) -> Option<Arc<dyn Partition>> {
        if let Some(partition) = self.open.lock().get(topic) {
            return Some(Arc::clone(partition));
        }
        let name = stream_name(topic).filter(|_| is_plain_topic(topic))?;
        let is_there = self.stream.topics().is_ok_and(|topics| topics.contains(&name));
        is_there.then(|| self.open(topic, &TopicOptions::default()).ok())?
    }

    /// Every plain topic that is open.
    pub(crate) fn all(&self) -> Vec<(String, Arc<dyn Partition>)> {
        let open = self.open.lock();
        open.iter().map(|(name, partition)| (name.clone(), Arc::clone(partition))).collect()
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
