//! The document that describes the routes of a listener to programs: OpenAPI 3.1.
//!
//! Every operation is a row of a table here. Tests hold the table against the parsers of paths, in
//! both directions: each row is understood by the parser, and what the parser understands is a row.

mod admin;
mod example;
mod operation;
mod parameters;
mod public;
mod schemas;
#[cfg(test)]
mod tests;

use serde_json::{Map, Value, json};

use crate::guard::Act;
use operation::{Answer, Operation};

pub(crate) use example::{of_admin, of_host};

/// Where the document is, on each listener.
pub(crate) const PATH: &str = "/openapi.json";

/// A listener.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Listener {
    /// The one for requests.
    Public,
    /// The one for operators.
    Admin,
}

/// What a document says of the host that serves it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct About {
    /// Whether callers need a token or a certificate; otherwise they may show one.
    pub needs_token: bool,
    /// Names that exist there.
    pub example: Example,
}

/// Names that exist, so that the examples of the document work.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Example {
    /// An endpoint.
    pub endpoint: Option<String>,
    /// A model of it.
    pub model: Option<String>,
    /// A request that it takes.
    pub request: Option<Value>,
}

/// The document of a listener.
pub fn openapi(listener: Listener, version: &str, about: &About) -> Value {
    let (operations, title, description) = match listener {
        Listener::Public => (public::OPERATIONS, "Understudy", public::DESCRIPTION),
        Listener::Admin => (admin::OPERATIONS, "Understudy, for operators", admin::DESCRIPTION),
    };
    let mut paths = Map::new();
    for operation in operations {
        let path = paths.entry(operation.path).or_insert_with(|| json!({}));
        path[operation.method] = describe(operation, about);
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": title,
            "version": version,
            "summary": "A host of models that are WebAssembly components",
            "description": description,
            "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
        },
        "paths": paths,
        "components": {
            "schemas": schemas::of(operations),
            "parameters": parameters::of(operations, &about.example),
            "headers": headers(),
            "securitySchemes": {
                "token": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "A token that `understudy token new` made.",
                },
                "certificate": {
                    "type": "mutualTLS",
                    "description": "A certificate whose fingerprint is among the tokens.",
                },
            },
        },
    })
}

fn describe(operation: &Operation, about: &About) -> Value {
    let mut described = json!({
        "operationId": operation.id,
        "summary": operation.summary,
        "tags": [operation.tag],
        "security": security(operation.act, about.needs_token),
        "responses": responses(operation),
    });
    if !operation.description.is_empty() {
        described["description"] = json!(operation.description);
    }
    let parameters = operation.parameters.iter();
    let parameters: Vec<_> = parameters.map(|name| reference("parameters", name)).collect();
    if !parameters.is_empty() {
        described["parameters"] = json!(parameters);
    }
    if let Some(body) = &operation.body {
        let mut content = Map::new();
        for (media, schema) in body.media {
            let mut described = json!({ "schema": schemas::media(schema) });
            if *schema == "InferRequest"
                && let Some(example) = &about.example.request
            {
                described["example"] = example.clone();
            }
            content.insert((*media).to_owned(), described);
        }
        described["requestBody"] = json!({ "required": body.is_required, "content": content });
    }
    described
}

/// Who may: each scope is a way of its own. Roles stand in the list, as OpenAPI 3.1 allows.
fn security(act: Act, needs_token: bool) -> Value {
    let scopes: Vec<_> = act.needs().iter().map(|scope| scope.name()).collect();
    let mut ways: Vec<_> = ["token", "certificate"]
        .into_iter()
        .flat_map(|scheme| scopes.iter().map(move |scope| json!({ scheme: [scope] })))
        .collect();
    if !needs_token || scopes.is_empty() {
        ways.push(json!({}));
    }
    json!(ways)
}

fn responses(operation: &Operation) -> Value {
    let mut responses = Map::new();
    for answer in operation.answers {
        responses.insert(answer.status.to_string(), answered(answer));
    }
    for status in operation.errors() {
        let error = operation::ERRORS.iter().find(|error| error.status == status);
        let error = error.expect("invariant: every error has a row");
        responses.entry(status.to_string()).or_insert_with(|| answered(error));
    }
    Value::Object(responses)
}

fn answered(answer: &Answer) -> Value {
    let mut described = json!({
        "description": answer.means,
        "content": { answer.media: { "schema": schemas::media(answer.schema) } },
    });
    for header in answer.headers {
        described["headers"][header] = reference("headers", header);
    }
    described
}

fn headers() -> Value {
    json!({
        "allow": {
            "description": "The methods that the path is for.",
            "required": true,
            "schema": { "type": "string" },
        },
        "retry-after": {
            "description": "After how many seconds another try makes sense.",
            "schema": { "type": "integer", "minimum": 1 },
        },
        "www-authenticate": {
            "description": "How to say who calls.",
            "required": true,
            "schema": { "type": "string" },
        },
        "inference-header-content-length": {
            "description": "How many bytes of the body are the document; tensors stand behind it.",
            "schema": { "type": "integer", "minimum": 1 },
        },
    })
}

fn reference(kind: &str, name: &str) -> Value {
    json!({ "$ref": format!("#/components/{kind}/{name}") })
}
