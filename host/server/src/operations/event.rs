//! The history of an endpoint: records of its `events` topic, written and read back.

use message::Time;
use serde_json::{Value, json};
use stream::{ReadLimit, Record};

use super::plan::{FileChange, Plan};
use crate::endpoint::Endpoint;

/// How many records are read at once.
const CHUNK: usize = 512;
/// How many bytes are read at once.
const CHUNK_BYTES: usize = 8 << 20;
/// How far back anybody looks.
pub(super) const LOOK_BACK: usize = 20_000;

/// A record of the history.
pub(super) struct Past {
    pub(super) offset: u64,
    pub(super) value: Value,
}

/// Who makes a change, and why.
pub(super) struct Author<'a> {
    pub(super) who: &'a str,
    pub(super) claimed: Option<&'a str>,
    pub(super) why: Option<&'a str>,
}

/// The record of a change.
pub(super) fn of(now: Time, endpoint: &Endpoint, author: &Author<'_>, plan: &Plan) -> Value {
    let revision = plan.to.get("revision").cloned().unwrap_or(Value::Null);
    json!({
        "time_us": now.as_us(),
        "endpoint": endpoint.name.as_str(),
        "who": author.who,
        "claimed": author.claimed,
        "event": plan.event,
        "why": author.why,
        "reason": author.why.unwrap_or_default(),
        "model": plan.model.as_ref().map(ToString::to_string),
        "revision": revision,
        "from": plan.from,
        "to": plan.to,
        "forced": plan.objections,
        "undoes": plan.undoes,
        "files": plan.files.iter().map(FileChange::document).collect::<Vec<_>>(),
    })
}

/// The record of a change that was recorded and then could not be made.
pub(super) fn failure(now: Time, endpoint: &Endpoint, of: u64, reason: &str) -> Value {
    json!({
        "time_us": now.as_us(),
        "endpoint": endpoint.name.as_str(),
        "who": "host",
        "event": "change-failed",
        "reason": reason,
        "of": of,
    })
}

/// Keeps a record, and returns when it is on the disk.
pub(super) fn keep(now: Time, endpoint: &Endpoint, event: &Value) -> Result<u64, String> {
    let events = &endpoint.journal.events;
    let record = Record::new(now, event.to_string());
    let offset = events.append(&[record]).map_err(|error| error.to_string())?;
    events.sync().map_err(|error| error.to_string())?;
    Ok(offset)
}

/// Looks at the history, the latest first, until `look` has seen enough.
pub(super) fn look_back(
    endpoint: &Endpoint,
    mut look: impl FnMut(Past) -> bool,
) -> Result<(), String> {
    let events = &endpoint.journal.events;
    let start = events.watermarks().start;
    let mut end = events.readable_end();
    let oldest = start.max(end.saturating_sub(LOOK_BACK as u64));
    while end > oldest {
        let from = end.saturating_sub(CHUNK as u64).max(oldest);
        let mut chunk = Vec::new();
        let mut next = from;
        while next < end {
            let limit = ReadLimit { records: CHUNK, bytes: CHUNK_BYTES };
            let stored = events.read(next, limit).map_err(|error| error.to_string())?;
            let Some(last) = stored.last() else { break };
            next = last.offset + 1;
            chunk.extend(stored.into_iter().filter(|it| it.offset < end).filter_map(|stored| {
                let value = serde_json::from_slice(&stored.record.value).ok()?;
                Some(Past { offset: stored.offset, value })
            }));
        }
        for past in chunk.into_iter().rev() {
            if look(past) {
                return Ok(());
            }
        }
        end = from;
    }
    Ok(())
}
