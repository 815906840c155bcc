//! One record of a source: the request that it is, or the dead letter that it becomes.
//!
//! A dead letter keeps the bytes, the key and the headers of the record as they were. What is said
//! about it stands in headers behind them, so that whoever mends the record has nothing to undo.

use bytes::Bytes;
use catalog::Flow;
use message::record::{Arrival, RequestRecordError, ReturnAddress, decode_request_record, header};
use message::{Request, Time};
use stream::{Headers, Record, StoredRecord};

use crate::endpoint::Ask;
use crate::envelope::ReturnTo;
use crate::live::Live;

/// What stays free of a record's largest size for the headers that we add.
const HEADERS_BYTES: u64 = 1024;

/// What a reader knows beside the record.
pub(crate) struct Desk<'a> {
    pub(crate) live: &'a Live,
    pub(crate) flow: &'a Flow,
    /// The source, as people call it.
    pub(crate) source: &'a str,
    pub(crate) origin: Origin,
    /// The endpoint's own requests topic.
    pub(crate) own_requests: &'a str,
    /// The tenant of the endpoint.
    pub(crate) tenant: Option<&'a str>,
    pub(crate) record_limit_bytes: u64,
    pub(crate) now: Time,
}

/// Where a record stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    /// In the source of a flow; of the partition, where it can have several.
    Source {
        /// Which partition.
        partition: Option<u32>,
    },
    /// In the endpoint's own requests, which others write to as well.
    Requests {
        /// Which partition.
        partition: u32,
    },
}

/// The request that a record is.
pub(crate) struct Read {
    pub(crate) request: Request,
    /// The protocol's priority.
    pub(crate) priority: u64,
    /// Where its answer goes besides the answers topic.
    pub(crate) return_to: ReturnTo,
}

/// Why a record is no request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    /// One of a few words, for metrics.
    pub(crate) class: &'static str,
    /// What was found and expected.
    pub(crate) message: String,
}

impl Desk<'_> {
    /// The request that a record is.
    pub(crate) fn read(&self, stored: &StoredRecord) -> Result<Read, Refusal> {
        let record = &stored.record;
        let offset = stored.offset;
        let id = match self.origin {
            Origin::Source { partition: None } => format!("{}-{offset}", self.source),
            Origin::Source { partition: Some(number) } => {
                format!("{}-{number}-{offset}", self.source)
            }
            Origin::Requests { partition } => format!("{partition}-{offset}"),
        };
        // What has waited in the topic has all of its time from here on, unless a caller waits.
        let is_waited_for = self.has_own_clock(record);
        let arrival = Arrival {
            fallback_id: &id,
            received: if is_waited_for { record.time.min(self.now) } else { self.now },
            deadline: self.live.deadline,
            key_input: self.live.key_input.as_deref(),
        };
        // Whose request it is says the endpoint, not the record.
        let known = record.headers.iter().filter(|(name, _)| *name != header::TENANT);
        let tenant = self.tenant.map(|tenant| (header::TENANT, tenant.as_bytes()));
        let known = known.chain(tenant);
        let envelope = decode_request_record(known, &record.value, &arrival).map_err(refusal_of)?;
        let inputs = self.live.inputs.check(&envelope.request.inputs);
        inputs.map_err(|error| refusal("inputs", error))?;
        if record.headers.get(header::SOURCE_TOPIC) == Some(self.own_requests.as_bytes()) {
            let found = self.own_requests;
            let message =
                format!("source-topic: found {found:?}, expected no request of this endpoint");
            return Err(Refusal { class: "loop", message });
        }
        let return_to = self.return_to(envelope.return_to.as_deref())?;
        Ok(Read { request: envelope.request, priority: envelope.priority, return_to })
    }

    /// Whether a record's time is when somebody began to wait: a host wrote it for a caller.
    fn has_own_clock(&self, record: &Record) -> bool {
        let is_own = matches!(self.origin, Origin::Requests { .. });
        is_own && record.headers.get(header::DEADLINE_US).is_some()
    }

    /// The request that a record is, with the record that keeps it among the endpoint's own.
    pub(super) fn ask(&self, stored: &StoredRecord) -> Result<Ask, Refusal> {
        let Read { request, priority, return_to } = self.read(stored)?;
        let (record, offset) = (&stored.record, stored.offset);
        let tenant = self.tenant.map(|tenant| (header::TENANT, tenant.as_bytes()));
        let ours = [
            (header::ID, request.id.as_str().to_owned()),
            (header::DEADLINE_US, request.deadline.as_us().to_string()),
            (header::RETURN_TO, return_to.name().into_owned()),
            (header::SOURCE_TOPIC, self.source.to_owned()),
            (header::SOURCE_OFFSET, offset.to_string()),
        ];
        let is_ours = |name: &str| ours.iter().any(|(ours, _)| *ours == name);
        let kept =
            record.headers.iter().filter(|(name, _)| !is_ours(name) && *name != header::TENANT);
        let headers: Headers = kept.chain(tenant).collect();
        let headers = ours.iter().fold(headers, |all, (name, value)| all.with(name, value));
        let key = request.key.as_ref().map(|key| Bytes::copy_from_slice(key.as_bytes()));
        let value = Bytes::copy_from_slice(&record.value);
        let record = Record { time: self.now, key, headers, value };
        let (found, limit) = (record.size_bytes(), self.record_limit_bytes);
        if found > limit {
            let message = format!("found {found} bytes as a request, expected at most {limit}");
            return Err(Refusal { class: "size", message });
        }
        Ok(Ask { request, record, may_repeat: true, priority })
    }

    /// What is left of a record that is no request.
    pub(crate) fn dead_letter(&self, stored: &StoredRecord, refusal: &Refusal) -> Record {
        let record = &stored.record;
        let partition = match self.origin {
            Origin::Source { partition } => partition,
            Origin::Requests { partition } => Some(partition),
        };
        let partition = partition.map(|number| (header::SOURCE_PARTITION, number.to_string()));
        let said = [
            (header::REASON, refusal.message.clone()),
            (header::REASON_CLASS, refusal.class.to_owned()),
            (header::SOURCE_TOPIC, self.source.to_owned()),
            (header::SOURCE_OFFSET, stored.offset.to_string()),
            (header::TIME_US, self.now.as_us().to_string()),
        ];
        let said: Vec<_> = said.into_iter().chain(partition).collect();
        let headers: Headers = record.headers.iter().collect();
        let mut headers = said.iter().fold(headers, |all, (name, value)| all.with(name, value));
        let mut value = Bytes::copy_from_slice(&record.value);
        let size = value.len() as u64;
        if record.size_bytes() + HEADERS_BYTES + refusal.message.len() as u64
            > self.record_limit_bytes
        {
            headers = Headers::new().with(header::DROPPED_BYTES, size.to_string());
            headers = said.iter().fold(headers, |all, (name, value)| all.with(name, value));
            value = Bytes::new();
        }
        let key = record.key.as_ref().map(|key| Bytes::copy_from_slice(key));
        Record { time: self.now, key, headers, value }
    }

    fn return_to(&self, address: Option<&str>) -> Result<ReturnTo, Refusal> {
        // A record of another endpoint's requests may say that a caller waits: not here.
        let Some(topic) = address.and_then(|it| ReturnAddress::parse(it).topic) else {
            return Ok(ReturnTo::Topic);
        };
        if self.flow.may_return_to(topic) {
            return Ok(ReturnTo::Named(topic.to_owned()));
        }
        let expected = match &self.flow.return_to[..] {
            [] => "no return address, as `flow.return_to` names none".to_owned(),
            allowed => format!("one of {allowed:?}, as `flow.return_to` says"),
        };
        let message = format!("return-to: found topic {topic:?}, expected {expected}");
        Err(Refusal { class: "return-address", message })
    }
}

fn refusal(class: &'static str, error: impl ToString) -> Refusal {
    Refusal { class, message: error.to_string() }
}

fn refusal_of(error: RequestRecordError) -> Refusal {
    let class = match &error {
        RequestRecordError::Header(_) => "header",
        RequestRecordError::Id { .. } => "id",
        _ => "document",
    };
    refusal(class, error)
}
