//! The parameters that operations share.

use serde_json::{Map, Value, json};

use super::Example;
use super::operation::Operation;

/// Those that any of the operations has.
pub(super) fn of(operations: &[Operation], example: &Example) -> Value {
    let mut all = all();
    let examples = [("endpoint", &example.endpoint), ("model", &example.model)];
    for (name, example) in examples {
        if let Some(example) = example {
            all[name]["example"] = json!(example);
        }
    }
    let is_used = |name: &str| operations.iter().any(|it| it.parameters.contains(&name));
    let Value::Object(all) = all else { return json!({}) };
    Value::Object(all.into_iter().filter(|(name, _)| is_used(name)).collect::<Map<_, _>>())
}

fn all() -> Value {
    let name = |means: &str| {
        json!({ "in": "path", "required": true, "description": means,
            "schema": { "type": "string", "minLength": 1 } })
    };
    let flag = |means: &str| {
        json!({ "in": "query", "description": means,
            "schema": { "type": "boolean", "default": false } })
    };
    let mut all = json!({
        "endpoint": name("The name of an endpoint; `%2F` stands between a tenant and its endpoint."),
        "model": name("The name of a model of the endpoint."),
        "all": flag("Also show what there is too much of for a glance: models that nobody asks."),
        "dry_run": flag("Only say what would change."),
        "force": flag("Do it although something speaks against it."),
        "why": {
            "in": "query",
            "description": "Why, in one line, for the history.",
            "schema": { "type": "string", "maxLength": 500, "pattern": "^[^\\x00-\\x1F\\x7F-\\x9F]*$" },
        },
        "limit": {
            "in": "query",
            "description": "How many events at the most: the latest.",
            "schema": { "type": "integer", "minimum": 1, "maximum": 10_000, "default": 50 },
        },
        "only_model": {
            "name": "model",
            "in": "query",
            "description": "Only what happened to this model.",
            "schema": { "type": "string" },
        },
        "idempotency-key": {
            "in": "header",
            "description": "The id of the request: a repetition gets the answer of the first.",
            "schema": { "type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[ -~]+$" },
        },
        "topic": name("The name of a topic; `%2F` stands between a tenant and its topic."),
        "return-to": {
            "in": "header",
            "description": "Where the answer goes besides: `topic:` and the name of a topic that the \
                endpoint allows.",
            "schema": { "type": "string", "pattern": "^topic:[!-~]{1,200}$" },
        },
        "traceparent": {
            "in": "header",
            "description": "The trace of the caller, as W3C Trace Context has it; any other form is ignored.",
            "schema": { "type": "string" },
        },
        "inference-header-content-length": {
            "in": "header",
            "description": "Where tensors stand in binary behind the document: its length in bytes.",
            "schema": { "type": "integer", "minimum": 1 },
        },
        "x-understudy-operator": {
            "in": "header",
            "description": "Who the operator says to be, for the history.",
            "schema": { "type": "string", "minLength": 1, "maxLength": 100, "pattern": "^[ -~]+$" },
        },
    });
    if let (Value::Object(all), Value::Object(more)) = (&mut all, of_records()) {
        all.extend(more);
        for (name, parameter) in all {
            if parameter["name"].is_null() {
                parameter["name"] = json!(name);
            }
        }
    }
    all
}

/// Those that say where records go.
fn of_records() -> Value {
    json!({
        "key": {
            "in": "query",
            "description": "The key of each record, which decides about its partition as in Kafka's own client.",
            "schema": { "type": "string" },
        },
        "key_separator": {
            "in": "query",
            "description": "What stands in each line between its key and the record; not with `key`, nor with bytes.",
            "schema": { "type": "string", "minLength": 1, "pattern": "^[^\\r\\n]+$" },
        },
        "partition": {
            "in": "query",
            "description": "The partition that gets all the records, whatever their keys.",
            "schema": { "type": "integer", "minimum": 0, "maximum": 4_294_967_295_u32 },
        },
    })
}
