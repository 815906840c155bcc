//! Which settings of librdkafka each client has in each profile, and why.
//!
//! One table, so that the documentation can be held against it. What operators say goes before it,
//! except for the properties of [`REFUSED`], on which promises rest.

use super::config::Profile;

/// What a client is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Writes the records that are handed in.
    Producer,
    /// Writes what is written all or nothing.
    Transactions,
    /// Reads the partitions that somebody reads.
    Reader,
    /// Is a member of a group.
    Group,
    /// Asks about topics and makes them, and keeps the commits of readers outside of groups.
    Admin,
}

impl Role {
    /// Every one.
    pub const ALL: [Self; 5] =
        [Self::Producer, Self::Transactions, Self::Reader, Self::Group, Self::Admin];

    /// What it is called where operators see it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Producer => "producer",
            Self::Transactions => "transactions",
            Self::Reader => "reader",
            Self::Group => "group",
            Self::Admin => "admin",
        }
    }
}

/// One setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Setting {
    /// The name that librdkafka has for it.
    pub property: &'static str,
    /// Its value for [`Profile::LowLatency`].
    pub low_latency: &'static str,
    /// Its value for [`Profile::Throughput`].
    pub throughput: &'static str,
    /// The clients that have it.
    pub roles: &'static [Role],
    /// Why it is so.
    pub reason: &'static str,
}

impl Setting {
    /// Its value in a profile.
    pub fn value(&self, profile: Profile) -> &'static str {
        match profile {
            Profile::LowLatency => self.low_latency,
            Profile::Throughput => self.throughput,
        }
    }

    const fn always(
        property: &'static str,
        value: &'static str,
        roles: &'static [Role],
        reason: &'static str,
    ) -> Self {
        Self { property, low_latency: value, throughput: value, roles, reason }
    }

    const fn either(
        property: &'static str,
        [low_latency, throughput]: [&'static str; 2],
        roles: &'static [Role],
        reason: &'static str,
    ) -> Self {
        Self { property, low_latency, throughput, roles, reason }
    }
}

const WRITERS: &[Role] = &[Role::Producer, Role::Transactions];
const READERS: &[Role] = &[Role::Reader, Role::Group];
const CONSUMERS: &[Role] = &[Role::Reader, Role::Group, Role::Admin];
const PRODUCER: &[Role] = &[Role::Producer];
const TRANSACTIONS: &[Role] = &[Role::Transactions];
const GROUP: &[Role] = &[Role::Group];
const EVERY: &[Role] = &Role::ALL;

/// Every setting that differs from what librdkafka has by itself, or that a promise rests on.
pub fn settings() -> &'static [Setting] {
    SETTINGS
}

const SETTINGS: &[Setting] = &[
    // Writing.
    Setting::always("acks", "all", WRITERS, "what is acknowledged outlives the loss of a broker"),
    Setting::always(
        "enable.idempotence",
        "true",
        WRITERS,
        "what is sent again after an error is there once, and in order",
    ),
    Setting::either(
        "linger.ms",
        ["0", "20"],
        WRITERS,
        "an answer does not wait for others; or it does, and they travel together",
    ),
    Setting::either(
        "compression.codec",
        ["none", "lz4"],
        WRITERS,
        "small batches shrink little and cost time; large ones save disk and network",
    ),
    Setting::always(
        "message.max.bytes",
        "67108864",
        WRITERS,
        "topics and the limit of a record decide what is too large, not the client",
    ),
    Setting::always(
        "message.timeout.ms",
        "0",
        PRODUCER,
        "nothing is given up while the brokers are away; what waits is bounded by its size",
    ),
    Setting::always(
        "request.timeout.ms",
        "10000",
        WRITERS,
        "a broker that hangs is given up for another after 10 s",
    ),
    Setting::always(
        "transaction.timeout.ms",
        "10000",
        TRANSACTIONS,
        "a host that died holds up readers of what is committed for no longer than this",
    ),
    Setting::always(
        "message.timeout.ms",
        "8000",
        TRANSACTIONS,
        "a transaction that cannot be written in time is given up as a whole and tried again",
    ),
    Setting::always(
        "retry.backoff.ms",
        "10",
        TRANSACTIONS,
        "a transaction that meets the end of the one before it is asked for again at once",
    ),
    // Reading.
    Setting::always(
        "isolation.level",
        "read_committed",
        CONSUMERS,
        "what was given up in a transaction is never seen",
    ),
    Setting::always(
        "enable.auto.commit",
        "false",
        CONSUMERS,
        "a request is committed when its answer is written, not when it was read",
    ),
    Setting::always("enable.auto.offset.store", "false", CONSUMERS, "the same"),
    Setting::always(
        "auto.offset.reset",
        "earliest",
        CONSUMERS,
        "a request that nobody has committed is not skipped",
    ),
    Setting::always("check.crcs", "true", READERS, "what was damaged on the way is not read"),
    Setting::always(
        "fetch.min.bytes",
        "1",
        READERS,
        "a broker answers as soon as there is a record",
    ),
    Setting::either(
        "fetch.wait.max.ms",
        ["100", "500"],
        READERS,
        "how long a partition that is newly read may wait for a question that is under way",
    ),
    Setting::either(
        "fetch.error.backoff.ms",
        ["100", "500"],
        READERS,
        "how soon a partition is asked for again, such as after a change of its leader",
    ),
    Setting::either(
        "fetch.queue.backoff.ms",
        ["10", "100"],
        READERS,
        "how soon is read on after the bound of what is read ahead was reached",
    ),
    Setting::either(
        "queued.min.messages",
        ["2000", "100000"],
        READERS,
        "how many records are read ahead",
    ),
    Setting::either(
        "queued.max.messages.kbytes",
        ["8192", "65536"],
        READERS,
        "how much memory a client takes for what is read ahead",
    ),
    // Groups.
    Setting::always(
        "partition.assignment.strategy",
        "cooperative-sticky",
        GROUP,
        "when hosts come and go, the partitions that need not move stay where they are",
    ),
    Setting::either(
        "session.timeout.ms",
        ["10000", "30000"],
        GROUP,
        "how long a host may be silent before others take over what it owns",
    ),
    Setting::either("heartbeat.interval.ms", ["1000", "3000"], GROUP, "a tenth of it"),
    Setting::always(
        "max.poll.interval.ms",
        "30000",
        GROUP,
        "a host that hangs is found out; and half of it bounds a missed wake-up",
    ),
    // All of them.
    Setting::always(
        "allow.auto.create.topics",
        "false",
        EVERY,
        "topics are made on purpose, with the partitions that are said",
    ),
    Setting::always(
        "socket.timeout.ms",
        "10000",
        EVERY,
        "a broker that hangs is given up for another after 10 s",
    ),
    Setting::always(
        "socket.keepalive.enable",
        "true",
        EVERY,
        "a cut connection is noticed when idle",
    ),
    Setting::always(
        "socket.connection.setup.timeout.ms",
        "5000",
        EVERY,
        "an address that does not answer is given up for the next",
    ),
    Setting::always(
        "reconnect.backoff.max.ms",
        "2000",
        EVERY,
        "brokers that are back are found within seconds",
    ),
    Setting::always(
        "topic.metadata.refresh.interval.ms",
        "30000",
        EVERY,
        "topics that were deleted or have grown are noticed",
    ),
    Setting::always("log.connection.close", "false", EVERY, "brokers close what is idle: no news"),
    Setting::always("enable.metrics.push", "false", EVERY, "our metrics are at our own address"),
    Setting::either(
        "statistics.interval.ms",
        ["2000", "5000"],
        EVERY,
        "metrics and the state of the brokers come from them",
    ),
];

/// Properties that operators cannot set, and why.
pub const REFUSED: &[(&str, &str)] = &[
    ("bootstrap.servers", "brokers has a key of its own"),
    ("client.id", "the name of the client has a key of its own"),
    ("security.protocol", "security has a section of its own"),
    ("sasl.mechanisms", "security has a section of its own"),
    ("sasl.username", "security has a section of its own"),
    ("sasl.password", "security has a section of its own"),
    ("ssl.ca.location", "security has a section of its own"),
    ("ssl.certificate.location", "security has a section of its own"),
    ("ssl.key.location", "security has a section of its own"),
    ("ssl.key.password", "security has a section of its own"),
    ("acks", "what is acknowledged would not outlive the loss of a broker"),
    ("enable.idempotence", "records could be there twice or out of order"),
    ("enable.gapless.guarantee", "one record that is refused would stop all others"),
    ("max.in.flight.requests.per.connection", "records could be out of order"),
    ("queuing.strategy", "records could be out of order"),
    ("retries", "records would be lost while the brokers are away"),
    ("message.timeout.ms", "records would be lost while the brokers are away"),
    ("queue.buffering.max.messages", "what may wait has keys of its own"),
    ("queue.buffering.max.kbytes", "what may wait has keys of its own"),
    ("delivery.report.only.error", "nothing would ever be acknowledged"),
    ("transactional.id", "each host needs one of its own"),
    ("enable.auto.commit", "requests would be committed before they are answered"),
    ("auto.commit.interval.ms", "requests would be committed before they are answered"),
    ("enable.auto.offset.store", "requests would be committed before they are answered"),
    ("offset.store.method", "commits would not be where other hosts look for them"),
    ("auto.offset.reset", "requests would be skipped"),
    ("isolation.level", "what was given up in a transaction would be seen"),
    ("group.id", "groups are named after endpoints"),
    ("group.instance.id", "two hosts with the same would shut each other out"),
    ("group.protocol", "the new protocol has faults in the release of librdkafka that is built in"),
    (
        "group.remote.assignor",
        "the new protocol has faults in the release of librdkafka that is built in",
    ),
    ("partition.assignment.strategy", "members of a group have to agree on it"),
    ("enable.partition.eof", "the end of a partition is found by other means"),
    ("allow.auto.create.topics", "topics would be made with partitions that do not fit"),
    ("topic.blacklist", "topics would be there and not be seen"),
    ("plugin.library.paths", "it would load a library into the host"),
    ("ssl.engine.location", "it would load a library into the host"),
    ("ssl.providers", "it would load a library into the host"),
    ("sasl.kerberos.kinit.cmd", "it would run a command"),
    ("log_level", "the log of the host has a level of its own"),
    ("log.queue", "the log would not be heard"),
    ("enabled_events", "events would not be heard"),
    ("internal.termination.signal", "it would change the signals of the process"),
    ("test.mock.num.brokers", "nothing would be kept anywhere"),
];

/// Other names that librdkafka has for the same property.
const ALIASES: &[(&str, &str)] = &[
    ("metadata.broker.list", "bootstrap.servers"),
    ("max.in.flight", "max.in.flight.requests.per.connection"),
    ("sasl.mechanism", "sasl.mechanisms"),
    ("max.partition.fetch.bytes", "fetch.message.max.bytes"),
    ("queue.buffering.max.ms", "linger.ms"),
    ("message.send.max.retries", "retries"),
    ("compression.type", "compression.codec"),
    ("request.required.acks", "acks"),
    ("delivery.timeout.ms", "message.timeout.ms"),
    ("auto.commit.enable", "enable.auto.commit"),
];

/// The one name of a property that may have several.
pub(crate) fn canonical(property: &str) -> &str {
    let alias = ALIASES.iter().find(|(alias, _)| *alias == property);
    alias.map_or(property, |&(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_client_has_a_setting_once() {
        for role in Role::ALL {
            let mut names: Vec<_> = settings()
                .iter()
                .filter(|setting| setting.roles.contains(&role))
                .map(|setting| canonical(setting.property))
                .collect();
            let all = names.len();
            names.sort_unstable();
            names.dedup();
            assert_eq!(names.len(), all, "{role:?}");
        }
    }

    #[test]
    fn what_is_refused_is_named_as_librdkafka_names_it() {
        for (property, _) in REFUSED {
            assert_eq!(canonical(property), *property);
        }
    }
}
