//! A record of a requests topic, as the request that it is.
//!
//! Its value is what a caller sent, byte for byte, in whichever encoding the headers say. A bare
//! document of JSON without any header is a valid request: whatever a header could have said is
//! made up from the document and from what the reader knows of the record.

use std::fmt::Display;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use thiserror::Error;

use super::{HeaderError, Headers};
use crate::oip::{DecodeError, InferRequest, decode_request_as};
use crate::{Contents, Parameter, Request, RequestId, Time};

/// The longest id of a request, in bytes: every score and answer repeats it.
pub const ID_BYTES_LIMIT: usize = 256;

/// What the reader of a record knows about it.
#[derive(Clone, Copy)]
pub struct Arrival<'a> {
    /// The id, where neither a header nor the document has one: `<partition>-<offset>`.
    pub fallback_id: &'a dyn Display,
    /// When the record came; its request is not younger.
    pub received: Time,
    /// The time that an answer has, where nothing says otherwise.
    pub deadline: Duration,
    /// The input whose first element is the key, if there is one.
    pub key_input: Option<&'a str>,
}

/// A request, with what is said on the outside of it.
#[derive(Debug, Clone, PartialEq)]
pub struct RequestEnvelope {
    /// The request.
    pub request: Request,
    /// Where the answer goes, besides the answers topic.
    pub return_to: Option<String>,
    /// The trace that the request belongs to.
    pub traceparent: Option<String>,
    /// The protocol's `priority`: 1 is the highest, 0 is whatever is usual.
    pub priority: u64,
}

/// Why a record is not a request.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum RequestRecordError {
    /// Because a header cannot be read.
    #[error(transparent)]
    Header(#[from] HeaderError),
    /// Because the document cannot be read.
    #[error(transparent)]
    Document(#[from] DecodeError),
    /// Because its id is empty or too long.
    #[error("id: found {found} bytes, expected 1 to {ID_BYTES_LIMIT}")]
    Id {
        /// The length of the id.
        found: usize,
    },
}

/// Reads a record of a requests topic.
pub fn decode_request_record<'h>(
    headers: impl IntoIterator<Item = (&'h str, &'h [u8])>,
    value: &[u8],
    arrival: &Arrival<'_>,
) -> Result<RequestEnvelope, RequestRecordError> {
    let headers = Headers::read(headers)?;
    let document = decode_request_as(value, headers.encoding())?;
    RequestEnvelope::new(&headers, document, arrival)
}

impl RequestEnvelope {
    /// The request that `document` is, under these headers.
    pub fn new(
        headers: &Headers<'_>,
        document: InferRequest,
        arrival: &Arrival<'_>,
    ) -> Result<Self, RequestRecordError> {
        let id = id(headers, &document, arrival)?;
        // A producer whose clock is ahead gets no more time than the others.
        let time = headers.time.map_or(arrival.received, |time| time.min(arrival.received));
        let due = headers.deadline.unwrap_or(time + arrival.deadline);
        let timeout = schedule_parameter(&document, "timeout")?;
        let deadline = if timeout == 0 { due } else { due.min(time + micros(timeout)) };
        let priority = schedule_parameter(&document, "priority")?;
        let request = Request {
            id,
            time,
            deadline,
            key: arrival.key_input.and_then(|name| key(&document, name)),
            tenant: headers.tenant.map(str::to_owned),
            caller_id: document.id,
            inputs: document.inputs,
            parameters: document.parameters,
            outputs: document.outputs.into_iter().map(|output| output.name).collect(),
        };
        let return_to = headers.return_to.map(str::to_owned);
        let traceparent = headers.traceparent.map(str::to_owned);
        Ok(Self { request, return_to, traceparent, priority })
    }
}

fn id(
    headers: &Headers<'_>,
    document: &InferRequest,
    arrival: &Arrival<'_>,
) -> Result<RequestId, RequestRecordError> {
    match headers.id.or(document.id.as_deref()) {
        None => Ok(RequestId::from(arrival.fallback_id.to_string())),
        Some(id) if (1..=ID_BYTES_LIMIT).contains(&id.len()) => Ok(RequestId::from(id)),
        Some(id) => Err(RequestRecordError::Id { found: id.len() }),
    }
}

/// A parameter of the protocol's schedule policy, which is 0 where it is not given.
fn schedule_parameter(document: &InferRequest, name: &str) -> Result<u64, DecodeError> {
    let wrong = |found: String| {
        DecodeError::at(&format!("parameters.{name}"), found, "a whole number from 0")
    };
    match document.parameters.get(name) {
        None => Ok(0),
        Some(Parameter::Uint(value)) => Ok(*value),
        Some(Parameter::Int(value)) => (*value).try_into().map_err(|_| wrong(value.to_string())),
        Some(Parameter::Float(value)) => Err(wrong(value.to_string())),
        Some(Parameter::Bool(value)) => Err(wrong(value.to_string())),
        Some(Parameter::Text(_)) => Err(wrong("a string".to_owned())),
    }
}

const fn micros(us: u64) -> Duration {
    Duration::from_micros(us)
}

/// The first element of the input `name`, as a text.
fn key(document: &InferRequest, name: &str) -> Option<String> {
    let input = document.inputs.iter().find(|input| input.name == name)?;
    first_as_text(&input.contents)
}

fn first_as_text(contents: &Contents) -> Option<String> {
    match contents {
        Contents::Bools(them) => them.first().map(ToString::to_string),
        Contents::U8s(them) => them.first().map(ToString::to_string),
        Contents::U16s(them) => them.first().map(ToString::to_string),
        Contents::U32s(them) => them.first().map(ToString::to_string),
        Contents::U64s(them) => them.first().map(ToString::to_string),
        Contents::S8s(them) => them.first().map(ToString::to_string),
        Contents::S16s(them) => them.first().map(ToString::to_string),
        Contents::S32s(them) => them.first().map(ToString::to_string),
        Contents::S64s(them) => them.first().map(ToString::to_string),
        Contents::F16s(them) => them.first().map(|&bits| half::f16::from_bits(bits).to_string()),
        Contents::Bf16s(them) => them.first().map(|&bits| half::bf16::from_bits(bits).to_string()),
        Contents::F32s(them) => them.first().map(ToString::to_string),
        Contents::F64s(them) => them.first().map(ToString::to_string),
        Contents::Texts(them) => them.first().cloned(),
        Contents::Blobs(them) => them.first().map(|bytes| STANDARD.encode(bytes)),
    }
}

#[cfg(test)]
mod tests;
