//! From what callers hand in to requests, and from there into the stream.

use bytes::Bytes;
use front::{Call, Caller, InferError};
use message::Time;
use message::oip::{Encoding, InferRequest};
use message::record::HostAddress;
use tokio::sync::oneshot;

use super::invalid;
use crate::endpoint::{Appended, Ask, Endpoint, Event, Records, Unanswered};
use crate::envelope::{self, Incoming, ReturnTo};
use crate::live::Live;

/// Appends requests to an endpoint's stream, and returns when all of them are kept.
pub(crate) async fn append(endpoint: &Endpoint, asks: Vec<Ask>) -> Result<Appended, Unanswered> {
    let (reply, appended) = oneshot::channel();
    let count = asks.len();
    let records = Records { asks: asks.into(), first_offset: None, count, reply };
    if endpoint.inbox.offer(Event::Records(records)).is_err() {
        return Err(Unanswered::Busy);
    }
    appended.await.unwrap_or(Err(Unanswered::Stopping))
}

/// Makes a request of one record that somebody hands in.
pub(crate) fn ask_of_record(
    caller: &Caller,
    live: &Live,
    body: Bytes,
    received: Time,
    is_shared: bool,
) -> Result<Ask, InferError> {
    let document = message::oip::decode_request(&body).map_err(invalid)?;
    let goes_by_id = is_shared && document.id.is_some();
    let return_to = ReturnTo::Topic;
    let incoming = Incoming {
        document,
        body,
        encoding: Encoding::Json,
        timeout: None,
        id: None,
        goes_by_id,
        return_to,
        received,
        traceparent: None,
        tenant: caller.tenant.as_deref(),
    };
    envelope::ask(live, incoming).map_err(invalid)
}

/// Makes a request of a call; `address` is where its caller waits, where several hosts share the
/// stream.
pub(super) fn ask_of(
    caller: &Caller,
    live: &Live,
    call: Call,
    address: Option<HostAddress<'_>>,
) -> Result<Ask, InferError> {
    let Call { document, body, encoding, timeout, idempotency_key, .. } = call;
    let Call { traceparent, received, return_to: call_return_to, .. } = call;
    check_inputs(live, &document)?;
    let made_up;
    let (id, return_to) = match &idempotency_key {
        Some(key) => (key.as_str(), ReturnTo::RepeatableCall),
        None => {
            made_up = crate::ids::fresh(received).to_string();
            (made_up.as_str(), ReturnTo::Call)
        }
    };
    let return_to = match call_return_to {
        Some(topic) => named(live, topic)?,
        None => return_to,
    };
    let goes_by_id = address.is_some() && idempotency_key.is_some();
    let return_to = match address {
        Some(address) => return_to.on_host(address),
        None => return_to,
    };
    let traceparent = traceparent.as_deref();
    let id = Some(id);
    let tenant = caller.tenant.as_deref();
    let incoming = Incoming {
        document,
        body,
        encoding,
        timeout,
        id,
        goes_by_id,
        return_to,
        received,
        traceparent,
        tenant,
    };
    envelope::ask(live, incoming).map_err(invalid)
}

/// The return address that a call names, if the endpoint allows it.
fn named(live: &Live, topic: String) -> Result<ReturnTo, InferError> {
    if live.flow.may_return_to(&topic) {
        return Ok(ReturnTo::Named(topic));
    }
    let allowed = &live.flow.return_to;
    Err(invalid(format!(
        "return-to: found topic {topic:?}, expected one of {allowed:?}, as `flow.return_to` says"
    )))
}

fn check_inputs(live: &Live, document: &InferRequest) -> Result<(), InferError> {
    live.inputs.check(&document.inputs).map_err(invalid)
}
