//! `server.properties` of a broker for tests.

use std::fmt::Write;
use std::path::Path;

use crate::options::{Listener, Options, PLAIN_USER};

/// Where one broker is reached.
#[derive(Debug, Clone)]
pub(crate) struct Ports {
    /// Where it listens, by [`Listener::ALL`].
    pub(crate) listeners: Vec<u16>,
    /// Where clients are told to find the open listener: at the proxy, where there is one.
    pub(crate) advertised_open: u16,
    /// Where the controllers talk.
    pub(crate) controller: u16,
}

impl Ports {
    pub(crate) fn of(&self, listener: Listener) -> u16 {
        self.listeners[listener as usize]
    }

    fn advertised(&self, listener: Listener) -> u16 {
        if listener == Listener::Open { self.advertised_open } else { self.of(listener) }
    }
}

/// The same for every broker. Why a value is not Kafka's own:
///
/// - Small: one machine runs three of them beside the tests. Files in steps that a full disk of tests notices.
/// - Quick: no three seconds before a new group gets its first partitions; groups may ask for short sessions.
/// - Patient: a starved machine fenced live brokers and elected controllers over and over with the usual times.
/// - As in earnest: topics are made by whoever means to.
const COMMON: &str = "\
process.roles=broker,controller
controller.listener.names=CONTROLLER
inter.broker.listener.name=INTERNAL
auto.create.topics.enable=false
num.network.threads=2
num.io.threads=4
background.threads=2
num.recovery.threads.per.data.dir=1
log.cleaner.dedupe.buffer.size=16777216
log.segment.bytes=67108864
log.index.size.max.bytes=1048576
offsets.topic.num.partitions=4
transaction.state.log.num.partitions=4
share.coordinator.state.topic.num.partitions=1
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
controller.quorum.election.timeout.ms=3000
controller.quorum.election.backoff.max.ms=2000
controller.quorum.fetch.timeout.ms=4000
controller.quorum.request.timeout.ms=4000
initial.broker.registration.timeout.ms=600000
broker.session.timeout.ms=9000
broker.heartbeat.interval.ms=2000
";

/// What goes into the file of the broker `id` of these. `data` is where its log goes.
pub(crate) fn of(id: usize, ports: &[Ports], data: &Path, options: &Options) -> String {
    let mine = &ports[id - 1];
    let listeners = Listener::ALL.into_iter().filter(|it| options.secured || !it.is_secured());
    let listeners: Vec<Listener> = listeners.collect();
    let at = |port: &dyn Fn(Listener) -> u16| {
        let one = |it: &Listener| format!("{}://127.0.0.1:{}", it.name(), port(*it));
        listeners.iter().map(one).collect::<Vec<_>>().join(",")
    };
    let protocols = listeners.iter().map(|it| format!(",{}:{}", it.name(), it.protocol()));
    let protocols: String = protocols.collect();
    let voters = (1..).zip(ports).map(|(id, ports)| format!("{id}@127.0.0.1:{}", ports.controller));
    let voters = voters.collect::<Vec<_>>().join(",");
    let mut text = COMMON.to_owned();
    let mut line = |name: &str, value: &str| {
        writeln!(text, "{name}={value}").expect("invariant: text grows");
    };
    line("node.id", &id.to_string());
    line("log.dirs", &data.join("log").display().to_string());
    line("controller.quorum.voters", &voters);
    line(
        "listeners",
        &format!("{},CONTROLLER://127.0.0.1:{}", at(&|it| mine.of(it)), mine.controller),
    );
    line("advertised.listeners", &at(&|it| mine.advertised(it)));
    line("listener.security.protocol.map", &format!("CONTROLLER:PLAINTEXT{protocols}"));
    let replicas = ports.len().min(3);
    for topic in ["offsets.topic", "transaction.state.log", "share.coordinator.state.topic"] {
        line(&format!("{topic}.replication.factor"), &replicas.to_string());
    }
    let in_sync = if replicas == 3 { "2" } else { "1" };
    line("default.replication.factor", &replicas.to_string());
    line("min.insync.replicas", in_sync);
    line("transaction.state.log.min.isr", in_sync);
    line("share.coordinator.state.topic.min.isr", in_sync);
    if options.secured {
        secure(data, &mut line);
    }
    for (name, value) in &options.properties {
        line(name, value);
    }
    text
}

fn secure(data: &Path, line: &mut dyn FnMut(&str, &str)) {
    let certificates = data.parent().unwrap_or(data).join("certificates");
    line("ssl.keystore.type", "PEM");
    line("ssl.keystore.location", &certificates.join("server-both.pem").display().to_string());
    line("ssl.truststore.type", "PEM");
    line("ssl.truststore.location", &certificates.join("ca.pem").display().to_string());
    line("ssl.client.auth", "requested");
    line("sasl.enabled.mechanisms", "SCRAM-SHA-256,SCRAM-SHA-512,PLAIN");
    let (user, password) = PLAIN_USER;
    let modules = "org.apache.kafka.common.security";
    for listener in ["sasl_tls", "sasl_open"] {
        for mechanism in ["scram-sha-256", "scram-sha-512"] {
            let name = format!("listener.name.{listener}.{mechanism}.sasl.jaas.config");
            line(&name, &format!("{modules}.scram.ScramLoginModule required;"));
        }
        let name = format!("listener.name.{listener}.plain.sasl.jaas.config");
        let module = format!("{modules}.plain.PlainLoginModule");
        line(&name, &format!("{module} required user_{user}=\"{password}\";"));
    }
}
