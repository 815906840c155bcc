//! `[flow]`: an endpoint that is fed and read by topics alone.

use std::time::Duration;

use message::EndpointName;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::units::{self, Span, Text, is_name};

/// The topics of an endpoint itself, which nobody else may be called.
pub const ENDPOINT_TOPICS: [&str; 5] = ["requests", "scores", "answers", "events", "dead-letters"];

/// Where an endpoint's requests come from and where its answers go, besides its own topics.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Flow {
    /// The topic whose records become requests: a plain one such as `orders`, or one of another
    /// endpoint such as `flights/answers`.
    #[serde(deserialize_with = "units::optional::<AnyTopic, _>")]
    #[schemars(with = "Option<AnyTopic>")]
    pub source: Option<String>,
    /// The plain topic that gets every answer as well.
    #[serde(deserialize_with = "units::optional::<PlainTopic, _>")]
    #[schemars(with = "Option<PlainTopic>")]
    pub answers: Option<String>,
    /// The plain topics that the header `return-to` of a record may name, each with at most one star:
    /// `replies-*`. None without it.
    #[serde(deserialize_with = "units::list::<TopicPattern, _>")]
    #[schemars(with = "Vec<TopicPattern>")]
    pub return_to: Vec<String>,
    /// How often an answer may be there. Default `at-least-once`; `exactly-once` needs a `source` and
    /// a stream that hosts share.
    pub delivery: FlowDelivery,
    /// Under `exactly-once`: how long answers are gathered before they are written together.
    /// Default `100ms`.
    #[serde(deserialize_with = "units::text::<Span, _>")]
    #[schemars(with = "Span")]
    pub commit_interval: Duration,
}

impl Default for Flow {
    fn default() -> Self {
        Self {
            source: None,
            answers: None,
            return_to: Vec::new(),
            delivery: FlowDelivery::AtLeastOnce,
            commit_interval: Duration::from_millis(100),
        }
    }
}

/// How often an answer may be there when hosts have died in between.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum FlowDelivery {
    /// Once or more often, with the same `id`.
    #[default]
    AtLeastOnce,
    /// Once: answers, scores and the place in the source are written together or not at all.
    ExactlyOnce,
}

impl Flow {
    /// Whether answers, scores and the place in the source are to be written together.
    pub fn is_exact(&self) -> bool {
        self.source.is_some() && self.delivery == FlowDelivery::ExactlyOnce
    }

    /// Whether an answer may be returned to this topic.
    pub fn may_return_to(&self, topic: &str) -> bool {
        let matches = |pattern: &String| match pattern.split_once('*') {
            None => pattern == topic,
            Some((before, after)) => topic
                .strip_prefix(before)
                .and_then(|rest| rest.strip_suffix(after))
                .is_some_and(|part| !part.contains('/')),
        };
        is_plain_topic(topic) && self.return_to.iter().any(matches)
    }

    /// The first topic that an endpoint of a tenant names and that is not the tenant's.
    pub fn foreign_topic(&self, endpoint: &EndpointName) -> Option<&str> {
        let (tenant, _) = endpoint.as_str().split_once('/')?;
        let is_own =
            |topic: &&String| topic.strip_prefix(tenant).is_some_and(|rest| rest.starts_with('/'));
        let named = self.source.iter().chain(&self.answers).chain(&self.return_to);
        named.into_iter().find(|topic| !is_own(topic)).map(String::as_str)
    }
}

/// Whether this can be a topic that belongs to no endpoint: `orders`, or `acme/orders` of a tenant.
pub fn is_plain_topic(topic: &str) -> bool {
    let last = topic.rsplit('/').next().unwrap_or_default();
    topic.split('/').count() <= 2
        && topic.split('/').all(is_name)
        && !ENDPOINT_TOPICS.contains(&last)
}

/// Whether this can be a topic of an endpoint: `flights/answers`, or `acme/fraud/answers`.
pub fn is_endpoint_topic(topic: &str) -> bool {
    let Some((endpoint, last)) = topic.rsplit_once('/') else { return false };
    endpoint.split('/').count() <= 2
        && endpoint.split('/').all(is_name)
        && ENDPOINT_TOPICS.contains(&last)
}

/// A topic that belongs to no endpoint.
pub(crate) struct PlainTopic;

impl Text for PlainTopic {
    type Value = String;
    const EXPECTED: &'static str =
        "a plain topic such as \"orders\" or, of a tenant, \"acme/orders\"";
    const NAME: &'static str = "PlainTopic";
    const PATTERN: &'static str = "^[A-Za-z0-9_-][A-Za-z0-9._-]*(/[A-Za-z0-9_-][A-Za-z0-9._-]*)?$";

    fn parse(text: &str) -> Option<String> {
        is_plain_topic(text).then(|| text.to_owned())
    }
}

/// Any topic.
pub(crate) struct AnyTopic;

impl Text for AnyTopic {
    type Value = String;
    const EXPECTED: &'static str =
        "a plain topic such as \"orders\", or one of an endpoint such as \"flights/answers\"";
    const NAME: &'static str = "Topic";
    const PATTERN: &'static str =
        "^[A-Za-z0-9_-][A-Za-z0-9._-]*(/[A-Za-z0-9_-][A-Za-z0-9._-]*){0,2}$";

    fn parse(text: &str) -> Option<String> {
        (is_plain_topic(text) || is_endpoint_topic(text)).then(|| text.to_owned())
    }
}

/// Plain topics, with at most one star.
struct TopicPattern;

impl Text for TopicPattern {
    type Value = String;
    const EXPECTED: &'static str =
        "plain topics with at most one star such as \"replies\" or \"replies-*\"";
    const NAME: &'static str = "TopicPattern";
    const PATTERN: &'static str = "^[A-Za-z0-9._/-]*\\*?[A-Za-z0-9._/-]*$";

    fn parse(text: &str) -> Option<String> {
        let stars = text.matches('*').count();
        (stars <= 1 && is_plain_topic(&text.replace('*', "x"))).then(|| text.to_owned())
    }
}

units::text_schema!(PlainTopic, AnyTopic, TopicPattern);

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::document::Document;

    fn parse(text: &str) -> Result<Flow, String> {
        let document = Document::parse(Path::new("f"), text);
        document.and_then(|it| it.read()).map_err(|problem| problem.to_string())
    }

    #[test]
    fn topics_are_plain_or_of_an_endpoint() {
        for topic in ["orders", "acme/orders", "a.b_c-1"] {
            assert!(is_plain_topic(topic) && !is_endpoint_topic(topic), "{topic}");
        }
        for topic in ["flights/answers", "acme/fraud/dead-letters"] {
            assert!(is_endpoint_topic(topic) && !is_plain_topic(topic), "{topic}");
        }
        for topic in ["", "answers", "a/b/c", "/a", "a/", ".a", "a/.b", "a b", "a//answers"] {
            assert!(!is_endpoint_topic(topic) && !is_plain_topic(topic), "{topic}");
        }
    }

    #[test]
    fn a_return_address_is_one_of_those_that_are_allowed() {
        let flow = parse("return_to = ['replies-*', 'audit', 'acme/to-*']").unwrap();
        for topic in ["replies-7", "replies-", "audit", "acme/to-me"] {
            assert!(flow.may_return_to(topic), "{topic}");
        }
        for topic in ["replies", "audits", "other", "replies-a/b", "acme/orders", "flights/answers"]
        {
            assert!(!flow.may_return_to(topic), "{topic}");
        }
        assert!(!Flow::default().may_return_to("audit"));
    }

    #[test]
    fn a_tenant_names_no_topic_of_anybody_else() {
        let flow = |text| parse(text).unwrap();
        let foreign =
            |text, endpoint: &str| flow(text).foreign_topic(&endpoint.into()).map(str::to_owned);
        assert_eq!(foreign("source = 'orders'", "fraud"), None);
        assert_eq!(foreign("source = 'acme/orders'\nreturn_to = ['acme/*']", "acme/fraud"), None);
        assert_eq!(foreign("source = 'orders'", "acme/fraud"), Some("orders".into()));
        assert_eq!(foreign("return_to = ['acmeco/*']", "acme/fraud"), Some("acmeco/*".into()));
        assert_eq!(foreign("source = 'b/fraud/answers'", "a/x"), Some("b/fraud/answers".into()));
    }

    #[test]
    fn a_mistake_names_what_was_expected() {
        assert_eq!(
            parse("answers = 'flights/answers'").unwrap_err(),
            "f:1: answers: found \"flights/answers\", expected a plain topic such as \"orders\" or, \
             of a tenant, \"acme/orders\""
        );
        assert!(parse("return_to = ['*-*']").unwrap_err().contains("at most one star"));
    }
}
