//! The routes for operators, on a listener of their own.

pub(crate) mod target;

use std::sync::Arc;

use hyper::body::Incoming;
use hyper::http::request::Parts;
use hyper::{HeaderMap, Request, StatusCode};
use serde_json::{Value, json};
use tokio::task::spawn_blocking;

use self::target::{Page, Target, Verb};
use crate::body;
use crate::caller::Caller;
use crate::gate::Gate;
use crate::guard::{Act, Entry, Guard, Peer};
use crate::headers;
use crate::host::{InferError, NotFound, Readiness};
use crate::limits::FrontLimits;
use crate::openapi::{self, About, Listener, openapi};
use crate::operate::{Change, Declined, Look, Operation, Terms};
use crate::problem::Problem;
use crate::reply::{self, Reply};
use crate::routes::public::{live, ready};
use crate::routes::{Routes, check_method};

const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
/// All crates of the host have the same version.
const VERSION: &str = env!("CARGO_PKG_VERSION");
const COMPONENT: &[&str] = &["application/wasm", "application/octet-stream"];
const TOML: &[&str] = &["application/toml", "text/plain"];
/// The largest configuration file that is taken.
const TOML_BYTES_MAX: usize = 1 << 20;

/// Answers what operators ask. Each method may take some milliseconds, and a change some seconds:
/// none runs between calls.
pub trait Admin: Send + Sync + 'static {
    /// Every metric that the caller sees, as OpenMetrics text.
    fn metrics(&self, caller: &Caller) -> String;

    /// Everything of what the caller sees that a person would want to see at a glance; with `all`,
    /// also what there are too many of for that.
    fn status(&self, caller: &Caller, all: bool) -> Value;

    /// Says whether the host works at all; where it does not, it wants to be restarted.
    fn live(&self) -> bool;

    /// Says whether the host can answer now.
    fn ready(&self, caller: &Caller) -> Readiness;

    /// Looks at an endpoint, or at which there are.
    fn look(&self, caller: &Caller, look: Look) -> Result<Value, Declined>;

    /// Changes an endpoint, or says what that would do.
    fn change(&self, caller: &Caller, change: Change) -> Result<Value, Declined>;
}

/// Replies to operators and their tools. `Clone` gives another handle.
#[derive(Debug)]
pub struct AdminRoutes<A> {
    admin: Arc<A>,
    guard: Guard,
    limits: Arc<FrontLimits>,
    memory: Gate,
}

impl<A: Admin> AdminRoutes<A> {
    /// The routes that ask `admin` for whom `guard` lets in, and take bodies as large as `limits`
    /// allows one to be: components.
    pub fn new(admin: Arc<A>, guard: Guard, limits: FrontLimits) -> Self {
        // One component of the largest size at a time.
        let memory = Gate::new(limits.body_bytes_max);
        Self { admin, guard, limits: Arc::new(limits), memory }
    }

    async fn route(&self, request: Request<Incoming>, peer: &Peer) -> Result<Reply, Problem> {
        let (head, body) = request.into_parts();
        let headers = &head.headers;
        let query = head.uri.query().unwrap_or_default();
        let target = || Target::parse(&head.method, head.uri.path(), query);
        if let Some(health) = Health::of(head.uri.path()) {
            check_method(&head.method, "GET, HEAD")?;
            let caller = self.guard.recognise(headers, peer);
            return self.ask(move |admin| Ok(health.show(admin, caller.as_ref()))).await;
        }
        let caller = self.guard.identify(headers, peer)?;
        match target()? {
            Target::Page(page) => {
                let entry = self.guard.admit(&caller, headers, Act::Observe)?;
                let needs_token = self.guard.is_locked();
                let show = move |admin: &A| page.show(admin, &caller, needs_token);
                self.ask(move |admin| Ok(keep(entry, show(admin)))).await
            }
            Target::Look(look) => {
                let entry = self.guard.admit(&caller, headers, Act::Observe)?;
                let names = names_of(&look);
                let ask = move |admin: &A| done(admin.look(&caller, look), names);
                self.ask(move |admin| Ok(keep(entry, ask(admin)?))).await
            }
            Target::Change { endpoint, verb, terms } => {
                let entry = self.guard.admit(&caller, headers, Act::Operate)?;
                let operation = self.operation(&head, body, verb).await?;
                let terms = Terms { claimed: headers::operator(headers)?, ..terms };
                let names = (endpoint.clone(), model_of(&operation));
                let change = Change { endpoint, operation, terms };
                let ask = move |admin: &A| done(admin.change(&caller, change), names);
                self.ask(move |admin| Ok(keep(entry, ask(admin)?))).await
            }
        }
    }

    /// Asks on a thread that may block. Once begun, it goes on also where the caller hangs up.
    async fn ask(
        &self,
        ask: impl FnOnce(&A) -> Result<Reply, Problem> + Send + 'static,
    ) -> Result<Reply, Problem> {
        let admin = Arc::clone(&self.admin);
        let reply = spawn_blocking(move || ask(&admin)).await;
        reply.unwrap_or(Err(Problem::Infer(InferError::Internal)))
    }

    async fn operation(
        &self,
        head: &Parts,
        body: Incoming,
        verb: Verb,
    ) -> Result<Operation, Problem> {
        Ok(match verb {
            Verb::Stage(model) => {
                headers::check_body(&head.headers, COMPONENT)?;
                let limit = self.limits.body_bytes_max;
                let wasm = self.receive(&head.headers, body, limit).await?;
                Operation::Stage { model, wasm: wasm.bytes }
            }
            Verb::SetPolicy => {
                headers::check_body(&head.headers, TOML)?;
                let text = self.receive(&head.headers, body, TOML_BYTES_MAX).await?;
                let text = String::from_utf8(text.bytes.into()).map_err(|_| Problem::NotText)?;
                // A body that was forgotten is not the wish that nobody answers.
                if text.trim().is_empty() {
                    return Err(Problem::NoPolicy);
                }
                Operation::SetPolicy { text }
            }
            Verb::Promote(model) => Operation::Promote { model },
            Verb::Rollback(model) => Operation::Rollback { model },
            Verb::Retire(model) => Operation::Retire { model },
            Verb::Pause(model) => Operation::Pause { model },
            Verb::Resume(model) => Operation::Resume { model },
        })
    }

    async fn receive(
        &self,
        headers: &HeaderMap,
        body: Incoming,
        limit: usize,
    ) -> Result<body::Received, Problem> {
        let limits = FrontLimits { body_bytes_max: limit, ..(*self.limits).clone() };
        let discard = !headers.contains_key(hyper::header::EXPECT);
        body::receive(body, &limits, &self.memory, discard).await
    }
}

impl Page {
    fn show<A: Admin>(self, admin: &A, caller: &Caller, needs_token: bool) -> Reply {
        match self {
            Self::OpenApi => {
                let about = About { needs_token, example: openapi::of_admin(admin, caller) };
                reply::json(StatusCode::OK, &openapi(Listener::Admin, VERSION, &about))
            }
            Self::Metrics => reply::text(OPEN_METRICS, admin.metrics(caller)),
            Self::Status => reply::json(StatusCode::OK, &admin.status(caller, false)),
            Self::WholeStatus => reply::json(StatusCode::OK, &admin.status(caller, true)),
        }
    }
}

/// What even strangers may ask.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Health {
    Live,
    Ready,
}

impl Health {
    pub(crate) fn of(path: &str) -> Option<Self> {
        match path {
            "/v2/health/live" => Some(Self::Live),
            "/v2/health/ready" => Some(Self::Ready),
            _ => None,
        }
    }

    fn show<A: Admin>(self, admin: &A, caller: Option<&Caller>) -> Reply {
        match self {
            Self::Live => live(admin.live()),
            Self::Ready => {
                let readiness = admin.ready(caller.unwrap_or(&Caller::local()));
                ready(json!({ "live": admin.live() }), readiness.shown_to(caller))
            }
        }
    }
}

/// Has a reply keep the place of its call until it is sent.
fn keep(entry: Entry, mut reply: Reply) -> Reply {
    reply.body_mut().keep(entry);
    reply
}

/// The names that a look asks for, for an error that names them.
fn names_of(look: &Look) -> (String, Option<String>) {
    match look {
        Look::Endpoints => (String::new(), None),
        Look::Models { endpoint } | Look::Policy { endpoint } => (endpoint.clone(), None),
        Look::History { endpoint, model, .. } => (endpoint.clone(), model.clone()),
    }
}

fn model_of(operation: &Operation) -> Option<String> {
    match operation {
        Operation::Stage { model, .. }
        | Operation::Promote { model }
        | Operation::Retire { model } => Some(model.clone()),
        Operation::Rollback { model }
        | Operation::Pause { model }
        | Operation::Resume { model } => model.clone(),
        Operation::SetPolicy { .. } => None,
    }
}

fn done(
    outcome: Result<Value, Declined>,
    (endpoint, model): (String, Option<String>),
) -> Result<Reply, Problem> {
    match outcome {
        Ok(document) => Ok(reply::json(StatusCode::OK, &document)),
        Err(Declined::NotFound(NotFound::Endpoint { known })) => {
            Err(Problem::from_not_found(NotFound::Endpoint { known }, &endpoint, None))
        }
        Err(Declined::NotFound(not_found)) => {
            Err(Problem::from_not_found(not_found, &endpoint, model.as_deref()))
        }
        Err(Declined::Invalid { message }) => Err(Problem::Change { message }),
        Err(Declined::Conflict { document }) => Ok(reply::json(StatusCode::CONFLICT, &document)),
        Err(Declined::Failed { message }) => {
            let document = json!({ "error": message });
            Ok(reply::json(StatusCode::INTERNAL_SERVER_ERROR, &document))
        }
    }
}

impl<A: Admin> Routes for AdminRoutes<A> {
    async fn reply(&self, request: Request<Incoming>, peer: &Peer) -> Reply {
        self.route(request, peer).await.unwrap_or_else(Problem::into_reply)
    }
}

impl<A> Clone for AdminRoutes<A> {
    fn clone(&self) -> Self {
        Self {
            admin: Arc::clone(&self.admin),
            guard: self.guard.clone(),
            limits: Arc::clone(&self.limits),
            memory: self.memory.clone(),
        }
    }
}
