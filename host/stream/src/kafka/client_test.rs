//! What is refused before anybody asks a broker, and how it is said.

use std::collections::BTreeMap;
use std::io::Write;

use super::*;
use crate::kafka::config::{Login, Mechanism, Profile, Secret, Security, Tls, TopicPolicy};

fn config() -> KafkaConfig {
    KafkaConfig { brokers: vec!["127.0.0.1:9".to_owned()], ..KafkaConfig::default() }
}

fn check(config: &KafkaConfig, expected: &str) {
    let found = config.check().map_err(|error| error.to_string());
    assert!(found.as_ref().is_err_and(|found| found.contains(expected)), "found {found:?}");
}

fn with(name: &str, value: &str) -> KafkaConfig {
    let properties = BTreeMap::from([(name.to_owned(), value.to_owned())]);
    KafkaConfig { properties, ..config() }
}

#[test]
fn what_librdkafka_takes_is_taken() {
    for profile in Profile::ALL {
        let config = KafkaConfig { profile, ..with("socket.keepalive.enable", "false") };
        config.check().unwrap();
        let producer: Result<BaseProducer, _> = config.client(Role::Producer).create();
        producer.map(drop).unwrap();
        assert_eq!(config.client(Role::Reader).get("socket.keepalive.enable"), Some("false"));
    }
}

#[test]
fn properties_are_refused_by_name() {
    check(&with("linger.mss", "1"), "property `linger.mss`: No such configuration property");
    check(&with("linger.ms", "soon"), "property `linger.ms`: Invalid value");
    check(&with("acks", "1"), "property `acks`: it cannot be set: what is acknowledged");
    check(
        &with("request.required.acks", "0"),
        "property `request.required.acks`: it cannot be set",
    );
    check(&with("group.protocol", "consumer"), "property `group.protocol`: it cannot be set");
}

#[test]
fn properties_that_do_not_go_together_are_refused() {
    check(
        &with("max.poll.interval.ms", "5000"),
        "`max.poll.interval.ms`must be >= `session.timeout.ms`",
    );
    check(&with("transaction.timeout.ms", "5000"), "`transaction.timeout.ms`");
}

#[test]
fn another_name_of_a_property_replaces_ours() {
    let config = with("queue.buffering.max.ms", "7").client(Role::Producer);
    assert_eq!((config.get("linger.ms"), config.get("queue.buffering.max.ms")), (Some("7"), None));
}

#[test]
fn every_refused_property_is_one_that_librdkafka_knows() {
    for (property, _) in REFUSED {
        let mut alone = ClientConfig::new();
        alone.set(*property, "?");
        let error = alone.create_native_config().map(drop).map_err(|error| error.to_string());
        let unknown = error.is_err_and(|error| error.contains("No such configuration property"));
        assert!(!unknown, "{property}");
    }
}

#[test]
fn brokers_and_counts_have_to_make_sense() {
    check(&KafkaConfig { brokers: Vec::new(), ..config() }, "brokers: found none");
    for broker in ["kafka", "kafka:", ":9092", "kafka:0", "kafka:x"] {
        let config = KafkaConfig { brokers: vec![broker.to_owned()], ..config() };
        check(&config, &format!("found `{broker}`, expected `host:port`"));
    }
    let topics = TopicPolicy { partitions: 0, ..TopicPolicy::default() };
    check(&KafkaConfig { topics, ..config() }, "found partitions = 0");
}

#[test]
fn files_that_cannot_be_read_are_named() {
    let tls = |tls| KafkaConfig { security: Security { tls: Some(tls), login: None }, ..config() };
    let missing = Tls { ca: Some("/no/such/ca.pem".into()), ..Tls::default() };
    check(&tls(missing), "could not open /no/such/ca.pem");
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(b"no certificate").unwrap();
    let no_pem = Tls { ca: Some(file.path().to_owned()), ..Tls::default() };
    check(&tls(no_pem), "expected a file in PEM");
    let alone = Tls { key: Some(file.path().to_owned()), ..Tls::default() };
    check(&tls(alone), "a certificate or a key alone");
}

#[test]
fn name_and_password_go_to_librdkafka() {
    let login = Login {
        mechanism: Mechanism::ScramSha512,
        username: "alice".to_owned(),
        password: Secret::new("hush"),
    };
    let security = Security { tls: Some(Tls::default()), login: Some(login) };
    let config = KafkaConfig { security, ..config() };
    config.check().unwrap();
    let client = config.client(Role::Group);
    assert_eq!(client.get("security.protocol"), Some("sasl_ssl"));
    assert_eq!(client.get("sasl.mechanisms"), Some("SCRAM-SHA-512"));
    assert_eq!(client.get("sasl.password"), Some("hush"));
}
