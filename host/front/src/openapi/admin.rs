//! The operations of the listener for operators.

use super::operation::{Answer, Body, Operation, answer, ok};
use super::public;
use crate::guard::Act;

pub(super) const DESCRIPTION: &str = "What the host does, and the operator's hands: each change writes the folder's own files, and \
     the folder stays the one truth. With `dry_run` nothing is written and everything is said.";

const TERMS_OF_ENDPOINT: &[&str] =
    &["endpoint", "dry_run", "force", "why", "x-understudy-operator"];
const TERMS_OF_MODEL: &[&str] =
    &["endpoint", "model", "dry_run", "force", "why", "x-understudy-operator"];
const TOML: Option<Body> = Some(Body {
    is_required: true,
    media: &[("application/toml", "Text"), ("text/plain", "Text")],
});
const CHANGED: &[Answer] = &[
    ok("What was changed, or would be.", "Change"),
    answer(409, "Something speaks against it; nothing was changed.", "Error"),
];

const LOOK: Operation = Operation { act: Act::Observe, tag: "look", ..public::BLANK };
const CHANGE: Operation = Operation {
    method: "post",
    act: Act::Operate,
    tag: "change",
    parameters: TERMS_OF_MODEL,
    answers: CHANGED,
    errors: &[422],
    ..public::BLANK
};

pub(super) const OPERATIONS: &[Operation] = &[
    Operation {
        id: "openapi",
        path: super::PATH,
        tag: "host",
        summary: "This document",
        answers: &[ok("The document.", "Document")],
        ..LOOK
    },
    Operation {
        id: "metrics",
        path: "/metrics",
        tag: "host",
        summary: "Every metric, as OpenMetrics text",
        answers: &[Answer {
            media: "application/openmetrics-text",
            ..ok("Lines of metrics.", "Text")
        }],
        ..LOOK
    },
    Operation {
        id: "status",
        path: "/status",
        tag: "host",
        summary: "Everything that a person would want to see at a glance",
        parameters: &["all"],
        answers: &[ok("The endpoints, their models, and what is wrong.", "Status")],
        ..LOOK
    },
    public::LIVE,
    public::READY,
    Operation {
        id: "list",
        path: "/admin/endpoints",
        summary: "Which endpoints there are",
        answers: &[ok("Those that the caller sees.", "EndpointList")],
        ..LOOK
    },
    Operation {
        id: "models",
        path: "/admin/endpoints/{endpoint}/models",
        summary: "What the models of an endpoint are and do",
        parameters: &["endpoint"],
        answers: &[ok("The models.", "Models")],
        ..LOOK
    },
    Operation {
        id: "history",
        path: "/admin/endpoints/{endpoint}/history",
        summary: "What happened to an endpoint: who changed what, and why",
        parameters: &["endpoint", "limit", "only_model"],
        answers: &[ok("The latest events, the latest last.", "History")],
        ..LOOK
    },
    Operation {
        id: "policy",
        path: "/admin/endpoints/{endpoint}/policy",
        summary: "Who answers, as the endpoint's file says it",
        parameters: &["endpoint"],
        answers: &[ok("The policy as TOML.", "Policy")],
        errors: &[409],
        ..LOOK
    },
    Operation {
        id: "set-policy",
        method: "put",
        path: "/admin/endpoints/{endpoint}/policy",
        summary: "Replace who answers; the rest of the file stays",
        parameters: TERMS_OF_ENDPOINT,
        body: TOML,
        ..CHANGE
    },
    Operation {
        id: "diff-policy",
        path: "/admin/endpoints/{endpoint}/policy/diff",
        summary: "Say what replacing the policy would change",
        parameters: TERMS_OF_ENDPOINT,
        body: TOML,
        ..CHANGE
    },
    Operation {
        id: "stage",
        method: "put",
        path: "/admin/endpoints/{endpoint}/models/{model}",
        summary: "Put a component into the folder",
        body: Some(Body {
            is_required: true,
            media: &[("application/wasm", "Component"), ("application/octet-stream", "Component")],
        }),
        ..CHANGE
    },
    Operation {
        id: "promote",
        path: "/admin/endpoints/{endpoint}/models/{model}/promote",
        summary: "Make a model the champion",
        ..CHANGE
    },
    Operation {
        id: "rollback-model",
        path: "/admin/endpoints/{endpoint}/models/{model}/rollback",
        summary: "Put the former artefact of a model back",
        ..CHANGE
    },
    Operation {
        id: "retire",
        path: "/admin/endpoints/{endpoint}/models/{model}/retire",
        summary: "Take a model out of the folder",
        ..CHANGE
    },
    Operation {
        id: "pause-model",
        path: "/admin/endpoints/{endpoint}/models/{model}/pause",
        summary: "Leave a model unasked",
        ..CHANGE
    },
    Operation {
        id: "resume-model",
        path: "/admin/endpoints/{endpoint}/models/{model}/resume",
        summary: "Ask a model again",
        ..CHANGE
    },
    Operation {
        id: "rollback",
        path: "/admin/endpoints/{endpoint}/rollback",
        summary: "Undo the last change",
        parameters: TERMS_OF_ENDPOINT,
        ..CHANGE
    },
    Operation {
        id: "pause",
        path: "/admin/endpoints/{endpoint}/pause",
        summary: "Turn callers of an endpoint away",
        parameters: TERMS_OF_ENDPOINT,
        ..CHANGE
    },
    Operation {
        id: "resume",
        path: "/admin/endpoints/{endpoint}/resume",
        summary: "Let callers of an endpoint in again",
        parameters: TERMS_OF_ENDPOINT,
        ..CHANGE
    },
];
