//! `models`: what each model of an endpoint is, does, and when that was changed last.

use std::collections::BTreeMap;

use front::Caller;
use serde_json::{Value, json};

use super::event::look_back;
use super::scene::Scene;
use crate::endpoint::Endpoint;
use crate::host::Shared;
use crate::status;

/// The endpoints that the caller sees.
pub(super) fn endpoints(shared: &Shared, caller: &Caller) -> Value {
    let endpoints = shared.endpoints.load();
    let seen = endpoints.values().filter(|endpoint| caller.sees(endpoint.name.as_str()));
    let rows = seen.map(|endpoint| {
        let live = endpoint.live.load();
        let parts = endpoint.parts.load();
        let champion = endpoint.standing.heard().spec.config.roles.champion.clone();
        json!({
            "name": endpoint.name.as_str(),
            "paused": live.paused,
            "settled": live.settled,
            "champion": champion.map(|champion| champion.to_string()),
            "models": parts.len(),
        })
    });
    json!({ "endpoints": rows.collect::<Vec<_>>() })
}

/// The models of an endpoint.
pub(super) fn models(endpoint: &Endpoint) -> Value {
    let heard = endpoint.standing.heard();
    let places = Scene::places(&heard.spec);
    let changes = last_changes(endpoint);
    let mut models = status::models(endpoint);
    for model in &mut models {
        let name = model["name"].as_str().unwrap_or_default().to_owned();
        let of_it = places.get(name.as_str()).cloned().unwrap_or_default();
        model["places"] = json!(of_it);
        model["last_change"] = changes.get(&name).cloned().unwrap_or(Value::Null);
    }
    let awaits: Vec<String> = heard.awaited.iter().map(ToString::to_string).collect();
    json!({
        "endpoint": endpoint.name.as_str(),
        "paused": endpoint.live.load().paused,
        "awaits": awaits,
        "models": models,
    })
}

/// The latest event of each model. A history that cannot be read leaves none.
fn last_changes(endpoint: &Endpoint) -> BTreeMap<String, Value> {
    let mut changes = BTreeMap::new();
    let wanted = endpoint.parts.load().len();
    let looked = look_back(endpoint, |past| {
        let event = past.value;
        for model in [&event["model"], &event["from"]["model"], &event["to"]["model"]] {
            let Some(model) = model.as_str() else { continue };
            changes.entry(model.to_owned()).or_insert_with(|| {
                json!({
                    "time_us": event["time_us"],
                    "who": event["who"],
                    "event": event["event"],
                    "reason": event["reason"],
                })
            });
        }
        changes.len() >= wanted
    });
    if let Err(error) = looked {
        tracing::warn!(endpoint = %endpoint.name, error, "the history cannot be read");
    }
    changes
}
