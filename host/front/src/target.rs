//! What a path asks for.
//!
//! The name of an endpoint may hold one slash, so the path is read from its end: the last segment
//! says what is asked, `versions/{model}` may stand before it, and what is left is the endpoint.
//! An endpoint of a tenant that is itself called `infer`, `ready`, `records` or `stats` is reached with
//! `%2F`.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

use crate::guard::Act;
use crate::openapi;
use crate::problem::Problem;

/// What a path asks for. Texts borrow from the path unless they had to be decoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Target<'path> {
    /// `/openapi.json`
    OpenApi,
    /// `/v2`
    Server,
    /// `/v2/health/live`
    Live,
    /// `/v2/health/ready`
    Ready,
    /// `/v2/models`
    Endpoints,
    /// `/v2/models/stats`
    Statistics,
    /// `/v2/repository/index`
    Index,
    /// `/v2/topics/{topic}/records`
    Topic {
        /// The name of the topic, which may hold one slash.
        topic: Cow<'path, str>,
    },
    /// `/v2/models/{endpoint}[/versions/{model}][/…]`
    Endpoint {
        /// The name of the endpoint.
        endpoint: Cow<'path, str>,
        /// The name of the model.
        model: Option<Cow<'path, str>>,
        /// What is asked of it.
        ask: Ask,
    },
}

/// What is asked of an endpoint or a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ask {
    /// To answer.
    Infer,
    /// To take records.
    Append,
    /// To say whether it can answer.
    Ready,
    /// To describe itself.
    Metadata,
    /// To say what its models have done.
    Statistics,
    /// To be loaded: `/v2/repository/models/{endpoint}[/versions/{model}]/load`.
    Load,
    /// To be unloaded, likewise.
    Unload,
}

impl<'path> Target<'path> {
    /// The target of the path of a URI.
    pub(crate) fn parse(path: &'path str) -> Result<Self, Problem> {
        if path == openapi::PATH {
            return Ok(Self::OpenApi);
        }
        let unknown = || Problem::UnknownPath { path: path.to_owned() };
        let rest = path.strip_prefix("/v2").ok_or_else(unknown)?;
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        match rest {
            "" => Ok(Self::Server),
            "/health/live" => Ok(Self::Live),
            "/health/ready" => Ok(Self::Ready),
            "/models" => Ok(Self::Endpoints),
            "/models/stats" => Ok(Self::Statistics),
            "/repository/index" => Ok(Self::Index),
            _ if rest.starts_with("/topics/") => {
                let topic =
                    rest["/topics/".len()..].strip_suffix("/records").ok_or_else(unknown)?;
                let topic = if is_endpoint(topic) { decode(topic)? } else { return Err(unknown()) };
                Ok(Self::Topic { topic })
            }
            _ => {
                let endpoint = if let Some(name) = rest.strip_prefix("/repository/models/") {
                    split_change(name).map(|(name, ask)| Self::parse_endpoint(name, ask))
                } else {
                    let name = rest.strip_prefix("/models/").map(split_ask);
                    name.map(|(name, ask)| Self::parse_endpoint(name, ask))
                };
                endpoint.transpose()?.flatten().ok_or_else(unknown)
            }
        }
    }

    fn parse_endpoint(rest: &'path str, ask: Ask) -> Result<Option<Self>, Problem> {
        let (endpoint, model) = match rest.rsplit_once("/versions/") {
            Some((endpoint, model)) => (endpoint, Some(model)),
            None => (rest, None),
        };
        let well_formed = is_endpoint(endpoint) && model.is_none_or(is_segment);
        if !well_formed || (ask == Ask::Append && model.is_some()) {
            return Ok(None);
        }
        let model = model.map(decode).transpose()?;
        Ok(Some(Self::Endpoint { endpoint: decode(endpoint)?, model, ask }))
    }

    /// What who asks for this wants to do.
    pub(crate) const fn act(&self) -> Act {
        match self {
            Self::Live | Self::Ready => Act::Health,
            Self::OpenApi | Self::Server | Self::Endpoints => Act::Describe,
            Self::Endpoint { ask: Ask::Infer, .. } => Act::Infer,
            Self::Topic { .. } | Self::Endpoint { ask: Ask::Append, .. } => Act::Append,
            Self::Endpoint { ask: Ask::Ready | Ask::Metadata, .. } => Act::Describe,
            Self::Statistics | Self::Endpoint { ask: Ask::Statistics, .. } => Act::Observe,
            Self::Index => Act::Describe,
            Self::Endpoint { ask: Ask::Load | Ask::Unload, .. } => Act::Operate,
        }
    }

    /// The methods that make sense here, as the header `allow` lists them.
    pub(crate) const fn allow(&self) -> &'static str {
        match self {
            Self::Index
            | Self::Topic { .. }
            | Self::Endpoint { ask: Ask::Infer | Ask::Append | Ask::Load | Ask::Unload, .. } => {
                "POST"
            }
            _ => "GET, HEAD",
        }
    }
}

fn split_ask(rest: &str) -> (&str, Ask) {
    match rest.rsplit_once('/') {
        Some((name, "infer")) => (name, Ask::Infer),
        Some((name, "records")) => (name, Ask::Append),
        Some((name, "ready")) => (name, Ask::Ready),
        Some((name, "stats")) => (name, Ask::Statistics),
        _ => (rest, Ask::Metadata),
    }
}

fn split_change(rest: &str) -> Option<(&str, Ask)> {
    match rest.rsplit_once('/')? {
        (name, "load") => Some((name, Ask::Load)),
        (name, "unload") => Some((name, Ask::Unload)),
        _ => None,
    }
}

fn is_endpoint(name: &str) -> bool {
    match name.split_once('/') {
        Some((tenant, endpoint)) => is_segment(tenant) && is_segment(endpoint),
        None => is_segment(name),
    }
}

fn is_segment(segment: &str) -> bool {
    !segment.is_empty() && !segment.contains('/')
}

fn decode(segment: &str) -> Result<Cow<'_, str>, Problem> {
    percent_decode_str(segment).decode_utf8().map_err(|_| Problem::PathNotUtf8)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(path: &str, endpoint: &str, model: Option<&str>, ask: Ask) {
        let expected =
            Target::Endpoint { endpoint: endpoint.into(), model: model.map(Into::into), ask };
        assert_eq!(Target::parse(path).unwrap(), expected, "{path}");
    }

    #[test]
    fn the_server_its_health_and_its_list_have_fixed_paths() {
        let cases = [
            ("/openapi.json", Target::OpenApi),
            ("/v2", Target::Server),
            ("/v2/", Target::Server),
            ("/v2/health/live", Target::Live),
            ("/v2/health/ready", Target::Ready),
            ("/v2/models", Target::Endpoints),
            ("/v2/models/stats", Target::Statistics),
            ("/v2/repository/index", Target::Index),
        ];
        for (path, expected) in cases {
            assert_eq!(Target::parse(path).unwrap(), expected, "{path}");
        }
    }

    #[test]
    fn the_last_segment_says_what_is_asked() {
        check("/v2/models/flights/infer", "flights", None, Ask::Infer);
        check("/v2/models/flights/records", "flights", None, Ask::Append);
        check("/v2/models/flights/ready", "flights", None, Ask::Ready);
        check("/v2/models/flights", "flights", None, Ask::Metadata);
        check("/v2/models/flights/", "flights", None, Ask::Metadata);
        check("/v2/models/flights/stats", "flights", None, Ask::Statistics);
        check("/v2/models/a/b/versions/m/stats", "a/b", Some("m"), Ask::Statistics);
        check("/v2/repository/models/flights/load", "flights", None, Ask::Load);
        check("/v2/repository/models/a/b/versions/m/unload", "a/b", Some("m"), Ask::Unload);
    }

    #[test]
    fn a_topic_may_be_a_tenants() {
        for (path, expected) in [
            ("/v2/topics/orders/records", Some("orders")),
            ("/v2/topics/acme/orders/records", Some("acme/orders")),
            ("/v2/topics/acme%2Forders/records", Some("acme/orders")),
            ("/v2/topics/orders", None),
            ("/v2/topics//records", None),
            ("/v2/topics/a/b/c/records", None),
        ] {
            let expected = expected.map(|topic| Target::Topic { topic: topic.into() });
            assert_eq!(Target::parse(path).ok(), expected, "{path}");
        }
    }

    #[test]
    fn a_model_stands_behind_versions() {
        check("/v2/models/flights/versions/gbdt/infer", "flights", Some("gbdt"), Ask::Infer);
        check("/v2/models/flights/versions/gbdt/ready", "flights", Some("gbdt"), Ask::Ready);
        check("/v2/models/flights/versions/gbdt", "flights", Some("gbdt"), Ask::Metadata);
    }

    #[test]
    fn a_tenant_is_separated_by_a_slash_of_either_kind() {
        check("/v2/models/acme/fraud/infer", "acme/fraud", None, Ask::Infer);
        check("/v2/models/acme%2Ffraud/infer", "acme/fraud", None, Ask::Infer);
        check("/v2/models/acme/fraud/versions/a/infer", "acme/fraud", Some("a"), Ask::Infer);
        check("/v2/models/acme%2finfer", "acme/infer", None, Ask::Metadata);
    }

    #[test]
    fn names_are_decoded_as_utf_8() {
        check("/v2/models/z%C3%BCrich/versions/a%20b", "zürich", Some("a b"), Ask::Metadata);
        assert!(matches!(Target::parse("/v2/models/%FF/infer"), Err(Problem::PathNotUtf8)));
        assert!(matches!(Target::parse("/v2/models/a/versions/%C3"), Err(Problem::PathNotUtf8)));
    }

    #[test]
    fn other_paths_are_unknown() {
        let paths = [
            "",
            "/",
            "*",
            "/v3",
            "/v2x",
            "/v2/health",
            "/v2/health/live/x",
            "/v2/models//infer",
            "/v2/models/a/b/c/infer",
            "/v2/models/a//infer",
            "/v2/models/a/versions//infer",
            "/v2/models/a/versions/m/records",
            "/v2/models/a/versions/m/x/infer",
            "/metrics",
            "/v2/repository",
            "/v2/repository/models/flights",
            "/v2/repository/models/load",
        ];
        for path in paths {
            let parsed = Target::parse(path);
            assert!(matches!(parsed, Err(Problem::UnknownPath { .. })), "{path}: {parsed:?}");
        }
    }
}
