//! The configuration of clients, and what they all do with what librdkafka tells them.

use std::fs::File;
use std::path::Path;
use std::time::Duration;

use rdkafka::client::ClientContext;
use rdkafka::config::{ClientConfig, RDKafkaLogLevel};
use rdkafka::consumer::{BaseConsumer, ConsumerContext};
use rdkafka::error::{KafkaError, KafkaResult, RDKafkaErrorCode as Code};
use rdkafka::producer::BaseProducer;
use rdkafka::statistics::Statistics;

use super::config::KafkaConfig;
use super::farewell::let_go;
use super::settings::{REFUSED, Role, canonical, settings};
use super::telemetry::Post;
use super::trouble::{Class, code};
use crate::OpenError;

impl KafkaConfig {
    /// Refuses what can be seen to be wrong without the cluster: no brokers, unknown or refused
    /// properties, values that make no sense, and files that cannot be read.
    pub fn check(&self) -> Result<(), OpenError> {
        if self.brokers.is_empty() {
            return Err(refused("brokers", "found none, expected one `host:port` at least"));
        }
        for broker in &self.brokers {
            check_broker(broker)?;
        }
        self.check_counts()?;
        self.properties.iter().try_for_each(|(name, value)| check_property(name, value))?;
        self.check_files()?;
        // Whatever is wrong with the whole, such as two properties that do not go together.
        for role in Role::ALL {
            self.native(role)?;
        }
        self.check_clients()
    }

    /// Makes the clients that are otherwise made only when somebody shares a topic: some rules are looked at
    /// by librdkafka no earlier. Without brokers they ask nobody.
    fn check_clients(&self) -> Result<(), OpenError> {
        let alone = |role, id| {
            let mut config = self.client(role);
            config.remove("bootstrap.servers");
            config.set(id, "check");
            config
        };
        let group: KafkaResult<BaseConsumer> = alone(Role::Group, "group.id").create();
        let_go(group.map_err(|error| not_made(&error))?, Duration::ZERO);
        let writer: KafkaResult<BaseProducer> =
            alone(Role::Transactions, "transactional.id").create();
        let_go(writer.map_err(|error| not_made(&error))?, Duration::ZERO);
        Ok(())
    }

    fn check_counts(&self) -> Result<(), OpenError> {
        let counts = self.topics.partitions_of.values().chain([&self.topics.partitions]);
        for &found in counts {
            if !(1..=MOST_PARTITIONS).contains(&found) {
                let (option, expected) = ("partitions", "1 to 65536");
                return Err(OpenError::Option { option, found: found.into(), expected });
            }
        }
        if self.topics.replication == Some(0) {
            let (option, expected) = ("replication", "1 or more");
            return Err(OpenError::Option { option, found: 0, expected });
        }
        Ok(())
    }

    fn check_files(&self) -> Result<(), OpenError> {
        let Some(tls) = &self.security.tls else { return Ok(()) };
        if tls.certificate.is_some() != tls.key.is_some() {
            return Err(refused(
                "security",
                "found a certificate or a key alone, expected both or neither",
            ));
        }
        let files = [&tls.ca, &tls.certificate, &tls.key];
        files.into_iter().flatten().try_for_each(|path| check_pem(path))
    }

    /// The configuration of a client.
    pub(crate) fn client(&self, role: Role) -> ClientConfig {
        let mut config = ClientConfig::new();
        config.log_level = RDKafkaLogLevel::Warning;
        for setting in settings().iter().filter(|setting| setting.roles.contains(&role)) {
            config.set(canonical(setting.property), setting.value(self.profile));
        }
        for (name, value) in &self.properties {
            config.set(canonical(name), value);
        }
        config.set("bootstrap.servers", self.servers()).set("client.id", &self.client_id);
        self.secure(&mut config);
        match role {
            Role::Producer | Role::Transactions => {
                // Twice what we allow, and more than the largest record, so that it is never librdkafka
                // that refuses.
                let records = self.delivery.waiting_records.saturating_mul(2).max(1);
                let kbytes = (self.delivery.waiting_bytes / 1024).max(1 << 17).saturating_mul(2);
                config.set("queue.buffering.max.messages", at_most_i32(records));
                config.set("queue.buffering.max.kbytes", at_most_i32(kbytes));
            }
            // Without a group librdkafka reads nothing. Nothing is ever committed in it.
            Role::Reader => {
                config.set("group.id", format!("{}{}", self.prefix, self.client_id));
            }
            Role::Group | Role::Admin => {}
        }
        config
    }

    fn secure(&self, config: &mut ClientConfig) {
        config.set("security.protocol", self.security.protocol());
        if let Some(tls) = &self.security.tls {
            let files = [
                ("ssl.ca.location", &tls.ca),
                ("ssl.certificate.location", &tls.certificate),
                ("ssl.key.location", &tls.key),
            ];
            for (name, path) in files {
                if let Some(path) = path {
                    config.set(name, path.to_string_lossy());
                }
            }
            if let Some(password) = &tls.key_password {
                config.set("ssl.key.password", password.reveal());
            }
        }
        if let Some(login) = &self.security.login {
            config.set("sasl.mechanisms", login.mechanism.name());
            config.set("sasl.username", &login.username);
            config.set("sasl.password", login.password.reveal());
        }
    }

    fn native(&self, role: Role) -> Result<(), OpenError> {
        self.client(role).create_native_config().map(drop).map_err(|error| wrong(&error))
    }
}

const MOST_PARTITIONS: u32 = 65_536;

fn at_most_i32(value: u64) -> String {
    value.min(i32::MAX as u64).to_string()
}

fn check_broker(broker: &str) -> Result<(), OpenError> {
    let port = broker.rsplit_once(':').filter(|(host, _)| !host.is_empty());
    if port.is_some_and(|(_, port)| port.parse::<u16>().is_ok_and(|port| port > 0)) {
        return Ok(());
    }
    Err(refused("brokers", format!("found `{broker}`, expected `host:port`")))
}

fn check_property(name: &str, value: &str) -> Result<(), OpenError> {
    let what = || format!("property `{name}`");
    if let Some((_, reason)) = REFUSED.iter().find(|(refused, _)| *refused == canonical(name)) {
        return Err(refused(what(), format!("it cannot be set: {reason}")));
    }
    let mut alone = ClientConfig::new();
    alone.set(name, value);
    match alone.create_native_config() {
        Ok(_) => Ok(()),
        Err(error) => Err(wrong(&error)),
    }
}

/// What is wrong with a configuration, by the property that librdkafka names. Its value is shown by
/// librdkafka where it helps; secrets go through unchecked, so they are never shown.
fn wrong(error: &KafkaError) -> OpenError {
    match error {
        KafkaError::ClientConfig(_, reason, name, _) => {
            refused(format!("property `{name}`"), reason.clone())
        }
        other => refused("configuration", other.to_string()),
    }
}

/// Refuses a file that cannot be read, or that holds nothing that looks like PEM.
fn check_pem(path: &Path) -> Result<(), OpenError> {
    File::open(path).map_err(|source| OpenError::io(path, source))?;
    let text = std::fs::read(path).map_err(|source| OpenError::io(path, source))?;
    if text.windows(11).any(|window| window == b"-----BEGIN ") {
        return Ok(());
    }
    Err(refused(path.display().to_string(), "found no `-----BEGIN `, expected a file in PEM"))
}

pub(crate) fn refused(what: impl Into<String>, reason: impl Into<String>) -> OpenError {
    OpenError::Refused { what: what.into(), reason: reason.into() }
}

/// Why a client could not be made, as an operator reads it.
pub(crate) fn not_made(error: &KafkaError) -> OpenError {
    match error {
        KafkaError::ClientCreation(reason) => refused("Kafka client", reason.clone()),
        other => wrong(other),
    }
}

/// What a client does with what librdkafka tells it. Contexts that do more pass the rest on to this.
#[derive(Debug)]
pub(crate) struct Link {
    pub(crate) post: Post,
}

impl Link {
    pub(crate) fn new(post: Post) -> Self {
        Self { post }
    }
}

impl ClientContext for Link {
    /// What concerns an operator comes as an error too; the log says the same in more words.
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        let client = self.post.role().name();
        match level {
            RDKafkaLogLevel::Emerg | RDKafkaLogLevel::Alert | RDKafkaLogLevel::Critical => {
                tracing::warn!(client, facility, said = message, "librdkafka");
            }
            _ => tracing::debug!(client, facility, said = message, "librdkafka"),
        }
    }

    fn stats(&self, statistics: Statistics) {
        self.post.look(&statistics);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        let code = code(&error);
        let board = self.post.board();
        match code {
            Code::PartitionEOF => {}
            // Says no more than what was said of each broker.
            Code::AllBrokersDown if board.obstacle().is_some() => {}
            code => board.note(Class::of(code), reason),
        }
    }
}

impl ConsumerContext for Link {}

#[cfg(test)]
#[path = "client_test.rs"]
mod client_test;
