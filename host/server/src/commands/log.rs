//! `understudy log`

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::{Args, Subcommand};
use serde_json::{Value, json};
use stream::TopicReport;

use super::output::{print, print_line};
use super::table::Table;

/// Inspect the files of the embedded stream.
#[derive(Debug, Args)]
pub(crate) struct Log {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Read every segment whole and say what is damaged. Exit status 1 if anything is.
    Verify(Verify),
}

#[derive(Debug, Args)]
struct Verify {
    /// The data directory of the host, which may be running.
    #[arg(long, value_name = "DIR", default_value = "data")]
    data: PathBuf,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

impl Log {
    pub(crate) fn run(self) -> Result<ExitCode> {
        let Action::Verify(verify) = self.action;
        let topics = stream::verify(verify.data.join("stream"))?;
        let damaged = topics.iter().any(|topic| !topic.damages.is_empty());
        if verify.json {
            let topics: Vec<_> = topics.iter().map(json_of).collect();
            print_line(serde_json::to_string_pretty(&topics)?)?;
        } else {
            print(table_of(&topics))?;
        }
        Ok(if damaged { ExitCode::FAILURE } else { ExitCode::SUCCESS })
    }
}

fn json_of(topic: &TopicReport) -> Value {
    let segment = |it: &stream::SegmentReport| {
        json!({
            "file": it.file.display().to_string(),
            "base": it.base,
            "records": it.records,
            "bytes": it.bytes,
        })
    };
    let damage = |it: &stream::DamageReport| {
        json!({
            "file": it.file.display().to_string(),
            "position": it.position,
            "offset": it.offset,
            "next": it.next,
        })
    };
    json!({
        "topic": topic.topic,
        "start": topic.start,
        "end": topic.end,
        "records": topic.records,
        "bytes": topic.bytes,
        "torn_bytes": topic.torn_bytes,
        "segments": topic.segments.iter().map(segment).collect::<Vec<_>>(),
        "damages": topic.damages.iter().map(damage).collect::<Vec<_>>(),
    })
}

fn table_of(topics: &[TopicReport]) -> String {
    let mut table =
        Table::new(&["topic", "segments", "offsets", "records", "bytes", "torn tail", "damage"]);
    let mut damages = String::new();
    for topic in topics {
        table.row([
            topic.topic.clone(),
            topic.segments.len().to_string(),
            format!("{}..{}", topic.start, topic.end),
            topic.records.to_string(),
            topic.bytes.to_string(),
            topic.torn_bytes.to_string(),
            if topic.damages.is_empty() { "none".into() } else { topic.damages.len().to_string() },
        ]);
        for damage in &topic.damages {
            damages.push_str(&format!(
                "{}: damaged at byte {}: offsets {} to {} are lost\n",
                damage.file.display(),
                damage.position,
                damage.offset,
                damage.next
            ));
        }
    }
    format!("{table}{damages}")
}
