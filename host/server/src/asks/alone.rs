//! One model, asked by itself: what it says is recorded nowhere.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use front::{Answered, InferError};
use message::oip::{InferResponse, encode_response};
use message::{Outcome, Parameter};
use sandbox::lanes::Worker;
use tokio::sync::oneshot;

use crate::drivers::supervisor::Order;
use crate::endpoint::Endpoint;
use crate::host::Shared;
use crate::live::Identity;
use crate::routed::Routed;

impl Shared {
    /// Has a routed model loaded, where it is not in memory.
    pub(super) async fn recall(
        &self,
        endpoint: &Endpoint,
        routed: &Routed,
    ) -> Result<Arc<Worker>, InferError> {
        let (visitor, worker) = oneshot::channel();
        let name = endpoint.name.clone();
        self.orders.push(Order::Visit(name, routed.incarnation(), visitor));
        // An error means that the host is stopping.
        let worker = worker.await.map_err(|_| InferError::ShuttingDown)?;
        worker.map_err(|reason| InferError::NotReady { reason })
    }
}

/// Asks one model. What it says is recorded nowhere.
pub(super) async fn alone(
    endpoint: &Endpoint,
    identity: &Identity,
    worker: &Worker,
    request: Arc<message::Request>,
) -> Result<Answered, InferError> {
    let (reply, said) = oneshot::channel();
    let replaced = || InferError::NotReady { reason: "the model is being replaced".into() };
    worker
        .run_alone(Arc::clone(&request), move |alone| {
            // Nobody listens where the caller has gone.
            let _gone = reply.send(alone);
        })
        .map_err(|_| replaced())?;
    let alone = said.await.map_err(|_| replaced())?;
    let prediction = match alone.outcome {
        Outcome::Prediction(prediction) => prediction,
        Outcome::Refusal(refusal) => return Err(InferError::Refused(refusal)),
        Outcome::Fault(fault) => return Err(InferError::Faulted(fault)),
    };
    let us = |duration: Duration| Parameter::Int(i64::try_from(duration.as_micros()).unwrap_or(0));
    let Identity { model, revision, .. } = identity;
    let response = InferResponse {
        model_name: endpoint.name.to_string(),
        model_version: Some(format!("{model}@{}", revision.short())),
        id: Some(request.caller_id.clone().unwrap_or_else(|| request.id.to_string())),
        parameters: [("wall_us", us(alone.wall)), ("cpu_us", us(alone.cpu))]
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value))
            .collect(),
        outputs: prediction.outputs,
    };
    let json = Bytes::from(encode_response(&response));
    Ok(Answered { json, response: Some(Arc::new(response)) })
}
