//! `understudy write`

use std::io::{BufRead, BufReader, Read as _};
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use clap::Args;

use crate::client::ClientArguments;

/// How much is sent at once.
const BATCH_BYTES: usize = 1 << 20;

/// Append requests, one JSON document a line, to the stream of an endpoint of a running host.
///
/// Their answers are on the endpoint's answers topic: understudy read ENDPOINT answers --follow.
///
/// With --topic the lines go to a plain topic, whatever they say; an endpoint whose `[flow]` names
/// that topic as its source makes requests or dead letters of them.
#[derive(Debug, Args)]
pub(crate) struct Write {
    /// The endpoint, and the file of requests: - or none for standard input. With --topic, the file.
    #[arg(value_names = ["ENDPOINT", "FILE"], num_args = 0..=2)]
    target: Vec<String>,
    /// Append to this plain topic instead.
    #[arg(long, value_name = "NAME")]
    topic: Option<String>,
    /// Append the whole file as one record, byte for byte.
    #[arg(long, requires = "topic")]
    raw: bool,
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
        let (target, file) = self.target_and_file()?;
        let mut input = input(file)?;
        let path = match &self.topic {
            Some(topic) => format!("/v2/topics/{topic}/records"),
            None => format!("/v2/models/{target}/records"),
        };
        let mut batch = Vec::new();
        if self.raw {
            input.read_to_end(&mut batch)?;
            rest.post(&path, "application/octet-stream", &batch)?;
            eprintln!("{} bytes appended to {target}", batch.len());
            return Ok(ExitCode::SUCCESS);
        }
        let mut lines = 0_u64;
        for line in input.split(b'\n') {
            batch.extend_from_slice(&line?);
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
        eprintln!("{lines} requests appended to {target}");
        Ok(ExitCode::SUCCESS)
    }

    /// What is appended to, and the file.
    fn target_and_file(&self) -> Result<(&str, &str)> {
        match (&self.topic, &self.target[..]) {
            (Some(topic), []) => Ok((topic, "-")),
            (Some(topic), [file]) => Ok((topic, file)),
            (None, [endpoint]) => Ok((endpoint, "-")),
            (None, [endpoint, file]) => Ok((endpoint, file)),
            (None, _) => bail!("found nothing to append to, expected ENDPOINT or --topic NAME"),
            (Some(_), _) => bail!("found an endpoint and --topic, expected one of them"),
        }
    }
}

fn input(file: &str) -> Result<Box<dyn BufRead>> {
    if file == "-" {
        return Ok(Box::new(std::io::stdin().lock()));
    }
    let file = std::fs::File::open(file).with_context(|| format!("cannot read {file}"))?;
    Ok(Box::new(BufReader::new(file)))
}
