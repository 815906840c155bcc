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
/// that topic as its source makes requests or dead letters of them. Where it has several partitions, on a
/// cluster, a key decides which of them gets a record, as Kafka's own client has it; those without a
/// key go to all of them in turns.
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
    /// Give each record this key.
    #[arg(long, value_name = "KEY", requires = "topic")]
    key: Option<String>,
    /// Take what stands before this text in each line for the key of the record behind it; \t is a tab.
    #[arg(long, value_name = "TEXT", requires = "topic", conflicts_with_all = ["key", "raw"])]
    key_separator: Option<String>,
    /// Append to this partition, whatever the keys.
    #[arg(long, value_name = "NUMBER", requires = "topic")]
    partition: Option<u32>,
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
            Some(topic) => format!("/v2/topics/{topic}/records{}", self.query()),
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

    /// What the host is told about keys and partitions.
    fn query(&self) -> String {
        let separator = self.key_separator.as_ref().map(|text| text.replace("\\t", "\t"));
        let partition = self.partition.map(|number| number.to_string());
        let all =
            [("key", self.key.clone()), ("key_separator", separator), ("partition", partition)];
        let pairs = all.into_iter().filter_map(|(name, value)| Some((name, value?)));
        let pairs: Vec<_> =
            pairs.map(|(name, value)| format!("{name}={}", encode(&value))).collect();
        if pairs.is_empty() { String::new() } else { format!("?{}", pairs.join("&")) }
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

/// A value as it stands in a query.
fn encode(value: &str) -> String {
    let byte = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
            char::from(byte).to_string()
        }
        other => format!("%{other:02X}"),
    };
    value.bytes().map(byte).collect()
}

fn input(file: &str) -> Result<Box<dyn BufRead>> {
    if file == "-" {
        return Ok(Box::new(std::io::stdin().lock()));
    }
    let file = std::fs::File::open(file).with_context(|| format!("cannot read {file}"))?;
    Ok(Box::new(BufReader::new(file)))
}
