//! `history`: what happened to an endpoint, and who changed what.

use front::Declined;
use serde_json::{Value, json};

use super::event::look_back;
use crate::endpoint::Endpoint;

/// The latest events, the latest last.
pub(super) fn history(
    endpoint: &Endpoint,
    model: Option<&str>,
    limit: usize,
) -> Result<Value, Declined> {
    let mut events = Vec::new();
    let is_about = |event: &Value, model: &str| {
        let of = |value: &Value| value["model"].as_str() == Some(model);
        of(event) || of(&event["from"]) || of(&event["to"])
    };
    let looked = look_back(endpoint, |mut past| {
        if model.is_none_or(|model| is_about(&past.value, model)) {
            past.value["offset"] = json!(past.offset);
            events.push(past.value);
        }
        events.len() >= limit
    });
    looked.map_err(|message| Declined::Failed { message })?;
    events.reverse();
    Ok(json!({ "endpoint": endpoint.name.as_str(), "events": events }))
}
