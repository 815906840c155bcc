//! `understudy top`

use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use ::top::{Change, How, Settings, Source, Theme};
use anyhow::{Context, Result};
use clap::Args;
use serde_json::Value;
use tokio::signal::unix::{SignalKind, signal};

use crate::client::{Client, ClientArguments};

/// Watch a running host on the terminal: who answers, how fast, and what is wrong.
///
/// The keys are listed by `?`; `q` quits. A model can be promoted, paused and resumed, after a look
/// at what that would change. Colours are left out where NO_COLOR is set.
#[derive(Debug, Args)]
pub(crate) struct Top {
    /// The admin address of the host, where it is on another machine: HOST:PORT, or with https://
    /// before it.
    #[arg(long, value_name = "ADDRESS")]
    admin: Option<String>,
    #[command(flatten)]
    client: ClientArguments,
    /// How often the host is asked, in seconds from 0.1 to 60.
    #[arg(long, value_name = "SECONDS", default_value = "1", value_parser = every)]
    every: Duration,
}

impl Top {
    pub(crate) fn run(self) -> Result<ExitCode> {
        let client = self.client.admin(self.admin.as_deref())?;
        let settings = Settings { host: client.address().to_owned(), every: self.every };
        ::top::run(Remote(client), settings, theme(), stop_by_signal()?)?;
        Ok(ExitCode::SUCCESS)
    }
}

/// A host that is asked over its admin address.
struct Remote(Client);

impl Source for Remote {
    fn status(&mut self) -> Result<Value, String> {
        self.get("/status")
    }

    fn history(&mut self, endpoint: &str, model: &str) -> Result<Value, String> {
        let (endpoint, model) = (segment(endpoint), segment(model));
        self.get(&format!("/admin/endpoints/{endpoint}/history?model={model}"))
    }

    fn change(&mut self, change: &Change, how: How<'_>) -> Result<Value, String> {
        let (endpoint, model) = (segment(&change.endpoint), segment(&change.model));
        let how = match how {
            How::DryRun => "dry_run=true".to_owned(),
            How::For(why) => format!("why={}", segment(why)),
        };
        let force = if change.force { "&force=true" } else { "" };
        let verb = change.verb.name();
        let path = format!("/admin/endpoints/{endpoint}/models/{model}/{verb}?{how}{force}");
        read(self.0.post(&path, "", &[]))
    }
}

impl Remote {
    fn get(&self, path: &str) -> Result<Value, String> {
        read(self.0.get(path))
    }
}

fn read(body: Result<Vec<u8>>) -> Result<Value, String> {
    let body = body.map_err(|error| format!("{error:#}"))?;
    serde_json::from_slice(&body).map_err(|error| format!("the host's reply is no JSON: {error}"))
}

/// A text as one segment of a path, or as a value of a query.
fn segment(text: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    let encode = |byte: u8| match byte {
        byte if is_plain(byte) => char::from(byte).to_string(),
        byte => format!("%{byte:02X}"),
    };
    text.bytes().map(encode).collect()
}

fn every(text: &str) -> Result<Duration, String> {
    let seconds = text.parse::<f64>().ok().filter(|seconds| (0.1..=60.0).contains(seconds));
    let seconds = seconds.ok_or_else(|| "expected seconds from 0.1 to 60".to_owned())?;
    Ok(Duration::from_secs_f64(seconds))
}

fn theme() -> Theme {
    match std::env::var_os("NO_COLOR") {
        Some(value) if !value.is_empty() => Theme::PLAIN,
        _ => Theme::COLOURS,
    }
}

/// Becomes true when the process is told to end, so that the terminal is put in order first.
fn stop_by_signal() -> Result<Arc<AtomicBool>> {
    let stop = Arc::new(AtomicBool::new(false));
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("cannot start the thread that waits for signals")?;
    let (mut terminate, mut hangup) = {
        let _inside = runtime.enter();
        (signal(SignalKind::terminate())?, signal(SignalKind::hangup())?)
    };
    let told = Arc::clone(&stop);
    let wait = move || {
        runtime.block_on(async {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = hangup.recv() => {}
            }
            told.store(true, Ordering::Release);
        });
    };
    // Not joined: mostly nobody sends a signal.
    std::thread::Builder::new().name("signals".into()).spawn(wait)?;
    Ok(stop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_a_slash_is_one_segment() {
        assert_eq!(segment("acme/fraud-2"), "acme%2Ffraud-2");
        assert_eq!(
            segment("it is better, 50% less ü"),
            "it%20is%20better%2C%2050%25%20less%20%C3%BC"
        );
    }

    #[test]
    fn looks_are_neither_too_seldom_nor_too_frequent() {
        assert_eq!(every("0.5"), Ok(Duration::from_millis(500)));
        for bad in ["0", "61", "-1", "nan", "often"] {
            assert!(every(bad).is_err(), "{bad}");
        }
    }
}
