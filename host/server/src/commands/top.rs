//! `understudy top`

use std::process::ExitCode;
use std::time::Duration;

use ::top::{Change, How, Settings, Source, Theme};
use anyhow::Result;
use clap::Args;
use serde_json::Value;
use tokio::signal::unix::SignalKind;

use super::reach::{Reach, encoded, path_of};
use super::signals;

/// Watch a running host on the terminal: who answers, how fast, and what is wrong.
///
/// The keys are listed by `?`; `q` quits. A model can be promoted, paused and resumed, after a look
/// at what that would change. Colours are left out where NO_COLOR is set.
#[derive(Debug, Args)]
pub(crate) struct Top {
    #[command(flatten)]
    host: Reach,
    /// How often the host is asked, in seconds from 0.1 to 60.
    #[arg(long, value_name = "SECONDS", default_value = "1", value_parser = every)]
    every: Duration,
}

impl Top {
    pub(crate) fn run(self) -> Result<ExitCode> {
        let settings = Settings { host: self.host.address()?, every: self.every };
        ::top::run(
            Remote(self.host),
            settings,
            theme(),
            signals::told_by(&[SignalKind::terminate(), SignalKind::hangup()])?,
        )?;
        Ok(ExitCode::SUCCESS)
    }
}

/// A host that is asked over its admin address.
struct Remote(Reach);

impl Source for Remote {
    fn status(&mut self) -> Result<Value, String> {
        self.get("/status")
    }

    fn history(&mut self, endpoint: &str, model: &str) -> Result<Value, String> {
        let path = path_of(endpoint, &["history"]);
        self.get(&format!("{path}?model={}", encoded(model)))
    }

    fn change(&mut self, change: &Change, how: How<'_>) -> Result<Value, String> {
        let verb = change.verb.name();
        let path = match &change.model {
            Some(model) => path_of(&change.endpoint, &["models", model, verb]),
            None => path_of(&change.endpoint, &[verb]),
        };
        let how = match how {
            How::DryRun => "dry_run=true".to_owned(),
            How::For(why) => format!("why={}", encoded(why)),
        };
        let force = if change.force { "&force=true" } else { "" };
        self.0.change("POST", &format!("{path}?{how}{force}"), "", &[]).map_err(in_one_line)
    }
}

impl Remote {
    fn get(&self, path: &str) -> Result<Value, String> {
        self.0.get(path).map_err(in_one_line)
    }
}

fn in_one_line(error: anyhow::Error) -> String {
    format!("{error:#}")
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn looks_are_neither_too_seldom_nor_too_frequent() {
        assert_eq!(every("0.5"), Ok(Duration::from_millis(500)));
        for bad in ["0", "61", "-1", "nan", "often"] {
            assert!(every(bad).is_err(), "{bad}");
        }
    }
}
