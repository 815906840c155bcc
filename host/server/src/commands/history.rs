//! `understudy history`

use std::process::ExitCode;

use anyhow::Result;
use clap::Args;
use message::Time;
use serde_json::Value;

use super::output::{print, print_line};
use super::reach::{Reach, encoded, path_of};
use super::status::text;
use super::table::Table;
use crate::clock;

/// Show what happened to an endpoint: who changed what, from what to what, and why; and what the
/// host did by itself.
///
/// `folder` is whoever changed a file by hand, `host` the host itself.
#[derive(Debug, Args)]
pub(crate) struct History {
    /// The endpoint.
    endpoint: String,
    /// Only what is about this model.
    #[arg(long)]
    model: Option<String>,
    /// The latest so many.
    #[arg(short = 'n', long, default_value_t = 20)]
    limit: u32,
    /// Print JSON, one event a line, with the files before and after.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    host: Reach,
}

impl History {
    pub(crate) fn run(self) -> Result<ExitCode> {
        let mut path = path_of(&self.endpoint, &["history"]);
        path += &format!("?limit={}", self.limit);
        path.extend(self.model.iter().map(|model| format!("&model={}", encoded(model))));
        let document = self.host.get(&path)?;
        let events = document["events"].as_array().map(Vec::as_slice).unwrap_or_default();
        if self.json {
            events.iter().try_for_each(print_line)?;
        } else {
            print(table_of(events))?;
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn table_of(events: &[Value]) -> Table {
    let mut table = Table::new(&["time", "who", "what", "model", "from", "to", "why"]);
    for event in events {
        let time = clock::shown(Time::from_us(event["time_us"].as_u64().unwrap_or(0)));
        let who = match event["claimed"].as_str() {
            Some(claimed) => format!("{} ({claimed})", text(&event["who"])),
            None => text(&event["who"]),
        };
        let why = event["why"].as_str().or(event["reason"].as_str()).unwrap_or_default();
        // What is about a model by the host alone has no `from`, and one revision.
        let to = match &event["to"] {
            Value::Null => short(&event["revision"]),
            to => side(to, event),
        };
        table.row([
            time,
            who,
            text(&event["event"]),
            text(&event["model"]),
            side(&event["from"], event),
            to,
            why.to_owned(),
        ]);
    }
    table
}

/// One side of a change: a revision, with the model where it is another one.
fn side(side: &Value, event: &Value) -> String {
    let revision = if side["revision"].is_null() { &side["digest"] } else { &side["revision"] };
    match side["model"].as_str() {
        Some(model) if event["model"].as_str() != Some(model) => {
            format!("{model}@{}", short(revision))
        }
        _ => short(revision),
    }
}

fn short(digest: &Value) -> String {
    let digest = digest.as_str().unwrap_or("-");
    digest.get(..12).unwrap_or(digest).to_owned()
}
