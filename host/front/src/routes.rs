//! From a request to a reply.

pub(crate) mod admin;
mod extensions;
pub(crate) mod grpc;
pub(crate) mod public;
mod topics;

use std::future::Future;

use hyper::body::Incoming;
use hyper::{Method, Request};

use crate::guard::Peer;
use crate::problem::Problem;
use crate::reply::Reply;

/// Replies to the requests of one listener. `Clone` is cheap: every connection has its own.
pub trait Routes: Clone + Send + Sync + 'static {
    /// The reply to a request. Dropped where the caller hangs up.
    fn reply(&self, request: Request<Incoming>, peer: &Peer) -> impl Future<Output = Reply> + Send;
}

/// Checks that a method is one of those that `allow` lists.
fn check_method(method: &Method, allow: &'static str) -> Result<(), Problem> {
    if allow.split(", ").any(|allowed| allowed == method.as_str()) {
        return Ok(());
    }
    Err(Problem::Method { found: method.as_str().chars().take(20).collect(), allow })
}
