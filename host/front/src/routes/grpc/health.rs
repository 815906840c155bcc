//! The health service that load balancers and orchestrators know.
//!
//! The empty name and that of the inference service stand for the whole server; any other is that
//! of an endpoint.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use hyper::body::Frame;
use hyper::http::request::Parts;
use prost::Message;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::sleep;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::{HealthCheckRequest, HealthCheckResponse};

use crate::caller::Caller;
use crate::connection::Stopping;
use crate::guard::{Act, Entry};
use crate::host::{Host, InferError, NotFound, Readiness};
use crate::problem::Problem;
use crate::reply::{self, Reply};
use crate::routes::grpc::frames::framed;
use crate::routes::grpc::status::trailers;
use crate::routes::grpc::{decoded, encoded};
use crate::routes::public::Shared;

const INFERENCE_SERVICE: &str = "inference.GRPCInferenceService";
/// What a watch ends with.
const STOPPING: Problem = Problem::Infer(InferError::ShuttingDown);
/// How often whoever watches is told of what has changed.
const LOOK_EVERY: Duration = Duration::from_millis(500);

impl<H: Host> Shared<H> {
    /// Says how it stands; of single endpoints only to callers who are known.
    pub(super) fn health_check(
        &self,
        caller: Option<&Caller>,
        message: &Bytes,
    ) -> Result<Reply, Problem> {
        let HealthCheckRequest { service } = decoded(message)?;
        let status = self.serving(caller, &service);
        let status = status.map_err(|error| Problem::from_not_found(error, &service, None))?;
        Ok(encoded(&HealthCheckResponse { status: status.into() }, Entry::default()))
    }

    fn serving(&self, caller: Option<&Caller>, service: &str) -> Result<ServingStatus, NotFound> {
        let local = Caller::local();
        let readiness = match (service, caller) {
            ("" | INFERENCE_SERVICE, caller) => {
                self.host.ready(caller.unwrap_or(&local), None, None)
            }
            (endpoint, Some(caller)) if caller.scopes.any_of(Act::Describe.needs()) => {
                self.host.ready(caller, Some(endpoint), None)
            }
            _ => Err(NotFound::Endpoint { known: Vec::new() }),
        };
        Ok(match readiness? {
            Readiness::Ready => ServingStatus::Serving,
            Readiness::NotReady(_) => ServingStatus::NotServing,
        })
    }
}

/// Says how it stands, and again whenever that has changed.
pub(super) fn watch<H: Host>(
    shared: Arc<Shared<H>>,
    caller: Caller,
    entry: Entry,
    head: &Parts,
    message: &Bytes,
) -> Result<Reply, Problem> {
    let HealthCheckRequest { service } = decoded(message)?;
    let (sender, frames) = mpsc::channel(1);
    let mut task = JoinSet::new();
    let mut stopping = Stopping::of(&head.extensions);
    task.spawn(async move {
        let mut told = None;
        let tell = async |status: ServingStatus| {
            let message = HealthCheckResponse { status: status.into() };
            let frame = framed(|out| out.extend_from_slice(&message.encode_to_vec()));
            sender.send(Frame::data(frame)).await.is_ok()
        };
        loop {
            let status = shared.serving(Some(&caller), &service);
            let status = status.unwrap_or(ServingStatus::ServiceUnknown);
            if told.replace(status) != Some(status) && !tell(status).await {
                return;
            }
            tokio::select! {
                () = sleep(LOOK_EVERY) => {}
                () = stopping.begun() => break,
            }
        }
        if tell(ServingStatus::NotServing).await {
            // Nobody listens where the caller has gone.
            let _gone = sender.send(Frame::trailers(trailers(&STOPPING))).await;
        }
    });
    let mut reply = reply::stream(frames, task);
    reply.body_mut().keep(entry);
    Ok(reply)
}
