//! The operations of the listener for requests.

use super::operation::{Answer, Body, JSON, Operation, answer, ok};
use crate::guard::Act;

pub(super) const DESCRIPTION: &str = "The Open Inference Protocol, version 2, over REST, with its extensions for binary tensors, \
    statistics and the repository of models. The protocol's model is an endpoint here, and its version a model of that endpoint: \
    the rendezvous answers for the endpoint, a version answers for itself alone.";

const INFER_BODY: Option<Body> = Some(Body {
    is_required: true,
    media: &[(JSON, "InferRequest"), ("application/octet-stream", "Binary")],
});
const WISHES: Option<Body> =
    Some(Body { is_required: false, media: &[(JSON, "RepositoryWishes")] });
const INFER_ANSWERS: &[Answer] = &[
    ok("The answer.", "InferResponse"),
    answer(504, "Nothing had come when the answer was due.", "NoAnswer"),
];
const INFER_ERRORS: &[u16] = &[503, 507];
const CAN_ANSWER: &[Answer] = &[
    ok("It can answer.", "Ready"),
    answer(503, "It cannot answer now; the error says why.", "NotReady"),
];

const CHANGED: &[Answer] = &[ok("It is done.", "Empty")];

/// A row with nothing in it yet.
pub(super) const BLANK: Operation = Operation {
    id: "",
    method: "get",
    path: "",
    act: Act::Describe,
    tag: "protocol",
    summary: "",
    description: "",
    parameters: &[],
    body: None,
    answers: &[],
    errors: &[],
};

/// Both listeners have it.
pub(super) const LIVE: Operation = Operation {
    id: "live",
    path: "/v2/health/live",
    act: Act::Health,
    tag: "host",
    summary: "Whether the server works at all",
    answers: &[
        ok("It does.", "Live"),
        answer(503, "It does not, and wants to be started again.", "NotLive"),
    ],
    ..BLANK
};

/// Both listeners have it.
pub(super) const READY: Operation = Operation {
    id: "ready",
    path: "/v2/health/ready",
    act: Act::Health,
    tag: "host",
    summary: "Whether the server can answer",
    answers: &[
        ok("It can.", "ServerReady"),
        answer(503, "It cannot now; the error says why.", "NotReady"),
    ],
    ..BLANK
};

pub(super) const OPERATIONS: &[Operation] = &[
    Operation {
        id: "openapi",
        path: super::PATH,
        tag: "host",
        summary: "This document",
        answers: &[ok("The document.", "Document")],
        ..BLANK
    },
    Operation {
        id: "server",
        path: "/v2",
        tag: "host",
        summary: "What the server is",
        answers: &[ok("Its name, version and extensions.", "Server")],
        ..BLANK
    },
    LIVE,
    READY,
    Operation {
        id: "endpoints",
        path: "/v2/models",
        summary: "Which endpoints there are",
        answers: &[ok("Those that the caller sees.", "Endpoints")],
        ..BLANK
    },
    Operation {
        id: "endpoint",
        path: "/v2/models/{endpoint}",
        summary: "What an endpoint takes and gives",
        parameters: &["endpoint"],
        answers: &[ok("Its tensors, and its models as `versions`.", "Metadata")],
        ..BLANK
    },
    Operation {
        id: "model",
        path: "/v2/models/{endpoint}/versions/{model}",
        summary: "What a model takes and gives",
        parameters: &["endpoint", "model"],
        answers: &[ok("Its tensors.", "Metadata")],
        ..BLANK
    },
    Operation {
        id: "endpoint-ready",
        path: "/v2/models/{endpoint}/ready",
        summary: "Whether an endpoint can answer",
        parameters: &["endpoint"],
        answers: CAN_ANSWER,
        ..BLANK
    },
    Operation {
        id: "model-ready",
        path: "/v2/models/{endpoint}/versions/{model}/ready",
        summary: "Whether a model can answer",
        parameters: &["endpoint", "model"],
        answers: CAN_ANSWER,
        ..BLANK
    },
    Operation {
        id: "infer",
        method: "post",
        path: "/v2/models/{endpoint}/infer",
        act: Act::Infer,
        summary: "Ask an endpoint: the rendezvous answers before the deadline",
        description: "The request is recorded, every live model sees it, and exactly one answer comes back. \
            `parameters.reason` says why it is what it is, `model_version` from which model and revision.",
        parameters: &[
            "endpoint",
            "idempotency-key",
            "traceparent",
            "return-to",
            "inference-header-content-length",
        ],
        body: INFER_BODY,
        answers: INFER_ANSWERS,
        errors: INFER_ERRORS,
        ..BLANK
    },
    Operation {
        id: "infer-model",
        method: "post",
        path: "/v2/models/{endpoint}/versions/{model}/infer",
        act: Act::Infer,
        summary: "Ask one model alone, which is recorded nowhere",
        parameters: &[
            "endpoint",
            "model",
            "idempotency-key",
            "traceparent",
            "return-to",
            "inference-header-content-length",
        ],
        body: INFER_BODY,
        answers: INFER_ANSWERS,
        errors: INFER_ERRORS,
        ..BLANK
    },
    Operation {
        id: "append",
        method: "post",
        path: "/v2/models/{endpoint}/records",
        act: Act::Append,
        summary: "Append requests, whose answers come on the answers topic",
        parameters: &["endpoint"],
        body: Some(Body { is_required: true, media: &[("application/x-ndjson", "Records")] }),
        answers: &[ok("All of them are recorded.", "Appended")],
        errors: &[503, 507],
        ..BLANK
    },
    Operation {
        id: "append-to-topic",
        method: "post",
        path: "/v2/topics/{topic}/records",
        act: Act::Append,
        summary: "Append records to a topic that belongs to no endpoint",
        description: "Each line is a record; as `application/octet-stream` the body is one. Headers that begin with \
            `understudy-header-` become headers of each record. Records with the same key go to the same partition, \
            those without one to all in turns.",
        parameters: &["topic", "key", "key_separator", "partition"],
        body: Some(Body {
            is_required: true,
            media: &[("application/x-ndjson", "Lines"), ("application/octet-stream", "Bytes")],
        }),
        answers: &[ok("All of them are recorded.", "Appended")],
        errors: &[503, 507],
        ..BLANK
    },
    Operation {
        id: "statistics",
        path: "/v2/models/stats",
        act: Act::Observe,
        tag: "extensions",
        summary: "What all models have done",
        answers: &[ok("A list of counts and times.", "Statistics")],
        ..BLANK
    },
    Operation {
        id: "endpoint-statistics",
        path: "/v2/models/{endpoint}/stats",
        act: Act::Observe,
        tag: "extensions",
        summary: "What the models of an endpoint have done",
        parameters: &["endpoint"],
        answers: &[ok("A list of counts and times.", "Statistics")],
        ..BLANK
    },
    Operation {
        id: "model-statistics",
        path: "/v2/models/{endpoint}/versions/{model}/stats",
        act: Act::Observe,
        tag: "extensions",
        summary: "What a model has done",
        parameters: &["endpoint", "model"],
        answers: &[ok("Counts and times.", "Statistics")],
        ..BLANK
    },
    Operation {
        id: "index",
        method: "post",
        path: "/v2/repository/index",
        tag: "extensions",
        summary: "Which models there are, and where they stand",
        body: Some(Body { is_required: false, media: &[(JSON, "IndexWishes")] }),
        answers: &[ok("Every model that the caller sees.", "Index")],
        ..BLANK
    },
    Operation {
        id: "load",
        method: "post",
        path: "/v2/repository/models/{endpoint}/load",
        act: Act::Operate,
        tag: "extensions",
        summary: "Resume an endpoint",
        parameters: &["endpoint"],
        body: WISHES,
        answers: CHANGED,
        errors: &[409],
        ..BLANK
    },
    Operation {
        id: "load-model",
        method: "post",
        path: "/v2/repository/models/{endpoint}/versions/{model}/load",
        act: Act::Operate,
        tag: "extensions",
        summary: "Resume a model, or stage it from the component in `parameters`",
        parameters: &["endpoint", "model"],
        body: WISHES,
        answers: CHANGED,
        errors: &[409],
        ..BLANK
    },
    Operation {
        id: "unload",
        method: "post",
        path: "/v2/repository/models/{endpoint}/unload",
        act: Act::Operate,
        tag: "extensions",
        summary: "Pause an endpoint",
        parameters: &["endpoint"],
        body: WISHES,
        answers: CHANGED,
        errors: &[409],
        ..BLANK
    },
    Operation {
        id: "unload-model",
        method: "post",
        path: "/v2/repository/models/{endpoint}/versions/{model}/unload",
        act: Act::Operate,
        tag: "extensions",
        summary: "Pause a model",
        parameters: &["endpoint", "model"],
        body: WISHES,
        answers: CHANGED,
        errors: &[409],
        ..BLANK
    },
];
