//! `understudy promote`

use std::process::ExitCode;

use anyhow::Result;
use clap::Args;

use super::change::{Request, Terms};

/// Make a model champion. It takes the former champion's place in the order of the policy; that one
/// comes right after it and becomes a challenger. Places keep their `until`.
///
/// Refused for a model that is not live, was never warmed, or faulted within the last minute, and
/// where the policy is a split or an ensemble: --force does it anyway.
#[derive(Debug, Args)]
pub(crate) struct Promote {
    /// The endpoint.
    endpoint: String,
    /// The model.
    model: String,
    #[command(flatten)]
    terms: Terms,
}

impl Promote {
    pub(crate) fn run(self) -> Result<ExitCode> {
        self.terms.make(&Request::post(&self.endpoint, &["models", &self.model, "promote"]))
    }
}
