//! `understudy resume`

use std::process::ExitCode;

use anyhow::Result;
use clap::Args;

use super::change::{Request, Terms};

/// End the pause of a model, or, without a model, of the endpoint.
#[derive(Debug, Args)]
pub(crate) struct Resume {
    /// The endpoint.
    endpoint: String,
    /// The model.
    model: Option<String>,
    #[command(flatten)]
    terms: Terms,
}

impl Resume {
    pub(crate) fn run(self) -> Result<ExitCode> {
        match &self.model {
            None => self.terms.make(&Request::post(&self.endpoint, &["resume"])),
            Some(model) => {
                self.terms.make(&Request::post(&self.endpoint, &["models", model, "resume"]))
            }
        }
    }
}
