//! The schemas of bodies, by name.
//!
//! Objects that we write may gain fields: a reader passes over what it does not know. Objects that
//! we read have exactly the fields that are named, because an unknown one is refused.

use serde_json::{Map, Value, json};

use super::operation::Operation;
use super::reference;

/// The schema of a body of this name. What has none of its own is any text or bytes.
pub(super) fn media(name: &str) -> Value {
    match name {
        "Binary" => json!({ "description": "The document, and the tensors behind it." }),
        "Records" => json!({
            "type": "string",
            "description": "A request of the protocol on each line.",
        }),
        "Lines" => json!({
            "type": "string",
            "pattern": "[^\\r\\n]",
            "description": "A record on each line.",
        }),
        "Bytes" => json!({ "description": "A record." }),
        "Component" => json!({ "description": "A WebAssembly component." }),
        "Text" => json!({ "type": "string" }),
        name => reference("schemas", name),
    }
}

/// Those that any of the operations needs, with those that they need in turn.
pub(super) fn of(operations: &[Operation]) -> Value {
    let mut all = protocol();
    for more in [extensions(), host(), looks(), changes()] {
        if let (Value::Object(all), Value::Object(more)) = (&mut all, more) {
            all.extend(more);
        }
    }
    let Value::Object(all) = all else { return json!({}) };
    let mut wanted = vec!["Error".to_owned()];
    for operation in operations {
        wanted.extend(operation.answers.iter().map(|answer| answer.schema.to_owned()));
        let media = operation.body.iter().flat_map(|body| body.media);
        wanted.extend(media.map(|(_, schema)| (*schema).to_owned()));
    }
    let mut used = Map::new();
    while let Some(name) = wanted.pop() {
        let Some(schema) = all.get(&name).filter(|_| !used.contains_key(&name)) else { continue };
        references(schema, &mut wanted);
        used.insert(name, schema.clone());
    }
    Value::Object(used)
}

fn references(schema: &Value, found: &mut Vec<String>) {
    match schema {
        Value::Object(fields) => {
            if let Some(Value::String(reference)) = fields.get("$ref") {
                found.extend(reference.rsplit('/').next().map(str::to_owned));
            }
            fields.values().for_each(|value| references(value, found));
        }
        Value::Array(list) => list.iter().for_each(|value| references(value, found)),
        _ => {}
    }
}

/// An object that we write.
fn written(required: &[&str], properties: Value) -> Value {
    json!({ "type": "object", "required": required, "properties": properties })
}

/// An object that we read.
fn read(required: &[&str], properties: Value) -> Value {
    let mut schema = written(required, properties);
    schema["additionalProperties"] = json!(false);
    schema
}

fn list(of: Value) -> Value {
    json!({ "type": "array", "items": of })
}

fn text() -> Value {
    json!({ "type": "string" })
}

fn maybe_text() -> Value {
    json!({ "type": ["string", "null"] })
}

fn flag() -> Value {
    json!({ "type": "boolean" })
}

fn only(value: bool) -> Value {
    json!({ "type": "boolean", "const": value })
}

fn count() -> Value {
    json!({ "type": "integer", "minimum": 0 })
}

fn named(name: &str) -> Value {
    reference("schemas", name)
}

/// Requests, responses, and what they are made of.
fn protocol() -> Value {
    let datatype = json!({
        "type": "string",
        "enum": [
            "BOOL", "UINT8", "UINT16", "UINT32", "UINT64", "INT8", "INT16", "INT32", "INT64",
            "FP16", "BF16", "FP32", "FP64", "BYTES",
        ],
    });
    let length = json!({ "type": "integer", "minimum": 0, "maximum": u32::MAX });
    let shape = json!({ "type": "array", "items": length, "maxItems": message::oip::RANK_LIMIT });
    let tensor = json!({
        "name": text(),
        "datatype": datatype,
        "shape": shape,
        "parameters": named("Parameters"),
        "data": {
            "type": "array",
            "description": "The elements, flat or nested as the shape says. Floats that are not \
                finite are the texts NaN, Infinity and -Infinity.",
            "items": { "type": ["number", "string", "boolean", "array"] },
        },
    });
    let wanted_output = read(
        &["name"],
        json!({
            "name": text(),
            "parameters": named("Parameters"),
        }),
    );
    let response = json!({
        "model_name": text(),
        "model_version": text(),
        "id": text(),
        "parameters": named("Parameters"),
        "outputs": list(written(&["name", "datatype", "shape"], tensor.clone())),
    });
    let appended_part = written(
        &["partition", "first_offset", "count"],
        json!({ "partition": count(), "first_offset": count(), "count": count() }),
    );
    json!({
        "Error": written(&["error"], json!({ "error": text() })),
        "Parameters": {
            "type": "object",
            "additionalProperties": { "type": ["string", "number", "boolean"] },
        },
        "InferRequest": read(&["inputs"], json!({
            "id": text(),
            "parameters": named("Parameters"),
            "inputs": list(read(&["name", "datatype", "shape"], tensor)),
            "outputs": list(wanted_output),
        })),
        "InferResponse": written(&["model_name", "outputs"], response),
        "NoAnswer": written(&["error"], json!({
            "error": text(),
            "model_name": text(),
            "id": text(),
            "parameters": named("Parameters"),
        })),
        "Appended": written(&["first_offset", "count", "partitions"], json!({
            "first_offset": count(),
            "count": count(),
            "partitions": list(appended_part),
        })),
    })
}

/// Statistics, and the repository of models.
fn extensions() -> Value {
    let tally = written(&["count", "ns"], json!({ "count": count(), "ns": count() }));
    let statistics = written(
        &["name", "version", "inference_count", "execution_count", "inference_stats"],
        json!({
            "name": text(),
            "version": text(),
            "last_inference": count(),
            "inference_count": count(),
            "execution_count": count(),
            "inference_stats": { "type": "object", "additionalProperties": named("Tally") },
            "batch_stats": list(written(&["batch_size"], json!({ "batch_size": count() }))),
            "memory_usage": list(written(&["type", "byte_size"], json!({
                "type": text(),
                "byte_size": count(),
            }))),
        }),
    );
    let entry = written(
        &["name", "version", "state", "reason"],
        json!({
            "name": text(),
            "version": text(),
            "state": { "type": "string", "enum": ["READY", "LOADING", "UNAVAILABLE"] },
            "reason": text(),
        }),
    );
    json!({
        "Tally": tally,
        "Statistics": written(&["model_stats"], json!({ "model_stats": list(statistics) })),
        "Index": list(entry),
        "IndexWishes": {
            "type": ["object", "null"],
            "properties": {
                "ready": { "type": ["boolean", "null"], "description": "Only those that are." },
            },
        },
        "RepositoryWishes": {
            "type": ["object", "null"],
            "properties": { "parameters": { "type": ["object", "null"] } },
        },
        "Empty": { "type": "object" },
    })
}

/// What the host and its endpoints are.
fn host() -> Value {
    let tensor = written(
        &["name", "datatype", "shape"],
        json!({
            "name": text(),
            "datatype": text(),
            "shape": list(json!({ "type": "integer", "minimum": -1 })),
        }),
    );
    json!({
        "Document": written(&["openapi", "info", "paths"], json!({ "openapi": text() })),
        "Server": written(&["name", "version", "extensions"], json!({
            "name": text(),
            "version": text(),
            "extensions": list(text()),
        })),
        "Live": written(&["live"], json!({ "live": only(true) })),
        "NotLive": written(&["live", "error"], json!({ "live": only(false), "error": text() })),
        "ServerReady": written(&["live", "ready"], json!({ "live": flag(), "ready": only(true) })),
        "Ready": written(&["name", "ready"], json!({ "name": text(), "ready": only(true) })),
        "NotReady": written(&["ready", "error"], json!({
            "name": text(),
            "live": flag(),
            "ready": only(false),
            "error": text(),
        })),
        "Endpoints": written(&["models"], json!({
            "models": list(written(&["name"], json!({ "name": text() }))),
        })),
        "Metadata": written(&["name", "platform", "inputs", "outputs"], json!({
            "name": text(),
            "versions": list(text()),
            "platform": text(),
            "inputs": list(named("TensorMetadata")),
            "outputs": list(named("TensorMetadata")),
            "properties": { "type": "object", "additionalProperties": text() },
        })),
        "TensorMetadata": tensor,
    })
}

/// What operators look at.
fn looks() -> Value {
    let model = written(
        &["name", "role", "state", "revision"],
        json!({
            "name": text(),
            "role": text(),
            "state": text(),
            "revision": text(),
            "reason": maybe_text(),
        }),
    );
    let endpoint = written(
        &["name", "models", "requests"],
        json!({
            "name": text(),
            "requests": count(),
            "open_mailboxes": count(),
            "models": list(named("Model")),
        }),
    );
    json!({
        "Model": model,
        "Status": written(&["version", "endpoints", "problems"], json!({
            "version": text(),
            "endpoints": list(endpoint),
            "problems": list(text()),
        })),
        "EndpointList": written(&["endpoints"], json!({
            "endpoints": list(written(&["name", "champion", "models"], json!({
                "name": text(),
                "paused": flag(),
                "settled": flag(),
                "champion": maybe_text(),
                "models": count(),
            }))),
        })),
        "Models": written(&["endpoint", "models"], json!({
            "endpoint": text(),
            "paused": flag(),
            "awaits": list(text()),
            "models": list(named("Model")),
        })),
        "History": written(&["endpoint", "events"], json!({
            "endpoint": text(),
            "events": list(written(&["event", "time_us"], json!({
                "event": text(),
                "time_us": count(),
                "who": maybe_text(),
                "reason": maybe_text(),
                "offset": count(),
            }))),
        })),
        "Policy": written(&["endpoint", "policy"], json!({
            "endpoint": text(),
            "policy": { "type": "string", "description": "As TOML." },
            "file": maybe_text(),
        })),
    })
}

/// What operators change.
fn changes() -> Value {
    let side = json!({
        "type": ["object", "null"],
        "properties": {
            "role": text(),
            "places": list(text()),
            "revision": text(),
            "paused": flag(),
        },
    });
    json!({
        "Change": written(&["endpoint", "event", "outcome", "files", "roster", "warnings"], json!({
            "endpoint": text(),
            "event": text(),
            "model": maybe_text(),
            "outcome": { "type": "string", "description": "How far it has come." },
            "error": { "type": "string", "description": "Why it would be refused." },
            "dry_run": flag(),
            "files": list(written(&["path"], json!({
                "path": text(),
                "before": maybe_text(),
                "after": maybe_text(),
            }))),
            "roster": list(written(&["model", "before", "after"], json!({
                "model": text(),
                "before": side,
                "after": side,
            }))),
            "warnings": list(text()),
            "objections": list(text()),
        })),
    })
}
