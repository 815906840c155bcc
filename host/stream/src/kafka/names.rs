//! What the topics of a stream are called on the cluster.
//!
//! A slash becomes a dot. So `a/b` and `a.b` would be the same topic; read back it is always `a/b`.

use crate::OpenError;

use super::config::KafkaConfig;

/// The names of topics and groups on the cluster.
#[derive(Debug, Clone)]
pub(crate) struct Names {
    prefix: String,
    unprefixed: Option<String>,
    names: std::collections::BTreeMap<String, String>,
}

impl Names {
    pub(crate) fn of(config: &KafkaConfig) -> Self {
        Self {
            prefix: config.prefix.clone(),
            unprefixed: config.unprefixed.clone(),
            names: config.names.clone(),
        }
    }

    /// The topic on the cluster that a topic of the stream is.
    pub(crate) fn topic(&self, name: &str) -> String {
        if let Some(topic) = self.names.get(name) {
            return topic.clone();
        }
        let plain = self.unprefixed.as_ref().and_then(|unprefixed| name.strip_prefix(unprefixed));
        match plain {
            Some(plain) => plain.replace('/', "."),
            None => format!("{}{}", self.prefix, name.replace('/', ".")),
        }
    }

    /// The group on the cluster that a group of the stream is.
    pub(crate) fn group(&self, name: &str) -> String {
        format!("{}{}", self.prefix, name.replace('/', "."))
    }

    /// The topic of the stream that a topic on the cluster is; none of ours without the prefix.
    pub(crate) fn stream_name(&self, topic: &str) -> Option<String> {
        if let Some((name, _)) = self.names.iter().find(|(_, found)| *found == topic) {
            return Some(name.clone());
        }
        if topic.starts_with("__") {
            return None;
        }
        topic
            .strip_prefix(&self.prefix)
            .filter(|rest| !rest.is_empty())
            .map(|rest| rest.replace('.', "/"))
    }

    /// Refuses a name that could not be a topic on the cluster.
    pub(crate) fn check(&self, name: &str) -> Result<(), OpenError> {
        crate::topic::check(name)?;
        let topic = self.topic(name);
        let good_byte = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
        if (1..=249).contains(&topic.len())
            && topic.bytes().all(good_byte)
            && topic != "."
            && topic != ".."
        {
            return Ok(());
        }
        Err(OpenError::Topic {
            found: topic,
            expected: "1 to 249 of the characters a-z A-Z 0-9 . _ -, as Kafka has it",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names() -> Names {
        let names = [("flights/requests".to_owned(), "prod-flights-in".to_owned())].into();
        Names::of(&KafkaConfig {
            prefix: "u.".to_owned(),
            unprefixed: Some("topics/".to_owned()),
            names,
            ..KafkaConfig::default()
        })
    }

    #[test]
    fn names_become_topics_by_rule_or_by_the_table() {
        let check = |name, expected: &str| assert_eq!(names().topic(name), expected);
        check("acme/flights/answers", "u.acme.flights.answers");
        check("topics/orders", "orders");
        check("topics/eu/orders", "eu.orders");
        check("flights/requests", "prod-flights-in");
        check("replies", "u.replies");
        assert_eq!(names().group("acme/flights"), "u.acme.flights");
    }

    #[test]
    fn topics_of_others_are_not_of_the_stream() {
        let check = |topic, expected: Option<&str>| {
            assert_eq!(names().stream_name(topic).as_deref(), expected);
        };
        check("u.acme.flights.answers", Some("acme/flights/answers"));
        check("prod-flights-in", Some("flights/requests"));
        check("orders", None);
        check("u.", None);
        check("__consumer_offsets", None);
    }

    #[test]
    fn names_that_no_topic_can_have_are_refused() {
        assert!(names().check("acme/flights").is_ok());
        assert!(names().check("../x").is_err());
        let long = Names { prefix: "p".repeat(240), ..names() };
        assert!(long.check("acme/flights").is_err());
    }
}
