//! Everything about one request, from all topics, for whoever looks for a cause.

use std::fmt::Write as _;

use message::record::header;

use crate::{History, Record, Told};

/// Tells what each topic and each caller has about a request, and the fences among the answers.
pub fn story(history: &History, id: &str) -> String {
    let mut lines: Vec<(i64, String)> = Vec::new();
    let sources = history.sources.iter().map(|(name, records)| (name.as_str(), records));
    let others = [
        ("answers", &history.answers),
        ("scores", &history.scores),
        ("dead-letters", &history.dead_letters),
        ("replies", &history.replies),
    ];
    for (topic, records) in sources.chain(others) {
        for record in records {
            if is_about(record, id) || record.header(header::FENCE).is_some() {
                lines.push((record.time_ms, format!("{topic}: {record}")));
            }
        }
    }
    lines.sort();
    let mut told = String::new();
    for (_, line) in lines {
        writeln!(told, "  {line}").expect("invariant: a text can grow");
    }
    for sent in history.sent.iter().filter(|sent| sent.id.as_deref() == Some(id)) {
        writeln!(told, "  sent to {}, acknowledged as {:?}", sent.source, sent.acknowledged)
            .expect("invariant: a text can grow");
    }
    for call in &history.calls {
        let is_answer = match &call.told {
            Told::Answer(document) => document["parameters"]["request_id"] == id,
            _ => false,
        };
        if is_answer || call.idempotency_key.as_deref() == Some(id) {
            let body = String::from_utf8_lossy(&call.body);
            writeln!(told, "  host {} was called with {body} and told {:?}", call.host, call.told)
                .expect("invariant: a text can grow");
        }
    }
    told
}

fn is_about(record: &Record, id: &str) -> bool {
    let quoted = format!("\"{id}\"");
    record.header(header::ID) == Some(id)
        || record.value.windows(quoted.len()).any(|window| window == quoted.as_bytes())
}
