//! `understudy rollback`

use std::process::ExitCode;

use anyhow::Result;
use clap::Args;

use super::change::{Request, Terms};

/// Undo the last change that was made with these commands: its files get their former bytes back.
/// Once more, and the change before it is undone. With a model: give it its former component back.
///
/// Refused where a file was changed by hand since: --force does it anyway.
#[derive(Debug, Args)]
pub(crate) struct Rollback {
    /// The endpoint.
    endpoint: String,
    /// The model whose former component is to come back.
    model: Option<String>,
    #[command(flatten)]
    terms: Terms,
}

impl Rollback {
    pub(crate) fn run(self) -> Result<ExitCode> {
        match &self.model {
            None => self.terms.make(&Request::post(&self.endpoint, &["rollback"])),
            Some(model) => {
                self.terms.make(&Request::post(&self.endpoint, &["models", model, "rollback"]))
            }
        }
    }
}
