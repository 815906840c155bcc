//! Runs a model on samples: each alone, and then as many together as the model takes.

use anyhow::{Context as _, Result, bail};
use message::oip::{InferResponse, encode_response};
use message::{Prediction, Refusal, Request, Tensor};
use sandbox::{Model, Session};
use serde_json::json;

use super::compare::differences;
use crate::commands::samples::{Expected, Sample, lines, members};

/// How many samples are asked together where the model leaves it to the host.
const TOGETHER_MAX: usize = 64;

/// What came of one sample.
pub(super) struct Tested {
    /// The line of the sample.
    pub(super) line: usize,
    /// The id of its request.
    pub(super) id: String,
    /// What is not as expected, a line each.
    pub(super) differences: Vec<String>,
    /// What the model said, if it did not break.
    found: Option<Result<Prediction, Refusal>>,
}

/// Asks every sample.
pub(super) fn all(model: &Model, samples: &[Sample]) -> Result<Vec<Tested>> {
    let mut session = Some(open(model)?);
    let mut tested = Vec::with_capacity(samples.len());
    for sample in samples {
        let mut own = match session.take() {
            Some(session) if !session.is_dead() => session,
            _ => open(model)?,
        };
        let found = ask(&mut own, &[&sample.request]).map(|mut results| results.pop());
        session = Some(own);
        let (found, differences) = match found {
            Ok(Some(found)) => {
                let expected = sample.expected.as_ref();
                let apart = expected.map(|it| differences(it, &found, sample.tolerance));
                (Some(found), apart.unwrap_or_default())
            }
            Ok(None) => (None, vec!["found no result, expected one".to_owned()]),
            Err(fault) => (None, vec![fault]),
        };
        let id = sample.request.id.to_string();
        tested.push(Tested { line: sample.line, id, differences, found });
    }
    together(model, samples, &mut tested)?;
    Ok(tested)
}

/// Asks the samples that went well again, several at a time: an answer must not depend on its neighbours.
fn together(model: &Model, samples: &[Sample], tested: &mut [Tested]) -> Result<()> {
    let limit = match model.description().batch_limit {
        0 => TOGETHER_MAX,
        limit => (limit as usize).min(TOGETHER_MAX),
    };
    let mut well: Vec<(&Sample, &mut Tested)> =
        samples.iter().zip(tested).filter(|(_, it)| it.found.is_some()).collect();
    for batch in well.chunks_mut(limit) {
        let requests: Vec<&Request> = batch.iter().map(|(sample, _)| &sample.request).collect();
        let results = match ask(&mut open(model)?, &requests) {
            Ok(results) => results,
            Err(fault) => {
                batch[0].1.differences.push(format!("asked together with the others, {fault}"));
                continue;
            }
        };
        for ((_, it), found) in batch.iter_mut().zip(results) {
            let alone =
                match it.found.as_ref().context("invariant: those that broke were left out")? {
                    Ok(prediction) => Expected::Outputs(prediction.outputs.clone()),
                    Err(refusal) => Expected::Refusal(refusal.clone()),
                };
            let apart = differences(&alone, &found, 0.0).into_iter();
            it.differences.extend(
                apart.map(|line| {
                    format!("asked together with the others (expected as alone): {line}")
                }),
            );
        }
    }
    Ok(())
}

fn open(model: &Model) -> Result<Session> {
    model.session().map_err(|fault| {
        anyhow::anyhow!("the model does not start ({}): {}", fault.class, fault.message)
    })
}

/// The results, or what broke.
fn ask(
    session: &mut Session,
    requests: &[&Request],
) -> Result<Vec<Result<Prediction, Refusal>>, String> {
    let results = session.predict(requests).results;
    results.map_err(|fault| format!("the model broke ({}): {}", fault.class, fault.message))
}

/// The text of the samples, with what the model said in those that expect nothing.
pub(super) fn recorded(text: &[u8], samples: &[Sample], tested: &[Tested]) -> Result<String> {
    let text = std::str::from_utf8(text)?;
    let mut recorded = String::new();
    for ((_, line), (sample, it)) in lines(text).zip(samples.iter().zip(tested)) {
        let said = match (&sample.expected, &it.found) {
            (Some(_), _) => String::new(),
            (None, Some(Ok(prediction))) => {
                format!(", \"prediction\": {{\"outputs\": {}}}", outputs(&prediction.outputs)?)
            }
            (None, Some(Err(refusal))) => {
                let refusal = json!({ "kind": refusal.kind(), "message": refusal.message() });
                format!(", \"refusal\": {refusal}")
            }
            (None, None) => bail!(
                "line {}: {}, so there is nothing to record",
                it.line,
                it.differences.join("; ")
            ),
        };
        let open = line.strip_suffix('}').context("invariant: the line was read as an object")?;
        recorded += &format!("{}{said}}}\n", open.trim_end());
    }
    Ok(recorded)
}

/// Tensors, as the protocol writes those of a response.
fn outputs(tensors: &[Tensor]) -> Result<String> {
    let response = InferResponse { outputs: tensors.to_vec(), ..InferResponse::default() };
    let document = encode_response(&response);
    let document = std::str::from_utf8(&document)?;
    let members = members(document)?.into_iter();
    let mut outputs =
        members.filter(|(name, _)| name == "outputs").map(|(_, value)| value.to_owned());
    outputs.next().context("invariant: a response has outputs")
}
