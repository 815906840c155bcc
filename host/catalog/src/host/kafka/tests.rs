//! What the section of a cluster may say, and what is refused of it.

use std::path::Path;

use super::*;
use crate::host::HostConfig;
use crate::host::stream::{Backend, HostStream};

fn parse(text: &str) -> Result<HostStream, String> {
    let config = HostConfig::parse(Path::new("etc/u.toml"), text);
    config.map(|config| config.stream).map_err(|problem| problem.to_string())
}

fn refused(text: &str, expected: &str) {
    assert_eq!(parse(text).unwrap_err(), format!("etc/u.toml:{expected}"), "{text}");
}

#[test]
fn every_key_is_read() {
    let stream = parse(
        "[stream]
        backend = 'kafka'
        [stream.kafka]
        brokers = ['kafka-1:9092', '[::1]:9092']
        prefix = 'prod.'
        profile = 'throughput'
        [stream.kafka.security]
        protocol = 'sasl-ssl'
        mechanism = 'scram-sha-256'
        username = 'understudy'
        password_file = 'secrets/kafka'
        ca = '/etc/ca.pem'
        certificate = 'client.pem'
        key = 'client.key'
        key_password_file = 'secrets/key'
        [stream.kafka.topics]
        create = false
        partitions = 3
        replication = 2
        retention = { age = '1h', size = '10 GiB' }
        compact = ['prices', 'acme/prices']
        [stream.kafka.delivery]
        unsent_limit = '1MiB'
        unsent_records = 7
        [stream.kafka.names]
        'flights/requests' = 'prod-flights-in'
        orders = 'ORDERS'
        [stream.kafka.properties]
        'socket.keepalive.enable' = true
        socket.timeout.ms = 5000
        debug = 'broker'",
    );
    let HostStream { backend, kafka } = stream.unwrap();
    assert_eq!((backend, kafka.profile), (Backend::Kafka, Profile::Throughput));
    assert_eq!(kafka.brokers, ["kafka-1:9092", "[::1]:9092"]);
    assert_eq!(kafka.prefix, "prod.");
    let security = &kafka.security;
    assert_eq!(security.protocol, Protocol::SaslSsl);
    assert_eq!(security.mechanism, Some(Mechanism::ScramSha256));
    assert_eq!(security.username.as_deref(), Some("understudy"));
    let file = |file: &Option<PathBuf>| file.as_ref().map(|it| it.display().to_string());
    assert_eq!(file(&security.password_file).as_deref(), Some("etc/secrets/kafka"));
    assert_eq!(file(&security.ca).as_deref(), Some("/etc/ca.pem"));
    assert_eq!(file(&security.certificate).as_deref(), Some("etc/client.pem"));
    assert_eq!(file(&security.key).as_deref(), Some("etc/client.key"));
    assert_eq!(file(&security.key_password_file).as_deref(), Some("etc/secrets/key"));
    let topics = &kafka.topics;
    assert_eq!((topics.create, topics.partitions, topics.replication), (false, 3, Some(2)));
    assert_eq!(topics.retention.age, Some(Duration::from_secs(3600)));
    assert_eq!(topics.retention.size_bytes, Some(10 << 30));
    assert_eq!(topics.compact, ["prices", "acme/prices"]);
    assert_eq!(kafka.delivery, Delivery { unsent_limit_bytes: 1 << 20, unsent_records: 7 });
    assert_eq!(kafka.names["flights/requests"], "prod-flights-in");
    assert_eq!(kafka.names["orders"], "ORDERS");
    let properties: Vec<_> = kafka.properties.iter().map(|(key, it)| (&**key, &**it)).collect();
    let expected =
        [("debug", "broker"), ("socket.keepalive.enable", "true"), ("socket.timeout.ms", "5000")];
    assert_eq!(properties, expected);
}

#[test]
fn without_a_word_records_are_kept_by_the_host_itself() {
    assert_eq!(parse("").unwrap().backend, Backend::Embedded);
    let kafka =
        parse("[stream]\nbackend = 'kafka'\n[stream.kafka]\nbrokers = ['k:1']").unwrap().kafka;
    assert_eq!((kafka.prefix.as_str(), kafka.topics.partitions), ("understudy.", 8));
    assert_eq!(kafka.security, Security::default());
}

#[test]
fn a_mistake_names_line_key_found_and_expected() {
    refused(
        "[stream]\nbackend = 'kafka'",
        "1: stream.kafka.brokers: found no broker, expected at least one such as \"kafka-1:9092\"",
    );
    refused(
        "[stream]\nbackend = 'kafak'",
        "2: stream.backend: found \"kafak\", expected one of \"embedded\", \"kafka\"; did you mean \
         \"kafka\"?",
    );
    for broker in ["kafka-1", "kafka-1:0", "kafka-1:70000", "::1:9092", "ssl://k:1", ":1", "a,b:1"]
    {
        refused(
            &format!("[stream.kafka]\nbrokers = ['{broker}']"),
            &format!(
                "2: stream.kafka.brokers[0]: found {broker:?}, expected a broker and its port such \
                 as \"kafka-1:9092\""
            ),
        );
    }
    refused(
        "[stream.kafka.topics]\npartitions = 0",
        "2: stream.kafka.topics.partitions: found 0, expected a whole number from 1 to 1000000000",
    );
    refused(
        "[stream.kafka.topics]\npartitions = 10001",
        "2: stream.kafka.topics.partitions: found 10001, expected at most 10000",
    );
    refused(
        "[stream.kafka.topics]\ncompact = ['flights/answers']",
        "2: stream.kafka.topics.compact[0]: found \"flights/answers\", expected a plain topic such \
         as \"orders\" or, of a tenant, \"acme/orders\"",
    );
    refused(
        "[stream.kafka.names]\n'a/b/c/d' = 'x'",
        "2: stream.kafka.names: found \"a/b/c/d\", expected a plain topic such as \"orders\", or \
         one of an endpoint such as \"flights/answers\"",
    );
    refused(
        "[stream.kafka.names]\norders = 'a/b'",
        "2: stream.kafka.names.orders: found \"a/b\", expected the name of a Kafka topic: at most \
         249 letters, digits, \".\", \"_\" and \"-\"",
    );
    refused(
        "[stream.kafka.names]\na = 'x'\nb = 'x'",
        "3: stream.kafka.names.b: found \"x\", which is a already, expected a topic of its own for \
         each",
    );
    refused(
        "[stream.kafka.properties]\n'a.b' = 1.5",
        "2: stream.kafka.properties.a.b: found 1.5, expected the value of a property: a text, a \
         whole number, true or false",
    );
    refused(
        "[stream.kafka.properties]\n'a.b' = 1\na.b = 2",
        "3: stream.kafka.properties.a.b: found a property a second time",
    );
}

#[test]
fn security_is_whole_and_holds_no_password() {
    let refused = |text: &str, expected: &str| {
        refused(
            &format!("[stream.kafka.security]\n{text}"),
            &expected.replace('@', "stream.kafka.security"),
        );
    };
    refused("password = 'secret'", PASSWORD);
    refused(
        "protocol = 'sasl-ssl'\nmechanism = 'plain'\nusername = 'u'",
        "1: @.password_file: found neither \"password_file\" nor \"password_env\", expected one of \
         \"password_file\", \"password_env\"",
    );
    refused(
        "protocol = 'sasl-ssl'\nmechanism = 'plain'\nusername = 'u'\npassword_file = 'f'\n\
         password_env = 'E'",
        "6: @.password_env: found it beside a \"password_file\", expected one of \"password_file\", \
         \"password_env\"",
    );
    refused(
        "protocol = 'sasl-ssl'\nusername = 'u'",
        "1: @.mechanism: found none, expected one, for the protocol asks for a password",
    );
    refused(
        "protocol = 'ssl'\nusername = 'u'",
        "3: @.username: found it beside a protocol without passwords, expected \"sasl-ssl\" or \
         \"sasl-plaintext\" as the protocol",
    );
    refused(
        "ca = 'ca.pem'",
        "2: @.ca: found it beside a protocol without encryption, expected \"ssl\" or \"sasl-ssl\" \
         as the protocol",
    );
    refused(
        "protocol = 'ssl'\ncertificate = 'c'",
        "3: @.certificate: found it without \"key\", expected both",
    );
    refused(
        "password_env = '7'",
        "2: @.password_env: found \"7\", expected the name of a variable of the environment",
    );
}

const PASSWORD: &str = "2: @.password: found an unknown key, expected one of \"protocol\", \
    \"mechanism\", \"username\", \"password_file\", \"password_env\", \"ca\", \"certificate\", \
    \"key\", \"key_password_file\"";

#[test]
fn a_property_is_found_where_it_stands_however_it_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("u.toml");
    fs::write(&file, "[stream.kafka.properties]\n'acks' = 1\nlinger.ms = 7").unwrap();
    let check = |name, expected: &str| {
        let problem = problem_of_property(&file, name, "v", "no").to_string();
        assert!(problem.ends_with(expected), "{problem}");
    };
    check("acks", "u.toml:2: stream.kafka.properties.acks: found \"v\": no");
    check("linger.ms", "u.toml:3: stream.kafka.properties.linger.ms: found \"v\": no");
}
