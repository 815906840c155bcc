//! Policies: how an endpoint chooses among the scores of a request.
//!
//! A policy is a tree. Its root takes a route, a split takes one of its arms, and at every leaf there
//! is an order of preference. Which leaf a request comes to depends on the request alone, so that a
//! host that reads the request again comes to the same.

use std::time::Duration;

use message::ModelName;

use crate::{Preference, Split};

/// How an endpoint chooses among the scores of a request.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Policy {
    /// What the seeds of splits that have none are made of; see [`split`](crate::split).
    pub seed: String,
    /// The ways that some requests go. Which, the driver decides.
    pub routes: Vec<Route>,
    /// The way of all the others.
    pub main: Branch,
    /// Whether there is a default to answer with when nothing came. What it is, the driver knows.
    pub default: bool,
}

impl Policy {
    /// The same policy with a default to answer with when nothing came.
    #[must_use]
    pub fn or_default(mut self) -> Self {
        self.default = true;
        self
    }

    /// The same policy with one more route.
    #[must_use]
    pub fn with_route(mut self, route: impl Into<Route>) -> Self {
        self.routes.push(route.into());
        self
    }
}

impl From<Preference> for Policy {
    fn from(preference: Preference) -> Self {
        Branch::from(preference).into()
    }
}

impl From<Split> for Policy {
    fn from(split: Split) -> Self {
        Branch::from(split).into()
    }
}

impl From<Branch> for Policy {
    fn from(main: Branch) -> Self {
        Self { main, ..Self::default() }
    }
}

/// One way through a policy.
#[derive(Debug, Clone, PartialEq)]
pub enum Branch {
    /// By an order of preference that falls as the deadline nears.
    Preference(Preference),
    /// By one of several arms, each of which has its share of the keys.
    Split(Split),
}

impl Default for Branch {
    /// The champion, then the fallback.
    fn default() -> Self {
        Self::Preference(Preference::default())
    }
}

impl From<Preference> for Branch {
    fn from(preference: Preference) -> Self {
        Self::Preference(preference)
    }
}

impl From<Split> for Branch {
    fn from(split: Split) -> Self {
        Self::Split(split)
    }
}

/// A way that some requests go.
#[derive(Debug, Clone, PartialEq)]
pub struct Route {
    /// How answers call it; `route[2]` if the third one has no name.
    pub name: Option<String>,
    /// Where it leads.
    pub target: Target,
}

/// Where a route leads.
#[derive(Debug, Clone, PartialEq)]
pub enum Target {
    /// For all of its requests the same way.
    Branch(Branch),
    /// First to the one of many models that the driver names for the request, then along an order that
    /// all of them share. The model costs the requests that are led to others nothing.
    Each {
        /// The models that it may lead to.
        models: Vec<ModelName>,
        /// How long the model is waited for, from the time of the request; up to the deadline if
        /// `None`.
        until: Option<Duration>,
        /// What comes after the model.
        then: Preference,
    },
}

impl<B: Into<Branch>> From<B> for Route {
    fn from(branch: B) -> Self {
        Self { name: None, target: Target::Branch(branch.into()) }
    }
}

impl Route {
    /// The same route with a name.
    #[must_use]
    pub fn named(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }
}
