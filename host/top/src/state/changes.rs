//! The history of a model, a line for each change.

use serde_json::Value;

/// How much of a revision is shown.
const REVISION_CHARS: usize = 12;

/// What was changed about the model that is open.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) enum Changes {
    /// Nobody has asked.
    #[default]
    Unasked,
    /// These, the newest first.
    Known(Vec<Entry>),
    /// This is why nobody knows.
    Unknown(String),
}

/// One change.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Entry {
    /// When, in microseconds since 1970.
    pub(crate) time_us: u64,
    /// What was done.
    pub(crate) event: String,
    /// Who did it.
    pub(crate) who: String,
    /// From which revision to which.
    pub(crate) revisions: String,
    /// Why.
    pub(crate) why: String,
}

/// Reads the host's history: a list of events, or an object that holds one.
pub(crate) fn changes_of(history: &Value) -> Vec<Entry> {
    let events = history.as_array().or_else(|| history["events"].as_array());
    let mut entries: Vec<_> = events.into_iter().flatten().map(entry).collect();
    entries.sort_by_key(|entry| std::cmp::Reverse(entry.time_us));
    entries
}

fn entry(event: &Value) -> Entry {
    let text = |name: &str| event[name].as_str().unwrap_or_default().to_owned();
    let short = |revision: &Value| {
        let revision = revision.as_str().filter(|revision| !revision.is_empty())?;
        Some(revision.chars().take(REVISION_CHARS).collect::<String>())
    };
    let side = |side: &str| short(&event[side]).or_else(|| short(&event[side]["revision"]));
    let revisions = match (side("from"), side("to")) {
        (Some(from), Some(to)) if from != to => format!("{from} → {to}"),
        (from, to) => to.or(from).or_else(|| short(&event["revision"])).unwrap_or_default(),
    };
    let why = match event["why"].as_str() {
        Some(why) if !why.is_empty() => why.to_owned(),
        _ => text("reason"),
    };
    let time_us = event["time_us"].as_u64().unwrap_or_default();
    Entry { time_us, event: text("event"), who: text("who"), revisions, why }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_newest_change_comes_first() {
        let entries = changes_of(&json!({ "events": [
            { "time_us": 5, "event": "live", "revision": "0123456789abcdef" },
            { "time_us": 9, "event": "promote", "who": "eve", "why": "it is better",
              "from": { "model": "a", "revision": "aa" }, "to": { "model": "b", "revision": "bb" } },
        ]}));
        assert_eq!(entries.iter().map(|it| it.time_us).collect::<Vec<_>>(), [9, 5]);
        assert_eq!((&*entries[0].revisions, &*entries[0].who), ("aa → bb", "eve"));
        assert_eq!(entries[1].revisions, "0123456789ab");
        assert_eq!(changes_of(&json!(null)), []);
    }
}
