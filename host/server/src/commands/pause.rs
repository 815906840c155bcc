//! `understudy pause`

use std::process::ExitCode;

use anyhow::Result;
use clap::Args;

use super::change::{Request, Terms};

/// Leave a model unasked, or, without a model, turn away every caller and record of the endpoint.
/// It stays loaded. What was accepted is answered.
///
/// Refused for the last live model that may answer: --force does it anyway.
#[derive(Debug, Args)]
pub(crate) struct Pause {
    /// The endpoint.
    endpoint: String,
    /// The model.
    model: Option<String>,
    #[command(flatten)]
    terms: Terms,
}

impl Pause {
    pub(crate) fn run(self) -> Result<ExitCode> {
        match &self.model {
            None => self.terms.make(&Request::post(&self.endpoint, &["pause"])),
            Some(model) => {
                self.terms.make(&Request::post(&self.endpoint, &["models", model, "pause"]))
            }
        }
    }
}
