//! `understudy models`

use std::process::ExitCode;

use anyhow::Result;
use clap::Args;
use message::Time;
use serde_json::Value;

use super::output::{print, print_line};
use super::reach::{Reach, path_of};
use super::status::{millis, text};
use super::table::Table;
use crate::clock;

/// Show what each model of an endpoint is, where it stands in the policy, what it did, and when it
/// was changed last.
#[derive(Debug, Args)]
pub(crate) struct Models {
    /// The endpoint.
    endpoint: String,
    /// Print JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    host: Reach,
}

impl Models {
    pub(crate) fn run(self) -> Result<ExitCode> {
        let document = self.host.get(&path_of(&self.endpoint, &["models"]))?;
        if self.json {
            print_line(serde_json::to_string_pretty(&document)?)?;
        } else {
            print(page_of(&document))?;
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn page_of(document: &Value) -> String {
    let mut table = Table::new(&[
        "model",
        "role",
        "state",
        "place",
        "revision",
        "scores",
        "faults",
        "p50 ms",
        "p99 ms",
        "memory",
        "last change",
    ]);
    for model in document["models"].as_array().into_iter().flatten() {
        let places: Vec<String> =
            model["places"].as_array().into_iter().flatten().map(text).collect();
        let count = |key: &str| model[key].as_u64().map_or("-".into(), |count| count.to_string());
        table.row([
            text(&model["name"]),
            text(&model["role"]),
            text(&model["state"]),
            if places.is_empty() { "-".into() } else { places.join("; ") },
            text(&model["revision"]),
            count("predictions"),
            count("faults"),
            millis(&model["latency_us_p50"]),
            millis(&model["latency_us_p99"]),
            model["memory_bytes"]
                .as_f64()
                .map_or("-".into(), |bytes| format!("{:.1} MiB", bytes / f64::from(1 << 20))),
            last_change(&model["last_change"]),
        ]);
    }
    let paused = if document["paused"] == true { "the endpoint is paused\n" } else { "" };
    let awaits: Vec<String> =
        document["awaits"].as_array().into_iter().flatten().map(text).collect();
    let awaits = match awaits.is_empty() {
        true => String::new(),
        false => format!("its configuration waits for {}\n", awaits.join(" and ")),
    };
    format!("{paused}{awaits}{table}")
}

fn last_change(change: &Value) -> String {
    let Some(time_us) = change["time_us"].as_u64() else { return "-".into() };
    let time = clock::shown(Time::from_us(time_us));
    let second = time.split('.').next().unwrap_or(&time);
    format!("{second} {} by {}", text(&change["event"]), text(&change["who"]))
}
