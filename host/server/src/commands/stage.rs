//! `understudy stage`

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::Args;

use super::change::{Request, Terms};

/// Put a component into the folder of an endpoint. A new model scores everything and answers
/// nothing; a new revision of a model takes its place as soon as it is warm.
///
/// The host loads it first, and refuses what it could not run. What it replaces is kept, for
/// understudy rollback ENDPOINT MODEL.
#[derive(Debug, Args)]
pub(crate) struct Stage {
    /// The endpoint.
    endpoint: String,
    /// The component.
    file: PathBuf,
    /// The name of the model [default: the name of the file].
    #[arg(long)]
    name: Option<String>,
    #[command(flatten)]
    terms: Terms,
}

impl Stage {
    pub(crate) fn run(self) -> Result<ExitCode> {
        let wasm = std::fs::read(&self.file)
            .with_context(|| format!("cannot read {}", self.file.display()))?;
        let stem = || self.file.file_stem().map(|stem| stem.to_string_lossy().into_owned());
        let name = self.name.clone().or_else(stem);
        let name = name.context("the file has no name: give one with --name")?;
        self.terms.make(&Request {
            method: "PUT",
            endpoint: &self.endpoint,
            segments: &["models", &name],
            content_type: "application/wasm",
            body: &wasm,
        })
    }
}
