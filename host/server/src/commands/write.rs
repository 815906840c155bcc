//! `understudy write`

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::Args;

use crate::client::ClientArguments;

/// How much is sent at once.
const BATCH_BYTES: usize = 1 << 20;

/// Append requests, one JSON document a line, to the stream of an endpoint of a running host.
///
/// Their answers are on the endpoint's answers topic: understudy read ENDPOINT answers --follow.
#[derive(Debug, Args)]
pub(crate) struct Write {
    /// The endpoint.
    endpoint: String,
    /// The file of requests; - for standard input.
    #[arg(default_value = "-")]
    file: PathBuf,
    /// The REST address of the host, where it is on another machine: HOST:PORT, or with https://
    /// before it.
    #[arg(long, value_name = "ADDRESS")]
    rest: Option<String>,
    #[command(flatten)]
    client: ClientArguments,
}

impl Write {
    pub(crate) fn run(self) -> Result<ExitCode> {
        let rest = self.client.rest(self.rest.as_deref())?;
        let input: Box<dyn BufRead> = if self.file == std::path::Path::new("-") {
            Box::new(std::io::stdin().lock())
        } else {
            let file = std::fs::File::open(&self.file)
                .with_context(|| format!("cannot read {}", self.file.display()))?;
            Box::new(BufReader::new(file))
        };
        let path = format!("/v2/models/{}/records", self.endpoint);
        let mut batch = Vec::new();
        let mut lines = 0_u64;
        for line in input.lines() {
            batch.extend_from_slice(line?.as_bytes());
            batch.push(b'\n');
            lines += 1;
            if batch.len() >= BATCH_BYTES {
                rest.post(&path, "application/x-ndjson", &batch)?;
                batch.clear();
            }
        }
        if !batch.is_empty() {
            rest.post(&path, "application/x-ndjson", &batch)?;
        }
        eprintln!("{lines} requests appended to {}", self.endpoint);
        Ok(ExitCode::SUCCESS)
    }
}
