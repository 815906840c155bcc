//! Routes: other policies for some of the requests.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use message::ModelName;
use schemars::JsonSchema;
use serde::de::{self, Unexpected};
use serde::{Deserialize, Deserializer};

use super::policy::{Choice, PolicyConfig, Preferred};
use crate::expression::{self, Expression};
use crate::units::{self, Name, Span, Text, is_name};

/// How many routes an endpoint may have. Their conditions are tried one after the other.
pub const ROUTE_LIMIT: usize = 256;

/// Another policy for some of the requests.
#[derive(Debug, Clone, PartialEq)]
pub struct Route {
    /// How answers and metrics call it. Without it: by its position, `route[0]`.
    pub name: Option<String>,
    /// The condition, which is always there unless the route is an [`Each`](RouteKind::Each).
    pub when: Option<Expression>,
    /// What is done for the requests that fulfil it.
    pub kind: RouteKind,
}

/// What is done for the requests of a route.
#[derive(Debug, Clone, PartialEq)]
pub enum RouteKind {
    /// When the answer is chosen by a policy.
    Policy(PolicyConfig),
    /// When each request names its model. The route applies only where that model exists.
    Each {
        /// The names of the models.
        models: ModelPattern,
        /// What stands for the star in the name of a request's model.
        choose: Expression,
        /// How long after the request the model is waited for. Without it: until the deadline.
        until: Option<Duration>,
        /// What may answer after it, best first. Empty: the champion, then the fallback.
        order: Vec<Preferred>,
    },
}

/// Names of models that have one part in which they differ: `client-*`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ModelPattern {
    before: String,
    after: String,
}

impl ModelPattern {
    /// The model whose name has `part` in the place of the star, if that is a name at all.
    ///
    /// An empty part names none: a request without a key is nobody's.
    pub fn with(&self, part: &str) -> Option<ModelName> {
        let name = format!("{}{part}{}", self.before, self.after);
        (!part.is_empty() && is_name(&name)).then(|| ModelName::from(name))
    }

    /// Whether a model has such a name.
    pub fn matches(&self, model: &ModelName) -> bool {
        let part = model.as_str().strip_prefix(&*self.before);
        part.and_then(|part| part.strip_suffix(&*self.after)).is_some_and(|part| !part.is_empty())
    }
}

impl FromStr for ModelPattern {
    type Err = ();

    /// Reads a name with exactly one star.
    fn from_str(text: &str) -> Result<Self, ()> {
        let (before, after) = text.split_once('*').ok_or(())?;
        let pattern = Self { before: before.to_owned(), after: after.to_owned() };
        pattern.with("x").map(|_| pattern).ok_or(())
    }
}

impl fmt::Display for ModelPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}*{}", self.before, self.after)
    }
}

/// A pattern in a file.
struct Pattern;

impl Text for Pattern {
    type Value = ModelPattern;
    const EXPECTED: &'static str = "names of models with one star such as \"client-*\"";
    const NAME: &'static str = "ModelPattern";
    const PATTERN: &'static str = "^([A-Za-z0-9_-][A-Za-z0-9._-]*)?\\*[A-Za-z0-9._-]*$";

    fn parse(text: &str) -> Option<ModelPattern> {
        text.parse().ok()
    }
}

units::text_schema!(Pattern);

/// The keys of a route.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Route")]
pub(super) struct RouteKeys {
    /// How answers and metrics call it. Default: its position, `route[0]`.
    #[serde(default, deserialize_with = "units::optional::<Name, _>")]
    #[schemars(with = "Option<Name>")]
    name: Option<ModelName>,
    /// The condition: a CEL expression over `key`, `id`, `tenant`, `inputs` and `parameters`.
    #[serde(default, deserialize_with = "expression::condition")]
    #[schemars(with = "Option<String>")]
    when: Option<Expression>,
    /// The model that answers; short for an `order` of this one.
    #[serde(default, deserialize_with = "units::optional::<Name, _>")]
    #[schemars(with = "Option<Name>")]
    model: Option<ModelName>,
    /// The models in the order in which they are liked, best first. Beside `models`: what may answer
    /// after the request's own; default: the champion, then the fallback.
    #[serde(default)]
    order: Option<Vec<Preferred>>,
    /// A policy of any kind, instead.
    #[serde(default)]
    policy: Option<Box<PolicyConfig>>,
    /// The names of models of which each request has its own, such as `client-*`.
    #[serde(default, deserialize_with = "units::optional::<Pattern, _>")]
    #[schemars(with = "Option<Pattern>")]
    models: Option<ModelPattern>,
    /// Beside `models`: a CEL expression that gives what stands for the star. Default `key`.
    #[serde(default, deserialize_with = "expression::term")]
    #[schemars(with = "Option<String>")]
    choose: Option<Expression>,
    /// Beside `models`: how long after the request its own model is waited for before one of `order`
    /// may answer. Default: until the deadline.
    #[serde(default, deserialize_with = "units::optional::<Span, _>")]
    #[schemars(with = "Option<Span>")]
    until: Option<Duration>,
}

impl<'de> Deserialize<'de> for Route {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let keys = RouteKeys::deserialize(from)?;
        let name = keys.name.as_ref().map(|name| name.as_str().to_owned());
        Ok(Self { name, when: keys.when.clone(), kind: keys.kind()? })
    }
}

impl RouteKeys {
    fn kind<E: de::Error>(self) -> Result<RouteKind, E> {
        let Some(models) = self.models else {
            if self.choose.is_some() || self.until.is_some() {
                return Err(E::missing_field("models"));
            }
            if self.when.is_none() {
                return Err(E::missing_field("when"));
            }
            let choice = Choice { model: self.model, order: self.order, policy: self.policy };
            return Ok(RouteKind::Policy(choice.one()?));
        };
        if self.model.is_some() || self.policy.is_some() {
            let found = Unexpected::Other("\"models\" beside \"model\" or \"policy\"");
            return Err(E::invalid_value(found, &"\"models\" with \"order\""));
        }
        Ok(RouteKind::Each {
            models,
            choose: self.choose.unwrap_or_else(Expression::key),
            until: self.until,
            order: self.order.unwrap_or_default(),
        })
    }
}
