//! `understudy status`

use std::process::ExitCode;

use anyhow::Result;
use clap::Args;
use message::Time;
use serde_json::Value;

use super::output::{print, print_line};
use super::table::Table;
use crate::client::ClientArguments;
use crate::clock;

/// Show the endpoints and models of a running host, their states and the reasons.
#[derive(Debug, Args)]
pub(crate) struct Status {
    /// The admin address of the host, where it is on another machine: HOST:PORT, or with https://
    /// before it.
    #[arg(long, value_name = "ADDRESS")]
    admin: Option<String>,
    #[command(flatten)]
    client: ClientArguments,
    /// Show every routed model, those included with which all is well and that are only counted
    /// otherwise.
    #[arg(long)]
    all: bool,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

impl Status {
    pub(crate) fn run(self) -> Result<ExitCode> {
        let page = if self.all { "/status?all=true" } else { "/status" };
        let body = self.client.admin(self.admin.as_deref())?.get(page)?;
        let status: Value = serde_json::from_slice(&body)?;
        if self.json {
            print_line(serde_json::to_string_pretty(&status)?)?;
        } else {
            print(page_of(&status))?;
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn page_of(status: &Value) -> String {
    let mut page = String::new();
    for endpoint in status["endpoints"].as_array().into_iter().flatten() {
        page += &format!(
            "{}: {} requests, {} open, p50 {} ms, p99 {} ms, deadline {} ms\n",
            text(&endpoint["name"]),
            endpoint["requests"],
            endpoint["open_mailboxes"],
            millis(&endpoint["latency_us_p50"]),
            millis(&endpoint["latency_us_p99"]),
            millis(&endpoint["deadline_us"]),
        );
        page += &models_table(endpoint).to_string();
        if let Some(routed) = endpoint["routed"].as_object() {
            page += &format!(
                "  routed models: {} cold, {} in memory with {} MiB, {} not looked at yet; {} loads, \
                 {} evictions\n",
                routed["cold"],
                routed["warm"],
                routed["memory_bytes"].as_u64().unwrap_or_default() >> 20,
                routed["unchecked"],
                routed["loads"],
                routed["evictions"],
            );
        }
        page += &partitions_line(&endpoint["shared"]);
        page += &outside(endpoint);
        for answers in endpoint["answers"].as_array().into_iter().flatten() {
            page += &format!(
                "  {} answers from {} ({})\n",
                answers["count"],
                text(&answers["from"]),
                text(&answers["reason"])
            );
        }
        page.push('\n');
    }
    page += &stream_line(&status["stream"]);
    for problem in status["problems"].as_array().into_iter().flatten() {
        page += &format!("problem: {}\n", text(problem));
    }
    page
}

/// Which partitions are this host's; nothing where nobody shares the stream.
fn partitions_line(shared: &Value) -> String {
    let Some(owned) = shared["owned"].as_array() else { return String::new() };
    let lag: u64 = owned.iter().filter_map(|owned| owned["lag"].as_u64()).sum();
    let names: Vec<_> = owned.iter().map(|owned| text(&owned["partition"])).collect();
    format!(
        "  {} partitions owned, lag {lag}: {}\n",
        owned.len(),
        if names.is_empty() { "-".to_owned() } else { names.join(", ") },
    )
}

/// What is known of the brokers; nothing of a host that keeps its records itself.
fn stream_line(stream: &Value) -> String {
    let Some(brokers) = stream["brokers"].as_array() else { return String::new() };
    let up = brokers.iter().filter(|broker| broker["up"] == true).count();
    let slowest = brokers.iter().filter_map(|broker| broker["rtt_us_p99"].as_u64()).max();
    format!(
        "{}: {up} of {} brokers up, round trip p99 {} ms, {} records and {} KiB not sent yet, {} records \
         refused\n",
        text(&stream["backend"]),
        brokers.len(),
        millis(&slowest.into()),
        stream["unsent_records"],
        stream["unsent_bytes"].as_u64().unwrap_or_default().div_ceil(1024),
        stream["failed_records"],
    )
}

/// What is to be said of models that run outside of the host, and of what else is on its scores.
fn outside(endpoint: &Value) -> String {
    let mut lines = String::new();
    let now = clock::now();
    for model in endpoint["models"].as_array().into_iter().flatten() {
        let Some(awaited) = model["awaited"].as_u64() else { continue };
        let last = model["last_score_us"].as_u64().map_or("none yet".to_owned(), |us| {
            format!("{:.1} s ago", now.since(Time::from_us(us)).as_secs_f64())
        });
        let name = text(&model["name"]);
        lines += &format!("  external {name}: last score {last}, {awaited} requests wait for it\n");
    }
    let ignored = endpoint["outside"]["ignored"].as_object().into_iter().flatten();
    let counts: Vec<String> = ignored.map(|(why, count)| format!("{count} {why}")).collect();
    if !counts.is_empty() {
        let last = endpoint["outside"]["last"].as_str();
        let last = last.map_or(String::new(), |last| format!("; last: {last}"));
        lines += &format!("  scores from outside ignored: {}{last}\n", counts.join(", "));
    }
    lines
}

fn models_table(endpoint: &Value) -> Table {
    let mut table = Table::new(&[
        "  model", "role", "state", "revision", "scores", "refusals", "faults", "p99 ms", "cpu",
        "why",
    ])
    .numbers(&[4, 5, 6, 7, 8]);
    for model in endpoint["models"].as_array().into_iter().flatten() {
        table.row([
            format!("  {}", text(&model["name"])),
            text(&model["role"]),
            text(&model["state"]),
            text(&model["revision"]),
            count(&model["predictions"]),
            count(&model["refusals"]),
            count(&model["faults"]),
            millis(&model["latency_us_p99"]),
            model["cpu_share"]
                .as_f64()
                .map_or("-".into(), |share| format!("{:.1}%", share * 100.0)),
            text(&model["reason"]),
        ]);
    }
    table
}

/// A number of things, where somebody counts them: nobody is asked of a model that does not run.
fn count(value: &Value) -> String {
    value.as_u64().map_or("-".into(), |count| count.to_string())
}

pub(super) fn text(value: &Value) -> String {
    value.as_str().unwrap_or("-").to_owned()
}

pub(super) fn millis(value: &Value) -> String {
    value.as_f64().map_or("-".into(), |us| format!("{:.2}", us / 1e3))
}
