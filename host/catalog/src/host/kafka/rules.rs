//! What must hold between the keys of `[stream.kafka]`, which their types alone cannot say.

use std::collections::BTreeMap;

use super::{KafkaConfig, Security};
use crate::document::{Document, KeyPath};
use crate::host::stream::{Backend, HostStream};
use crate::problem::Problem;

/// The most partitions of a topic that the host makes.
const PARTITIONS_LIMIT: usize = 10_000;
/// The most replicas.
const REPLICATION_LIMIT: usize = 100;

/// Finds the first thing of `[stream]` that cannot be.
pub(in crate::host) fn check(stream: &HostStream, document: &Document) -> Result<(), Problem> {
    let here = KeyPath::new("stream").key("kafka");
    if stream.backend == Backend::Kafka && stream.kafka.brokers.is_empty() {
        let problem = document.problem_at(&here.key("brokers"), "no broker");
        return Err(problem.expected("at least one such as \"kafka-1:9092\""));
    }
    numbers(&stream.kafka, &here, document)?;
    security(&stream.kafka.security, &here.clone().key("security"), document)?;
    names(&stream.kafka.names, &here.key("names"), document)
}

fn numbers(kafka: &KafkaConfig, here: &KeyPath, document: &Document) -> Result<(), Problem> {
    let topics = &kafka.topics;
    let limits = [
        ("partitions", Some(topics.partitions), PARTITIONS_LIMIT),
        ("replication", topics.replication, REPLICATION_LIMIT),
    ];
    for (key, number, limit) in limits {
        if let Some(number) = number.filter(|number| *number > limit) {
            let path = here.clone().key("topics").key(key);
            let problem = document.problem_at(&path, number.to_string());
            return Err(problem.expected(format!("at most {limit}")));
        }
    }
    Ok(())
}

/// Each key of the security with whether it is there, and what it is good for.
fn security(security: &Security, here: &KeyPath, document: &Document) -> Result<(), Problem> {
    let problem = |key: &str, found: &str| document.problem_at(&here.clone().key(key), found);
    let protocol = security.protocol;
    let for_passwords = [
        ("mechanism", security.mechanism.is_some()),
        ("username", security.username.is_some()),
        ("password_file", security.password_file.is_some()),
        ("password_env", security.password_env.is_some()),
    ];
    for (key, is_there) in for_passwords {
        if is_there && !protocol.has_password() {
            let expected = "\"sasl-ssl\" or \"sasl-plaintext\" as the protocol";
            return Err(problem(key, "it beside a protocol without passwords").expected(expected));
        }
    }
    let for_encryption = [
        ("ca", security.ca.is_some()),
        ("certificate", security.certificate.is_some()),
        ("key", security.key.is_some()),
        ("key_password_file", security.key_password_file.is_some()),
    ];
    for (key, is_there) in for_encryption {
        if is_there && !protocol.is_encrypted() {
            let expected = "\"ssl\" or \"sasl-ssl\" as the protocol";
            return Err(problem(key, "it beside a protocol without encryption").expected(expected));
        }
    }
    if protocol.has_password() {
        for (key, is_there) in &for_passwords[..2] {
            if !is_there {
                return Err(
                    problem(key, "none").expected("one, for the protocol asks for a password")
                );
            }
        }
        one_password(security, &problem)?;
    }
    match (&security.certificate, &security.key, &security.key_password_file) {
        (Some(_), None, _) => Err(problem("certificate", "it without \"key\"").expected("both")),
        (None, Some(_), _) => Err(problem("key", "it without \"certificate\"").expected("both")),
        (_, None, Some(_)) => {
            Err(problem("key_password_file", "it without \"key\"").expected("both"))
        }
        _ => Ok(()),
    }
}

fn one_password(
    security: &Security,
    problem: &dyn Fn(&str, &str) -> Problem,
) -> Result<(), Problem> {
    let (key, found) = match (&security.password_file, &security.password_env) {
        (Some(_), Some(_)) => ("password_env", "it beside a \"password_file\""),
        (None, None) => ("password_file", "neither \"password_file\" nor \"password_env\""),
        _ => return Ok(()),
    };
    Err(problem(key, found).expected("one of \"password_file\", \"password_env\""))
}

/// No two topics may be one in the cluster.
fn names(
    names: &BTreeMap<String, String>,
    here: &KeyPath,
    document: &Document,
) -> Result<(), Problem> {
    let mut taken = BTreeMap::new();
    for (topic, name) in names {
        if let Some(other) = taken.insert(name, topic) {
            let found = format!("{name:?}, which is {other} already");
            let problem = document.problem_at(&here.clone().key(topic), found);
            return Err(problem.expected("a topic of its own for each"));
        }
    }
    Ok(())
}
