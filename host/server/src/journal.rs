//! The topics of one endpoint: `requests`, `scores`, `answers`, `events` and `dead-letters`.

use std::sync::Arc;

use message::EndpointName;
use stream::{
    AppendError, Fsync, OpenError, Partition, Source, Stream, Subscription, TopicOptions,
};

/// The name under which the rendezvous commits.
pub(crate) const READER: &str = "rendezvous";

/// The topics of one endpoint.
pub(crate) struct Journal {
    /// What every model sees, byte for byte. As all of the partitioned topics, it has one partition
    /// where nobody shares the stream.
    pub(crate) requests: Vec<Arc<dyn Partition>>,
    /// What each model said, late ones too.
    pub(crate) scores: Vec<Arc<dyn Partition>>,
    /// The one official answer of each request, in the partition of the same number.
    pub(crate) answers: Vec<Arc<dyn Partition>>,
    /// Who was staged, promoted, refused or sent to quarantine, and why.
    pub(crate) events: Arc<dyn Partition>,
    /// Records that were to be requests and are none, with the reason.
    pub(crate) dead_letters: Arc<dyn Partition>,
    /// Whether other hosts read and write the same topics.
    pub(crate) is_shared: bool,
    /// Whether readers see a record only after it is on the disk.
    pub(crate) shows_synced_only: bool,
}

/// The name of a topic of an endpoint in the stream.
pub(crate) fn topic_name(endpoint: &str, topic: &str) -> String {
    format!("{endpoint}/{topic}")
}

impl Journal {
    /// Opens the topics, and makes those that are not there.
    ///
    /// Waits for the brokers where the stream is kept by some.
    pub(crate) fn open(
        stream: &dyn Stream,
        endpoint: &EndpointName,
        options: &TopicOptions,
    ) -> Result<Self, OpenError> {
        let name = |topic: &str| topic_name(endpoint.as_str(), topic);
        let requests = open_all(stream, &name("requests"), options)?;
        let of_requests = |topic: &str| {
            let found = open_all(stream, &name(topic), options)?;
            match found.len() == requests.len() {
                true => Ok(found),
                false => Err(OpenError::Refused {
                    what: format!("topic `{}`", name(topic)),
                    reason: format!(
                        "found {} partitions, expected {} as `{}` has",
                        found.len(),
                        requests.len(),
                        name("requests"),
                    ),
                }),
            }
        };
        let (scores, answers) = (of_requests("scores")?, of_requests("answers")?);
        Ok(Self {
            scores,
            answers,
            events: stream.open(&name("events"), options)?,
            dead_letters: stream.open(&name("dead-letters"), options)?,
            is_shared: stream.is_shared(),
            shows_synced_only: options.fsync == Fsync::Each,
            requests,
        })
    }

    /// Where the answers to the requests of a partition go, of whichever topic that is.
    pub(crate) fn answers_to(&self, source: &Source) -> &Arc<dyn Partition> {
        &self.answers[source.partition as usize % self.answers.len()]
    }

    /// Where the scores of the requests of a partition go.
    pub(crate) fn scores_of(&self, source: &Source) -> &Arc<dyn Partition> {
        &self.scores[source.partition as usize % self.scores.len()]
    }

    /// Calls `wake` whenever more of what the driver writes can be read.
    pub(crate) fn subscribe(&self, wake: &Arc<dyn Fn(u64) + Send + Sync>) -> Vec<Subscription> {
        let written = self.requests.iter().chain(&self.answers).chain([&self.dead_letters]);
        written.map(|partition| partition.subscribe(Arc::clone(wake))).collect()
    }

    /// Commits how far the requests are done, and from where on later answers are to be looked for. Where
    /// the stream is shared, the group is told instead.
    pub(crate) fn commit(&self, requests: u64, answers: u64) -> Result<(), AppendError> {
        // In this order: after a crash between the two, answers are looked for from further back.
        self.requests[0].commit(READER, requests)?;
        self.answers[0].commit(READER, answers)
    }

    /// Every topic with its word.
    pub(crate) fn topics(&self) -> [(&'static str, &[Arc<dyn Partition>]); 5] {
        let one = std::slice::from_ref::<Arc<dyn Partition>>;
        [
            ("requests", &self.requests),
            ("scores", &self.scores),
            ("answers", &self.answers),
            ("events", one(&self.events)),
            ("dead-letters", one(&self.dead_letters)),
        ]
    }
}

/// Opens every partition of a topic.
pub(crate) fn open_all(
    stream: &dyn Stream,
    topic: &str,
    options: &TopicOptions,
) -> Result<Vec<Arc<dyn Partition>>, OpenError> {
    let partitions = stream.partitions(topic, options)?;
    (0..partitions.max(1)).map(|number| stream.open_partition(topic, number, options)).collect()
}
