//! What kinds of trouble there are with a cluster, and when an operator hears of one.

use std::fmt;
use std::time::{Duration, Instant};

use rdkafka::error::{KafkaError, RDKafkaErrorCode as Code};

use super::telemetry::Ongoing;

/// A kind of trouble, by what has to be done about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// Because a broker cannot be reached, or does not answer.
    Unreachable,
    /// Because the brokers do not accept name and password.
    Credentials,
    /// Because the certificates do not fit.
    Tls,
    /// Because what we ask for is not allowed to us.
    Rights,
    /// Because a topic or partition is not there.
    Topic,
    /// Because too few copies of a partition are in order.
    Replicas,
    /// Because a broker cannot write to its disk.
    Storage,
    /// Because a record is larger than the topic allows, or not allowed otherwise.
    Record,
    /// Because no broker has taken what was handed in, for some seconds.
    Stuck,
    /// Because a client could not go on and was made anew.
    Fatal,
    /// Because of anything else.
    Other,
}

impl Class {
    /// Those that stand in the way of everything.
    pub(crate) const OBSTACLES: [Self; 4] =
        [Self::Credentials, Self::Tls, Self::Unreachable, Self::Rights];

    /// Every one.
    pub const ALL: [Self; 11] = [
        Self::Unreachable,
        Self::Credentials,
        Self::Tls,
        Self::Rights,
        Self::Topic,
        Self::Replicas,
        Self::Storage,
        Self::Record,
        Self::Stuck,
        Self::Fatal,
        Self::Other,
    ];

    /// What it is called in metrics.
    pub fn name(self) -> &'static str {
        match self {
            Self::Unreachable => "unreachable",
            Self::Credentials => "credentials",
            Self::Tls => "tls",
            Self::Rights => "rights",
            Self::Topic => "topic",
            Self::Replicas => "replicas",
            Self::Storage => "storage",
            Self::Record => "record",
            Self::Stuck => "stuck",
            Self::Fatal => "fatal",
            Self::Other => "other",
        }
    }

    /// What an operator reads.
    fn sentence(self) -> &'static str {
        match self {
            Self::Unreachable => "a broker cannot be reached",
            Self::Credentials => "the brokers refuse name and password",
            Self::Tls => "the certificates of the brokers and ours do not fit",
            Self::Rights => "the brokers do not allow what is needed",
            Self::Topic => "a topic is missing",
            Self::Replicas => "too few copies of a partition are in order",
            Self::Storage => "a broker cannot write to its disk",
            Self::Record => "the brokers refuse records",
            Self::Stuck => "the brokers do not take records",
            Self::Fatal => "a client could not go on and is made anew",
            Self::Other => "something is wrong with the cluster",
        }
    }

    /// The kind that an error of librdkafka is of.
    pub(crate) fn of(code: Code) -> Self {
        match code {
            Code::BrokerTransportFailure
            | Code::AllBrokersDown
            | Code::Resolve
            | Code::OperationTimedOut
            | Code::MessageTimedOut
            | Code::RequestTimedOut
            | Code::NetworkException
            | Code::BrokerNotAvailable
            | Code::LeaderNotAvailable
            | Code::NotLeaderForPartition
            | Code::CoordinatorNotAvailable
            | Code::NotCoordinator => Self::Unreachable,
            Code::Authentication
            | Code::SaslAuthenticationFailed
            | Code::UnsupportedSASLMechanism => Self::Credentials,
            Code::SSL => Self::Tls,
            Code::TopicAuthorizationFailed
            | Code::GroupAuthorizationFailed
            | Code::ClusterAuthorizationFailed
            | Code::TransactionalIdAuthorizationFailed
            | Code::SecurityDisabled => Self::Rights,
            Code::UnknownTopic
            | Code::UnknownTopicOrPartition
            | Code::UnknownPartition
            | Code::InvalidTopic => Self::Topic,
            Code::NotEnoughReplicas
            | Code::NotEnoughReplicasAfterAppend
            | Code::ISRInsufficient => Self::Replicas,
            Code::KafkaStorageError => Self::Storage,
            Code::MessageSizeTooLarge
            | Code::MessageBatchTooLarge
            | Code::InvalidMessage
            | Code::InvalidMessageSize
            | Code::InvalidTimestamp
            | Code::InvalidRecord
            | Code::PolicyViolation => Self::Record,
            Code::Fatal | Code::Fenced | Code::InvalidProducerEpoch => Self::Fatal,
            _ => Self::Other,
        }
    }
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The code of an error, where it has one.
pub(crate) fn code(error: &KafkaError) -> Code {
    error.rdkafka_error_code().unwrap_or(Code::Fail)
}

/// How often one that lasts is said again.
const AGAIN_AFTER: Duration = Duration::from_secs(60);

/// How long nobody may have met one for it to be over.
const QUIET_AFTER: Duration = Duration::from_secs(5);

/// One trouble, from when it began.
#[derive(Debug)]
pub(crate) struct Trouble {
    reason: String,
    since: Instant,
    last: Instant,
    said: Instant,
    count: u64,
}

impl Trouble {
    pub(crate) fn begun(reason: &str, now: Instant) -> Self {
        Self { reason: reason.to_owned(), since: now, last: now, said: now, count: 1 }
    }

    /// Met once more. Tells whether it is time to say so.
    pub(crate) fn again(&mut self, reason: &str, now: Instant) -> bool {
        reason.clone_into(&mut self.reason);
        (self.last, self.count) = (now, self.count + 1);
        let is_time = now.duration_since(self.said) >= AGAIN_AFTER;
        if is_time {
            self.said = now;
        }
        is_time
    }

    pub(crate) fn reason(&self) -> &str {
        &self.reason
    }

    pub(crate) fn is_quiet(&self, now: Instant) -> bool {
        now.duration_since(self.last) >= QUIET_AFTER
    }

    pub(crate) fn ongoing(&self, class: Class, now: Instant) -> Ongoing {
        let lasting = now.duration_since(self.since);
        Ongoing { class, reason: self.reason.clone(), lasting, count: self.count }
    }

    pub(crate) fn say(&self, class: Class, servers: &str, now: Instant) {
        let lasting_s = now.duration_since(self.since).as_secs();
        tracing::warn!(
            trouble = class.name(),
            what = class.sentence(),
            reason = self.reason,
            brokers = servers,
            lasting_s,
            count = self.count,
            "trouble with Kafka"
        );
    }

    pub(crate) fn say_over(&self, class: Class, servers: &str, now: Instant) {
        let lasted_s = now.duration_since(self.since).as_secs();
        let trouble = class.name();
        tracing::info!(trouble, brokers = servers, lasted_s, "trouble with Kafka is over");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_that_lasts_is_said_once_a_minute() {
        let start = Instant::now();
        let mut trouble = Trouble::begun("no way", start);
        let said = (1..=180).filter(|&s| trouble.again("no way", start + Duration::from_secs(s)));
        assert_eq!(said.collect::<Vec<_>>(), [60, 120, 180]);
        assert!(!trouble.is_quiet(start + Duration::from_secs(182)));
        assert!(trouble.is_quiet(start + Duration::from_secs(185)));
    }

    #[test]
    fn errors_are_of_the_kind_that_says_what_to_do() {
        let check = |code, class: Class| assert_eq!(Class::of(code), class, "{code:?}");
        check(Code::AllBrokersDown, Class::Unreachable);
        check(Code::Authentication, Class::Credentials);
        check(Code::SSL, Class::Tls);
        check(Code::ClusterAuthorizationFailed, Class::Rights);
        check(Code::UnknownTopicOrPartition, Class::Topic);
        check(Code::MessageSizeTooLarge, Class::Record);
        check(Code::Fail, Class::Other);
    }
}
