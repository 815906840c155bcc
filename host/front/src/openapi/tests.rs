//! The table, the parsers of paths, and the document agree.

use std::collections::BTreeSet;

use hyper::Method;

use super::*;
use crate::operate::Look;
use crate::routes::admin::Health;
use crate::routes::admin::target::{Page, Target as AdminTarget, Verb};
use crate::target::{Ask, Target};

/// A path of the row, with names in it.
fn path_of(operation: &Operation) -> String {
    operation
        .path
        .replace("{endpoint}", "acme%2Ffraud")
        .replace("{model}", "net")
        .replace("{topic}", "orders")
}

#[test]
fn each_public_row_is_what_the_parser_understands() {
    for operation in public::OPERATIONS {
        let path = path_of(operation);
        let target = Target::parse(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
        assert_eq!(id_of_target(&target), operation.id, "{path}");
        assert_eq!(target.act(), operation.act, "{path}");
        let allowed = target.allow().to_ascii_lowercase();
        let methods = methods_of(public::OPERATIONS, operation.path);
        assert_eq!(allowed.replace(", head", ""), methods, "{path}");
    }
}

#[test]
fn each_admin_row_is_what_the_parser_understands() {
    for operation in admin::OPERATIONS {
        let path = path_of(operation);
        let method: Method = operation.method.to_ascii_uppercase().parse().unwrap();
        if let Some(health) = Health::of(&path) {
            assert_eq!((id_of_health(health), Act::Health), (operation.id, operation.act));
            continue;
        }
        let target = AdminTarget::parse(&method, &path, "");
        let (id, act) = match target.unwrap_or_else(|error| panic!("{path}: {error}")) {
            AdminTarget::Page(page) => (id_of_page(page), Act::Observe),
            AdminTarget::Look(look) => (id_of_look(&look), Act::Observe),
            AdminTarget::Change { verb, terms, .. } if terms.dry_run => {
                assert_eq!(id_of_change(&verb), "set-policy");
                ("diff-policy", Act::Operate)
            }
            AdminTarget::Change { verb, .. } => (id_of_change(&verb), Act::Operate),
        };
        assert_eq!((id, act), (operation.id, operation.act), "{path}");
    }
}

#[test]
fn the_parser_of_the_admin_listener_knows_no_other_method_of_a_row() {
    for operation in admin::OPERATIONS.iter().filter(|it| it.act != Act::Health) {
        let path = path_of(operation);
        let known = methods_of(admin::OPERATIONS, operation.path);
        for method in ["GET", "PUT", "POST", "DELETE", "PATCH"] {
            let is_known = known.contains(&method.to_ascii_lowercase());
            let understood = AdminTarget::parse(&method.parse().unwrap(), &path, "").is_ok();
            assert_eq!(understood, is_known, "{method} {path}");
        }
    }
}

/// Every target that a path can be has a row: the functions that find it are exhaustive, and what
/// they give is in the table.
#[test]
fn every_target_has_a_row() {
    let ids = |operations: &[Operation]| operations.iter().map(|it| it.id).collect::<BTreeSet<_>>();
    let rows = ids(public::OPERATIONS);
    assert_eq!(rows.len(), public::OPERATIONS.len(), "an id is there twice");
    assert_eq!(ids(admin::OPERATIONS).len(), admin::OPERATIONS.len(), "an id is there twice");
    for last in ["", "/infer", "/records", "/ready", "/stats"] {
        for model in ["", "/versions/m"] {
            if let Ok(target) = Target::parse(&format!("/v2/models/e{model}{last}")) {
                assert!(rows.contains(id_of_target(&target)), "{target:?}");
            }
        }
    }
}

#[test]
fn every_reference_of_a_document_leads_somewhere() {
    for listener in [Listener::Public, Listener::Admin] {
        let document = openapi(listener, "1.0.0", &About::default());
        let mut found = 0;
        check(&document, &document, &mut found);
        assert!(found > 50, "{found}");
    }
}

#[test]
fn examples_are_those_of_the_host() {
    let request = json!({ "inputs": [] });
    let example = Example {
        endpoint: Some("flights".to_owned()),
        model: Some("gbdt".to_owned()),
        request: Some(request.clone()),
    };
    let document = openapi(Listener::Public, "1.0.0", &About { needs_token: true, example });
    assert_eq!(document["components"]["parameters"]["endpoint"]["example"], "flights");
    assert_eq!(document["components"]["parameters"]["model"]["example"], "gbdt");
    let infer = &document["paths"]["/v2/models/{endpoint}/infer"]["post"];
    assert_eq!(infer["requestBody"]["content"]["application/json"]["example"], request);
    let ways = [json!({ "token": ["infer"] }), json!({ "certificate": ["infer"] })];
    assert_eq!(infer["security"], json!(ways));
    assert_eq!(document["paths"]["/v2/health/live"]["get"]["security"], json!([{}]));
}

/// The row of what a path asks for. A new target finds its row here, or does not compile.
fn id_of_target(target: &Target<'_>) -> &'static str {
    match target {
        Target::OpenApi => "openapi",
        Target::Server => "server",
        Target::Live => "live",
        Target::Ready => "ready",
        Target::Endpoints => "endpoints",
        Target::Topic { .. } => "append-to-topic",
        Target::Statistics => "statistics",
        Target::Index => "index",
        Target::Endpoint { model, ask, .. } => match (ask, model.is_some()) {
            (Ask::Infer, false) => "infer",
            (Ask::Infer, true) => "infer-model",
            (Ask::Append, _) => "append",
            (Ask::Ready, false) => "endpoint-ready",
            (Ask::Ready, true) => "model-ready",
            (Ask::Metadata, false) => "endpoint",
            (Ask::Metadata, true) => "model",
            (Ask::Statistics, false) => "endpoint-statistics",
            (Ask::Statistics, true) => "model-statistics",
            (Ask::Load, false) => "load",
            (Ask::Load, true) => "load-model",
            (Ask::Unload, false) => "unload",
            (Ask::Unload, true) => "unload-model",
        },
    }
}

/// The row of a page. A new one finds its row here, or does not compile.
const fn id_of_page(page: Page) -> &'static str {
    match page {
        Page::OpenApi => "openapi",
        Page::Metrics => "metrics",
        Page::Status | Page::WholeStatus => "status",
    }
}

/// The row of a look, likewise.
const fn id_of_look(look: &Look) -> &'static str {
    match look {
        Look::Endpoints => "list",
        Look::Models { .. } => "models",
        Look::History { .. } => "history",
        Look::Policy { .. } => "policy",
    }
}

/// The row of a change, likewise.
const fn id_of_change(verb: &Verb) -> &'static str {
    match verb {
        Verb::Stage(_) => "stage",
        Verb::Promote(_) => "promote",
        Verb::Rollback(Some(_)) => "rollback-model",
        Verb::Rollback(None) => "rollback",
        Verb::Retire(_) => "retire",
        Verb::Pause(Some(_)) => "pause-model",
        Verb::Pause(None) => "pause",
        Verb::Resume(Some(_)) => "resume-model",
        Verb::Resume(None) => "resume",
        Verb::SetPolicy => "set-policy",
    }
}

const fn id_of_health(health: Health) -> &'static str {
    match health {
        Health::Live => "live",
        Health::Ready => "ready",
    }
}

/// The methods of a path, as a header lists them.
fn methods_of(operations: &[Operation], path: &str) -> String {
    let methods = operations.iter().filter(|it| it.path == path).map(|it| it.method);
    methods.collect::<Vec<_>>().join(", ")
}

fn check(value: &Value, document: &Value, found: &mut usize) {
    match value {
        Value::Object(fields) => {
            if let Some(Value::String(reference)) = fields.get("$ref") {
                let target = document.pointer(reference.trim_start_matches('#'));
                assert!(target.is_some(), "{reference} leads nowhere");
                *found += 1;
            }
            fields.values().for_each(|value| check(value, document, found));
        }
        Value::Array(list) => list.iter().for_each(|value| check(value, document, found)),
        _ => {}
    }
}
