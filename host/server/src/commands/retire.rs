//! `understudy retire`

use std::process::ExitCode;

use anyhow::Result;
use clap::Args;

use super::change::{Request, Terms};

/// Take a model out of the folder, and its name out of roles, policy and routes. Its component is
/// kept, for understudy rollback.
///
/// Refused for the champion, the fallback, and the last model that could answer: --force does it
/// anyway.
#[derive(Debug, Args)]
pub(crate) struct Retire {
    /// The endpoint.
    endpoint: String,
    /// The model.
    model: String,
    #[command(flatten)]
    terms: Terms,
}

impl Retire {
    pub(crate) fn run(self) -> Result<ExitCode> {
        self.terms.make(&Request::post(&self.endpoint, &["models", &self.model, "retire"]))
    }
}
