//! The routes for operators, on a listener of their own.

use std::sync::Arc;

use hyper::body::Incoming;
use hyper::{Request, StatusCode};
use serde_json::{Value, json};
use tokio::task::spawn_blocking;

use crate::caller::Caller;
use crate::guard::{Act, Guard, Peer};
use crate::host::{InferError, Readiness};
use crate::problem::Problem;
use crate::reply::{self, Reply};
use crate::routes::public::{live, ready};
use crate::routes::{Routes, check_method};

const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Answers what operators ask. Each method may take some milliseconds: none runs between calls.
pub trait Admin: Send + Sync + 'static {
    /// Every metric that the caller sees, as OpenMetrics text.
    fn metrics(&self, caller: &Caller) -> String;

    /// Everything of what the caller sees that a person would want to see at a glance.
    fn status(&self, caller: &Caller) -> Value;

    /// Says whether the host works at all; where it does not, it wants to be restarted.
    fn live(&self) -> bool;

    /// Says whether the host can answer now.
    fn ready(&self, caller: &Caller) -> Readiness;
}

/// Replies to operators and their tools. `Clone` gives another handle.
#[derive(Debug)]
pub struct AdminRoutes<A> {
    admin: Arc<A>,
    guard: Guard,
}

impl<A: Admin> AdminRoutes<A> {
    /// The routes that ask `admin` for whom `guard` lets in.
    pub const fn new(admin: Arc<A>, guard: Guard) -> Self {
        Self { admin, guard }
    }

    async fn route(&self, request: Request<Incoming>, peer: &Peer) -> Result<Reply, Problem> {
        let (method, headers) = (request.method(), request.headers());
        if let Some(ask) = Self::health(request.uri().path()) {
            check_method(method, "GET, HEAD")?;
            let caller = self.guard.recognise(headers, peer);
            return self.ask(move |admin| ask(admin, caller.as_ref())).await;
        }
        let caller = self.guard.identify(headers, peer)?;
        let (act, ask): (Act, fn(&A, &Caller) -> Reply) = match request.uri().path() {
            "/metrics" => {
                (Act::Observe, |admin, caller| reply::text(OPEN_METRICS, admin.metrics(caller)))
            }
            "/status" => {
                (Act::Observe, |admin, caller| reply::json(StatusCode::OK, &admin.status(caller)))
            }
            path => return Err(Problem::UnknownAdminPath { path: path.to_owned() }),
        };
        check_method(method, "GET, HEAD")?;
        let entry = self.guard.admit(&caller, headers, act)?;
        let mut reply = self.ask(move |admin| ask(admin, &caller)).await?;
        reply.body_mut().keep(entry);
        Ok(reply)
    }

    /// What even strangers may ask.
    fn health(path: &str) -> Option<fn(&A, Option<&Caller>) -> Reply> {
        match path {
            "/v2/health/live" => Some(|admin, _| live(admin.live())),
            "/v2/health/ready" => Some(|admin, caller| {
                let readiness = admin.ready(caller.unwrap_or(&Caller::local()));
                ready(json!({ "live": admin.live() }), readiness.shown_to(caller))
            }),
            _ => None,
        }
    }

    async fn ask(&self, ask: impl FnOnce(&A) -> Reply + Send + 'static) -> Result<Reply, Problem> {
        let admin = Arc::clone(&self.admin);
        let reply = spawn_blocking(move || ask(&admin)).await;
        reply.map_err(|_| Problem::Infer(InferError::Internal))
    }
}

impl<A> Clone for AdminRoutes<A> {
    fn clone(&self) -> Self {
        Self { admin: Arc::clone(&self.admin), guard: self.guard.clone() }
    }
}

impl<A: Admin> Routes for AdminRoutes<A> {
    async fn reply(&self, request: Request<Incoming>, peer: &Peer) -> Reply {
        self.route(request, peer).await.unwrap_or_else(Problem::into_reply)
    }
}
