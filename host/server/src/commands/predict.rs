//! `understudy predict`

use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use clap::Args;
use message::record::{Arrival, Headers, RequestEnvelope};
use message::{ModelName, Outcome, Score};
use sandbox::{ModelLimits, Runtime, RuntimeConfig};

use crate::clock;
use crate::options::compile_in_child;

/// What the request says of its deadline means nothing here, where nothing waits.
const DEADLINE: Duration = Duration::from_secs(1);

/// Run one model on one request, in the same sandbox as a host would, and print what it predicts.
#[derive(Debug, Args)]
pub(crate) struct Predict {
    /// The component.
    file: PathBuf,
    /// The request, a document of the Open Inference Protocol; - for standard input.
    input: PathBuf,
}

impl Predict {
    pub(crate) fn run(self) -> Result<ExitCode> {
        let wasm = std::fs::read(&self.file)
            .with_context(|| format!("cannot read {}", self.file.display()))?;
        let body = read_input(&self.input)?;
        let document = message::oip::decode_request(&body)
            .with_context(|| format!("{} is no request", self.input.display()))?;
        let received = clock::now();
        let arrival =
            Arrival { fallback_id: &"predict", received, deadline: DEADLINE, key_input: None };
        let request = RequestEnvelope::new(&Headers::default(), document, &arrival)?.request;
        let runtime =
            Runtime::new(RuntimeConfig { compile: compile_in_child()?, ..Default::default() })?;
        let model = runtime.load(&wasm, &ModelLimits::default())?;
        let mut session = model.session().map_err(|fault| anyhow::anyhow!(fault.message))?;
        let call = session.predict(&[&request]);
        let result = match call.results {
            Ok(mut results) => results.pop().context("the model returned no result")?,
            Err(fault) => bail!("the model broke ({}): {}", fault.class, fault.message),
        };
        let prediction = match result {
            Ok(prediction) => prediction,
            Err(refusal) => bail!("the model refused ({}): {}", refusal.kind(), refusal.message()),
        };
        let score = Score {
            request: request.id,
            model: ModelName::from(stem(&self.file)),
            revision: model.revision(),
            outcome: Outcome::Prediction(prediction),
            time: received,
            latency: call.wall,
            cpu: call.cpu,
        };
        let mut document = Vec::new();
        message::record::encode_score(&score, &mut document);
        println!("{}", String::from_utf8_lossy(&document));
        Ok(ExitCode::SUCCESS)
    }
}

fn read_input(input: &Path) -> Result<Vec<u8>> {
    if input == Path::new("-") {
        let mut body = Vec::new();
        std::io::stdin().read_to_end(&mut body)?;
        return Ok(body);
    }
    std::fs::read(input).with_context(|| format!("cannot read {}", input.display()))
}

fn stem(file: &Path) -> String {
    file.file_stem().map_or_else(|| "model".into(), |stem| stem.to_string_lossy().into_owned())
}
