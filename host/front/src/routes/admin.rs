//! The routes for operators, on a listener of their own.

use std::sync::Arc;

use hyper::body::Incoming;
use hyper::{Request, StatusCode};
use serde_json::{Value, json};
use tokio::task::spawn_blocking;

use crate::host::{InferError, Readiness};
use crate::problem::Problem;
use crate::reply::{self, Reply};
use crate::routes::public::{live, ready};
use crate::routes::{Routes, check_method};

const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Answers what operators ask. Each method may take some milliseconds: none runs between calls.
pub trait Admin: Send + Sync + 'static {
    /// Every metric, as OpenMetrics text.
    fn metrics(&self) -> String;

    /// Everything that a person would want to see at a glance.
    fn status(&self) -> Value;

    /// Says whether the host works at all; where it does not, it wants to be restarted.
    fn live(&self) -> bool;

    /// Says whether the host can answer now.
    fn ready(&self) -> Readiness;
}

/// Replies to operators and their tools. `Clone` gives another handle.
#[derive(Debug)]
pub struct AdminRoutes<A>(Arc<A>);

impl<A: Admin> AdminRoutes<A> {
    /// The routes that ask `admin`.
    pub fn new(admin: Arc<A>) -> Self {
        Self(admin)
    }

    async fn route(&self, request: Request<Incoming>) -> Result<Reply, Problem> {
        let ask: fn(&A) -> Reply = match request.uri().path() {
            "/metrics" => |admin| reply::text(OPEN_METRICS, admin.metrics()),
            "/status" => |admin| reply::json(StatusCode::OK, &admin.status()),
            "/v2/health/live" => |admin| live(admin.live()),
            "/v2/health/ready" => |admin| ready(json!({ "live": admin.live() }), admin.ready()),
            path => return Err(Problem::UnknownAdminPath { path: path.to_owned() }),
        };
        check_method(request.method(), "GET, HEAD")?;
        let admin = Arc::clone(&self.0);
        let reply = spawn_blocking(move || ask(&admin)).await;
        reply.map_err(|_| Problem::Infer(InferError::Internal))
    }
}

impl<A> Clone for AdminRoutes<A> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<A: Admin> Routes for AdminRoutes<A> {
    async fn reply(&self, request: Request<Incoming>) -> Reply {
        self.route(request).await.unwrap_or_else(Problem::into_reply)
    }
}
