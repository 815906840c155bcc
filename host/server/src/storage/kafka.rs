//! From what the file says of a cluster to what the stream wants to know, the passwords included.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail, ensure};
use catalog::host::kafka as said;
use catalog::{KafkaConfig, problem_of_property};
use stream::kafka::{Delivery, Login, Mechanism, Profile, Secret, Security, Tls, TopicPolicy};
use stream::{KafkaStream, OpenError, Retention};

use super::Use;
use crate::topics::{PLAIN, stream_name};

/// The largest file that is taken for a password.
const PASSWORD_BYTES: u64 = 64 << 10;
/// How long a host that ends waits for brokers at last. Its drivers have waited for their answers before.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(5);

/// Makes the stream, and says where in `file` a mistake is.
pub(super) fn connect(
    purpose: Use,
    kafka: &KafkaConfig,
    file: Option<&Path>,
) -> Result<KafkaStream> {
    let mut config = kafka_config(kafka)?;
    config.topics.create &= purpose == Use::Serve;
    if purpose == Use::Serve {
        config.delivery.close_timeout = CLOSE_TIMEOUT;
    }
    KafkaStream::connect(config).map_err(|error| placed(error, kafka, file))
}

/// What the stream wants to know of a cluster.
///
/// # Errors
///
/// When a password cannot be had.
pub(super) fn kafka_config(kafka: &KafkaConfig) -> Result<stream::KafkaConfig> {
    Ok(stream::KafkaConfig {
        brokers: kafka.brokers.clone(),
        prefix: kafka.prefix.clone(),
        // Plain topics are called there as people call them, so that others can write and read them.
        unprefixed: Some(PLAIN.to_owned()),
        names: kafka.names.iter().map(|(topic, name)| (in_stream(topic), name.clone())).collect(),
        security: security(&kafka.security)?,
        profile: match kafka.profile {
            said::Profile::LowLatency => Profile::LowLatency,
            said::Profile::Throughput => Profile::Throughput,
        },
        topics: topics(&kafka.topics),
        delivery: Delivery {
            waiting_bytes: kafka.delivery.unsent_limit_bytes,
            waiting_records: kafka.delivery.unsent_records as u64,
            ..Delivery::default()
        },
        properties: kafka.properties.clone(),
        ..stream::KafkaConfig::default()
    })
}

fn in_stream(topic: &str) -> String {
    stream_name(topic).unwrap_or_else(|| topic.to_owned())
}

fn topics(said: &said::Topics) -> TopicPolicy {
    let retention = &said.retention;
    let is_said = retention.age.is_some() || retention.size_bytes.is_some();
    TopicPolicy {
        create: said.create,
        partitions: u32::try_from(said.partitions).unwrap_or(u32::MAX),
        replication: said.replication.map(|count| u16::try_from(count).unwrap_or(u16::MAX)),
        retention: is_said.then_some(Retention {
            age: retention.age,
            bytes: retention.size_bytes,
            hard_bytes: None,
        }),
        compact: said.compact.iter().map(|topic| in_stream(topic)).collect(),
        ..TopicPolicy::default()
    }
}

fn security(said: &said::Security) -> Result<Security> {
    let tls = said.protocol.is_encrypted().then(|| -> Result<Tls> {
        Ok(Tls {
            ca: said.ca.clone(),
            certificate: said.certificate.clone(),
            key: said.key.clone(),
            key_password: said.key_password_file.as_deref().map(secret_in).transpose()?,
        })
    });
    let login = said.protocol.has_password().then(|| -> Result<Login> {
        Ok(Login {
            mechanism: match said.mechanism {
                Some(said::Mechanism::Plain) => Mechanism::Plain,
                Some(said::Mechanism::ScramSha256) => Mechanism::ScramSha256,
                Some(said::Mechanism::ScramSha512) => Mechanism::ScramSha512,
                None => bail!("found no mechanism in [stream.kafka.security], expected one"),
            },
            username: said.username.clone().context("found no username, expected one")?,
            password: password(said)?,
        })
    });
    Ok(Security { tls: tls.transpose()?, login: login.transpose()? })
}

fn password(said: &said::Security) -> Result<Secret> {
    match (&said.password_file, &said.password_env) {
        (Some(file), _) => secret_in(file),
        (None, Some(variable)) => {
            let text = std::env::var(variable).map_err(|error| {
                anyhow!("found no password in the variable {variable} ({error}), expected one")
            })?;
            secret_of(text).with_context(|| format!("the variable {variable}"))
        }
        (None, None) => bail!("found neither password_file nor password_env, expected one of them"),
    }
}

/// The password that a file holds. The end of its line is no part of it: editors put one there.
fn secret_in(file: &Path) -> Result<Secret> {
    let read = || -> Result<Secret> {
        let length = std::fs::metadata(file)?.len();
        ensure!(length <= PASSWORD_BYTES, "found {length} bytes, expected a password");
        let bytes = std::fs::read(file)?;
        let text = String::from_utf8(bytes)
            .map_err(|_| anyhow!("found bytes that are not UTF-8, expected a password"))?;
        let line = text.strip_suffix('\n').unwrap_or(&text);
        secret_of(line.strip_suffix('\r').unwrap_or(line).to_owned())
    };
    read().with_context(|| format!("cannot take the password in {}", file.display()))
}

fn secret_of(text: String) -> Result<Secret> {
    ensure!(!text.is_empty(), "found nothing, expected a password");
    ensure!(!text.contains('\0'), "found a zero byte, expected a password");
    Ok(Secret::new(text))
}

/// An error that names a property, with the line where it stands.
fn placed(error: OpenError, kafka: &KafkaConfig, file: Option<&Path>) -> anyhow::Error {
    let property = match &error {
        OpenError::Refused { what, .. } => {
            what.strip_prefix("property `").and_then(|rest| rest.strip_suffix('`'))
        }
        _ => None,
    };
    match (file, property, &error) {
        (Some(file), Some(name), OpenError::Refused { reason, .. }) => {
            match kafka.properties.get(name) {
                Some(value) => anyhow!("{}", problem_of_property(file, name, value, reason)),
                None => error.into(),
            }
        }
        _ => error.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(text: &str) -> Result<stream::KafkaConfig> {
        let text =
            format!("[stream]\nbackend = 'kafka'\n[stream.kafka]\nbrokers = ['k:1']\n{text}");
        let host = catalog::HostConfig::parse(Path::new("u.toml"), &text)?;
        kafka_config(&host.stream.kafka)
    }

    #[test]
    fn topics_are_called_as_the_stream_calls_them() {
        let config = config(
            "[stream.kafka.topics]\npartitions = 3\nretention.age = '1h'\ncompact = ['prices']\n\
             [stream.kafka.names]\norders = 'ORDERS'\n'flights/requests' = 'in'",
        )
        .unwrap();
        let names: Vec<_> = config.names.iter().map(|(name, topic)| (&**name, &**topic)).collect();
        assert_eq!(names, [("flights/requests", "in"), ("topics/orders", "ORDERS")]);
        assert_eq!(config.topics.compact, ["topics/prices"]);
        assert_eq!(config.topics.partitions, 3);
        let hour = Duration::from_secs(3600);
        let expected = Retention { age: Some(hour), bytes: None, hard_bytes: None };
        assert_eq!(config.topics.retention, Some(expected));
        assert_eq!(config.unprefixed.as_deref(), Some(PLAIN));
    }

    #[test]
    fn a_password_is_a_line_of_a_file() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("password");
        let secret = |text: &[u8]| {
            std::fs::write(&file, text).unwrap();
            secret_in(&file).map_err(|error| format!("{:#}", error.root_cause()))
        };
        assert_eq!(secret(b"hush\n"), Ok(Secret::new("hush")));
        assert_eq!(secret(b" hush \r\n"), Ok(Secret::new(" hush ")));
        assert_eq!(secret(b"hush\n\n"), Ok(Secret::new("hush\n")));
        assert_eq!(secret(b"\n").unwrap_err(), "found nothing, expected a password");
        assert!(secret(&[0xff, 0xfe]).unwrap_err().contains("UTF-8"));
        let missing = secret_in(Path::new("/no/such/file")).unwrap_err();
        assert!(format!("{missing:#}").starts_with("cannot take the password in /no/such/file: "));
    }

    #[test]
    fn security_is_what_the_protocol_says() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("password");
        std::fs::write(&file, "hush").unwrap();
        let with = |protocol: &str| {
            config(&format!(
                "[stream.kafka.security]\nprotocol = '{protocol}'\nmechanism = 'plain'\n\
                 username = 'u'\npassword_file = '{}'",
                file.display()
            ))
            .unwrap()
            .security
        };
        assert_eq!(with("sasl-plaintext").protocol(), "sasl_plaintext");
        assert_eq!(with("sasl-ssl").protocol(), "sasl_ssl");
        assert_eq!(with("sasl-ssl").login.unwrap().password, Secret::new("hush"));
        let variable = "[stream.kafka.security]\nprotocol = 'sasl-ssl'\nmechanism = 'plain'\n\
                        username = 'u'\npassword_env = 'UNDERSTUDY_NO_SUCH_VARIABLE'";
        let error = format!("{:#}", config(variable).unwrap_err());
        assert!(error.contains("UNDERSTUDY_NO_SUCH_VARIABLE"), "{error}");
    }
}
