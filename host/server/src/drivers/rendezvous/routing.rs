//! Which course a request takes.
//!
//! It is decided on the driver's thread, when the request is opened and from the request alone, so
//! that a host that reads the request again takes the same. A condition that cannot be evaluated does
//! not hold: the request has an answer to get, whatever an operator has written.

use std::sync::Arc;
use std::time::{Duration, Instant};

use catalog::{EvaluationError, Facts, RouteKind};
use message::{ModelName, Request};
use rendezvous::{Choosing, Selected};

use super::Driver;

/// How often it is said that a route has errors.
const TELL_EVERY: Duration = Duration::from_secs(60);

/// What is remembered of routes.
#[derive(Debug, Default)]
pub(super) struct Routing {
    /// When it was last said of each route that it has errors.
    told: Vec<Option<Instant>>,
}

impl Driver {
    /// The course of a request on the current roster: that of the first route that takes it, or else
    /// that of the policy.
    pub(super) fn select(&mut self, request: &Request) -> Selected {
        let unit = request.key.as_deref().unwrap_or_else(|| request.id.as_str());
        let main = Choosing { route: None, model: None, unit, time: request.time };
        if !self.live.routes.is_empty()
            && let Some(selected) = self.select_route(request, main)
        {
            return selected;
        }
        let selected = self.live.roster.select(main);
        selected.expect("invariant: there is always a main way")
    }

    /// The course of the first route that takes a request.
    fn select_route(&mut self, request: &Request, main: Choosing<'_>) -> Option<Selected> {
        let live = Arc::clone(&self.live);
        let facts = Facts::new(request);
        for (position, route) in live.routes.iter().enumerate() {
            let holds = match &route.when {
                Some(when) => self.check(position, when.holds(&facts)).unwrap_or(false),
                None => true,
            };
            if !holds {
                continue;
            }
            let model = match &route.kind {
                RouteKind::Policy(_) => None,
                RouteKind::Each { models, choose, .. } => {
                    let part = self.check(position, choose.text_of(&facts));
                    match part.and_then(|part| models.with(&part)) {
                        Some(model) => Some(model),
                        None => continue,
                    }
                }
            };
            let model = model.as_ref().map(ModelName::as_str);
            // A route to a model that is not there does not apply.
            let selected = live.roster.select(Choosing { route: Some(position), model, ..main });
            if selected.is_some() {
                return selected;
            }
        }
        None
    }

    /// Counts an error of a route, and says so now and then.
    fn check<T>(&mut self, route: usize, evaluated: Result<T, EvaluationError>) -> Option<T> {
        let error = match evaluated {
            Ok(value) => return Some(value),
            Err(error) => error,
        };
        self.endpoint.meter.metrics.route_failed(1);
        let told = &mut self.routing.told;
        if told.len() <= route {
            told.resize(route + 1, None);
        }
        let now = Instant::now();
        if told[route].is_none_or(|last| now.duration_since(last) >= TELL_EVERY) {
            told[route] = Some(now);
            let endpoint = &self.endpoint.name;
            tracing::warn!(%endpoint, route, %error, "a route cannot be evaluated and takes no request");
        }
        None
    }
}
