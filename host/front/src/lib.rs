//! Open Inference Protocol v2 over REST and gRPC, the admin pages, and the listener under both.
//!
//! The front knows nothing of models, streams or policies: it asks through [`Host`] and [`Admin`],
//! which `server` implements. There is no middleware stack. One service per listener parses the
//! path, checks the call against [`FrontLimits`], and asks; that is what keeps a call cheap.
//!
//! # Routes
//!
//! | method and path | answer |
//! |---|---|
//! | `POST /v2/models/{endpoint}/infer` | the official answer: `model_version` names `model@revision`, `parameters` the reason and the timings |
//! | `POST /v2/models/{endpoint}/versions/{model}/infer` | what that model alone says; never an official answer |
//! | `POST /v2/models/{endpoint}/records` | `{"first_offset", "count", "partitions"}`: one request a line, appended to the endpoint's stream |
//! | `GET /v2/models/{endpoint}[/versions/{model}]` | the tensors in and out |
//! | `GET /v2/models/{endpoint}[/versions/{model}]/ready` | whether it can answer, with the reason if not |
//! | `GET /v2/models/{endpoint}[/versions/{model}]/stats`, `GET /v2/models/stats` | what models have done |
//! | `GET /v2/models` | the endpoints |
//! | `POST /v2/repository/index` | the models, loaded or not |
//! | `POST /v2/repository/models/{endpoint}[/versions/{model}]/load`, `…/unload` | `{}` |
//! | `GET /openapi.json` | all of this for programs, in OpenAPI 3.1 |
//! | `GET /v2`, `GET /v2/health/live`, `GET /v2/health/ready` | the server itself |
//!
//! On the listener for operators, whose endpoints are one segment (`acme%2Ffraud`):
//!
//! | method and path | answer |
//! |---|---|
//! | `GET /openapi.json` | all of this for programs, in OpenAPI 3.1 |
//! | `GET /status`, `GET /metrics` | everything at a glance, for people and for scrapers |
//! | `GET /admin/endpoints` | the endpoints |
//! | `GET /admin/endpoints/{endpoint}/models` | its models: role, state, revision, what each did, its last change |
//! | `GET /admin/endpoints/{endpoint}/history[?model&limit]` | what happened, and who changed what |
//! | `GET`, `PUT /admin/endpoints/{endpoint}/policy` | who answers, as TOML |
//! | `POST /admin/endpoints/{endpoint}/policy/diff` | what that policy would change |
//! | `PUT /admin/endpoints/{endpoint}/models/{model}` | stages the component in the body |
//! | `POST /admin/endpoints/{endpoint}/models/{model}/{promote,rollback,retire,pause,resume}` | does that |
//! | `POST /admin/endpoints/{endpoint}/{rollback,pause,resume}` | undoes the last change; pauses or resumes the endpoint |
//!
//! Every change takes the query `dry_run=true`, `force=true` and `why=…`, and answers with the
//! files and the roster before and after.
//!
//! An endpoint of a tenant (`acme/fraud`) is written either way: `/v2/models/acme/fraud/infer` or
//! `/v2/models/acme%2Ffraud/infer`. The request parameters `timeout` (µs) and `priority` are passed
//! on to the host. Tensors may stand in binary behind the document, either way. Whatever is not a success has the body `{"error": "…"}`.

mod body;
mod caller;
mod connection;
mod extensions;
mod gate;
mod guard;
mod headers;
mod host;
mod limits;
mod openapi;
mod operate;
mod problem;
mod query;
mod reply;
mod routes;
mod serve;
mod target;
mod tls;

pub use caller::{Caller, Scope, Scopes};
pub use extensions::{
    BatchStatistics, IndexEntry, IndexState, MemoryUsage, ModelStatistics, RepositoryChange, Tally,
};
pub use guard::{Act, Denied, Entry, Guard, Key, Keyring, Peer, Proof, TenantLimits, digest};
pub use host::{
    Answered, Appended, AppendedPart, Call, Host, InferError, Metadata, NotFound, Readiness,
    ServerMetadata, TensorMetadata, TopicRecord,
};
pub use limits::FrontLimits;
pub use openapi::{About, Example, Listener, openapi};
pub use operate::{Change, Declined, Look, Operation, Terms};
pub use reply::{Reply, ReplyBody};
pub use routes::Routes;
pub use routes::admin::{Admin, AdminRoutes};
pub use routes::grpc::GrpcRoutes;
pub use routes::public::PublicRoutes;
pub use serve::{ServeError, serve};
pub use tls::{Pem, Tls, TlsError, certificate_digest};
