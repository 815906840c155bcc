//! The topics of one endpoint: `requests`, `scores`, `answers`, `events` and `dead-letters`.

use std::sync::Arc;

use message::EndpointName;
use stream::{AppendError, Fsync, OpenError, Partition, Stream, Subscription, TopicOptions};

/// The name under which the rendezvous commits.
pub(crate) const READER: &str = "rendezvous";

/// The topics of one endpoint.
pub(crate) struct Journal {
    /// What every model sees, byte for byte.
    pub(crate) requests: Arc<dyn Partition>,
    /// What each model said, late ones too.
    pub(crate) scores: Arc<dyn Partition>,
    /// The one official answer of each request.
    pub(crate) answers: Arc<dyn Partition>,
    /// Who was staged, promoted, refused or sent to quarantine, and why.
    pub(crate) events: Arc<dyn Partition>,
    /// Records that were to be requests and are none, with the reason.
    pub(crate) dead_letters: Arc<dyn Partition>,
    /// Whether readers see a record only after it is on the disk.
    pub(crate) shows_synced_only: bool,
}

/// The name of a topic of an endpoint in the stream.
pub(crate) fn topic_name(endpoint: &str, topic: &str) -> String {
    format!("{endpoint}/{topic}")
}

impl Journal {
    /// Opens the topics, and makes those that are not there.
    pub(crate) fn open(
        stream: &dyn Stream,
        endpoint: &EndpointName,
        options: &TopicOptions,
    ) -> Result<Self, OpenError> {
        let open = |topic: &str| stream.open(&topic_name(endpoint.as_str(), topic), options);
        Ok(Self {
            requests: open("requests")?,
            scores: open("scores")?,
            answers: open("answers")?,
            events: open("events")?,
            dead_letters: open("dead-letters")?,
            shows_synced_only: options.fsync == Fsync::Each,
        })
    }

    /// Calls `wake` whenever more of the requests or the answers can be read.
    pub(crate) fn subscribe(&self, wake: Arc<dyn Fn(u64) + Send + Sync>) -> [Subscription; 2] {
        [self.requests.subscribe(Arc::clone(&wake)), self.answers.subscribe(wake)]
    }

    /// Commits how far the requests are done, and from where on later answers are to be looked for.
    pub(crate) fn commit(&self, requests: u64, answers: u64) -> Result<(), AppendError> {
        // In this order: after a crash between the two, answers are looked for from further back.
        self.requests.commit(READER, requests)?;
        self.answers.commit(READER, answers)
    }

    /// Every topic with its word.
    pub(crate) fn topics(&self) -> [(&'static str, &Arc<dyn Partition>); 5] {
        [
            ("requests", &self.requests),
            ("scores", &self.scores),
            ("answers", &self.answers),
            ("events", &self.events),
            ("dead-letters", &self.dead_letters),
        ]
    }
}
