//! Requests as records: how a call becomes one, and how one is read again.

use std::borrow::Cow;
use std::time::Duration;

use bytes::Bytes;
use message::oip::{Encoding, InferRequest};
use message::record::{
    Arrival, HostAddress, RequestEnvelope, RequestRecordError, ReturnAddress,
    decode_request_record, header,
};
use message::{Request, Time};
use stream::{Headers, Record, StoredRecord};

use crate::endpoint::Ask;
use crate::live::Live;

/// Where the answer of a request goes besides the answers topic, as its record says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ReturnTo {
    /// A caller waits for it.
    Call,
    /// A caller waits who may call again with the same id.
    RepeatableCall,
    /// Nowhere: somebody reads the topic.
    Topic,
    /// To a plain topic as well.
    Named(String),
    /// To a host where a caller waits, and maybe to a plain topic as well.
    Host {
        /// The partition of the replies that the host reads.
        partition: u32,
        /// The id of the host.
        host: String,
        /// The plain topic.
        topic: Option<String>,
    },
}

/// What the header says where a caller waits who will not come again.
const CALL: &str = "call";

impl ReturnTo {
    /// The same for a caller who waits on a host of several.
    pub(crate) fn on_host(self, address: HostAddress<'_>) -> Self {
        let HostAddress { partition, host } = address;
        let topic = if let Self::Named(topic) = self { Some(topic) } else { None };
        Self::Host { partition, host: host.to_owned(), topic }
    }

    /// What the header says.
    pub(crate) fn name(&self) -> Cow<'static, str> {
        match self {
            Self::Call => CALL.into(),
            Self::RepeatableCall => "repeatable-call".into(),
            Self::Topic => "topic".into(),
            Self::Named(topic) => format!("{}{topic}", header::TOPIC_PREFIX).into(),
            Self::Host { partition, host, topic } => {
                let host = Some(HostAddress { partition: *partition, host });
                ReturnAddress { host, topic: topic.as_deref() }.to_string().into()
            }
        }
    }
}

/// A request that comes in from outside of the stream.
pub(crate) struct Incoming<'a> {
    pub(crate) document: InferRequest,
    /// The request as it was received, which is what the record keeps.
    pub(crate) body: Bytes,
    pub(crate) encoding: Encoding,
    /// How long the caller waits at the most.
    pub(crate) timeout: Option<Duration>,
    /// The id; where there is none, the document's own.
    pub(crate) id: Option<&'a str>,
    /// Whether the record goes by its id where it has no key, so that all of the same id meet.
    pub(crate) goes_by_id: bool,
    pub(crate) return_to: ReturnTo,
    pub(crate) received: Time,
    pub(crate) traceparent: Option<&'a str>,
    /// The tenant of who calls.
    pub(crate) tenant: Option<&'a str>,
}

/// Makes a request of what came in, with the record that keeps it.
pub(crate) fn ask(live: &Live, incoming: Incoming<'_>) -> Result<Ask, RequestRecordError> {
    let Incoming { document, body, encoding, timeout, .. } = incoming;
    let Incoming { id, goes_by_id, return_to, received, traceparent, tenant, .. } = incoming;
    let known = message::record::Headers { id, traceparent, tenant, ..Default::default() };
    let made_up = crate::ids::fresh(received);
    let arrival = Arrival {
        fallback_id: &made_up,
        received,
        deadline: timeout.map_or(live.deadline, |timeout| timeout.min(live.deadline)),
        key_input: live.key_input.as_deref(),
    };
    let RequestEnvelope { request, priority, .. } =
        RequestEnvelope::new(&known, document, &arrival)?;
    let mut headers = Headers::of([
        (header::ID, request.id.as_str().as_bytes()),
        (header::DEADLINE_US, request.deadline.as_us().to_string().as_bytes()),
        (header::RETURN_TO, return_to.name().as_bytes()),
    ]);
    if let Some(trace) = traceparent {
        headers = headers.with(header::TRACEPARENT, trace);
    }
    headers = match encoding {
        Encoding::Json => headers,
        Encoding::Protobuf => headers.with(header::CONTENT_TYPE, header::PROTOBUF),
        Encoding::Binary { document_bytes } => headers
            .with(header::CONTENT_TYPE, header::BINARY)
            .with(header::INFERENCE_HEADER_CONTENT_LENGTH, document_bytes.to_string()),
    };
    if let Some(tenant) = tenant {
        headers = headers.with(header::TENANT, tenant);
    }
    let by_id = goes_by_id.then(|| request.id.as_str());
    let key = request.key.as_deref().or(by_id).map(|key| Bytes::copy_from_slice(key.as_bytes()));
    let record = Record { time: received, key, headers, value: body };
    Ok(Ask { request, record, may_repeat: return_to != ReturnTo::Call, priority })
}

/// Whether the id of this record came from outside, so that it may come again.
pub(crate) fn may_repeat(record: &Record) -> bool {
    record.headers.get(header::RETURN_TO) != Some(CALL.as_bytes())
}

/// The plain topic that the answer of this record's request goes to as well.
pub(crate) fn return_address_of(record: &Record) -> Option<String> {
    ReturnAddress::of(record.headers.get(header::RETURN_TO)).topic.map(str::to_owned)
}

/// Reads a request from its record.
pub(crate) fn request_of(
    stored: &StoredRecord,
    live: &Live,
) -> Result<Request, RequestRecordError> {
    let record = &stored.record;
    let arrival = Arrival {
        fallback_id: &format_args!("0-{}", stored.offset),
        received: record.time,
        deadline: live.deadline,
        key_input: live.key_input.as_deref(),
    };
    let envelope = decode_request_record(record.headers.iter(), &record.value, &arrival)?;
    Ok(envelope.request)
}
