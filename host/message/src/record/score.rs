//! Scores, as the scores topic keeps them.
//!
//! A scorer outside of this host writes the same records. It need not say more than a response of
//! the protocol does: the rest counts as a prediction that cost nothing known.

use std::time::Duration;

use super::fields::{
    CPU_US, Fields, KIND, LATENCY_US, MESSAGE, OUTCOME, unknown_name, whole_us, write_notes,
};
use crate::oip::{DecodeError, Object, ResponseDocument, ScoreDocument, excerpt};
use crate::{Fault, FaultClass, ModelName, Outcome, Prediction, Refusal, RequestId, Score, Tensor};

const PREDICTION: &str = "prediction";
const REFUSAL: &str = "refusal";
const FAULT: &str = "fault";

/// What a reader of the scores topic can know about a score.
#[derive(Debug, Clone, PartialEq)]
pub struct ScoreRecord {
    /// The request.
    pub request: RequestId,
    /// The model that was asked.
    pub model: ModelName,
    /// The first digits of the artefact that ran; a scorer outside of the host may have none.
    pub revision: Option<String>,
    /// What the model said.
    pub outcome: Outcome,
    /// From the offer to the outcome.
    pub latency: Duration,
    /// The CPU time of the call.
    pub cpu: Duration,
}

/// Writes the score behind what `out` already holds.
pub fn encode_score(score: &Score, out: &mut Vec<u8>) {
    let mut document = Object::open(out);
    document.text("model_name", score.model.as_str());
    document.text("model_version", &score.revision.short());
    document.text("id", score.request.as_str());
    let mut parameters = Object::open(document.field("parameters"));
    parameters.uint(LATENCY_US, whole_us(score.latency));
    parameters.uint(CPU_US, whole_us(score.cpu));
    let outputs = match &score.outcome {
        Outcome::Prediction(prediction) => {
            parameters.text(OUTCOME, PREDICTION);
            write_notes(&mut parameters, &prediction.notes);
            &prediction.outputs[..]
        }
        Outcome::Refusal(refusal) => {
            write_failure(&mut parameters, REFUSAL, refusal.kind(), refusal.message())
        }
        Outcome::Fault(fault) => {
            write_failure(&mut parameters, FAULT, fault.class.name(), &fault.message)
        }
    };
    parameters.close();
    document.tensors("outputs", outputs);
    document.close();
}

/// Writes how a model failed, and gives the outputs of that: none.
fn write_failure(
    parameters: &mut Object<'_>,
    outcome: &str,
    kind: &str,
    message: &str,
) -> &'static [Tensor] {
    parameters.text(OUTCOME, outcome);
    parameters.text(KIND, kind);
    parameters.text(MESSAGE, message);
    &[]
}

/// Reads what [`encode_score`] or a scorer outside of the host wrote. Parameters that it does not
/// know are left alone.
pub fn decode_score(value: &[u8]) -> Result<ScoreRecord, DecodeError> {
    let document = ResponseDocument::decode(value)?;
    if document.error.is_some() {
        return Err(DecodeError::at("error", "an error", "a score"));
    }
    let request = document.id.ok_or_else(|| DecodeError::at("id", "nothing", "a string"))?;
    let outputs = document
        .outputs
        .ok_or_else(|| DecodeError::at("outputs", "nothing", "a list of tensors"))?;
    let mut fields = Fields(document.parameters);
    Ok(ScoreRecord {
        request: request.into(),
        model: document.model_name.into(),
        revision: document.model_version,
        latency: fields.duration(LATENCY_US)?,
        cpu: fields.duration(CPU_US)?,
        outcome: outcome(&mut fields, outputs)?,
    })
}

/// Reads a score as a scorer outside of the host may write it: what [`decode_score`] reads, or a
/// response of the protocol whose request and model stand in the record's headers `id` and `model`
/// only, or in the place of outputs a `refusal` (a text, or `kind` and `message`) or an `error`.
///
/// # Errors
/// Besides those of the document: where neither it nor the headers name the request or the model,
/// or where they name different ones.
pub fn decode_outside_score(
    id: Option<&str>,
    model: Option<&str>,
    value: &[u8],
) -> Result<ScoreRecord, DecodeError> {
    let document = ScoreDocument::decode(value)?;
    let request = named("id", id, document.id)?;
    let model = named("model_name", model, document.model_name)?;
    let mut fields = Fields(document.parameters);
    let outcome = match (document.outputs, document.refusal, document.error) {
        (Some(outputs), None, None) => outcome(&mut fields, outputs)?,
        (None, Some((kind, message)), None) => Outcome::Refusal(said(kind, message)?),
        (None, None, Some(message)) => Outcome::Refusal(Refusal::Failed(message)),
        (None, None, None) => {
            return Err(DecodeError::at("outputs", "nothing", "outputs, or a refusal"));
        }
        _ => return Err(DecodeError::at("outputs", "more", "one of outputs, refusal and error")),
    };
    Ok(ScoreRecord {
        request: request.into(),
        model: model.as_str().into(),
        revision: document.model_version,
        latency: fields.duration(LATENCY_US)?,
        cpu: fields.duration(CPU_US)?,
        outcome,
    })
}

/// What a header or the document says, which must not differ.
fn named(
    field: &str,
    header: Option<&str>,
    document: Option<String>,
) -> Result<String, DecodeError> {
    match (header, document) {
        (Some(header), Some(found)) if header != found => {
            let expected = format!("`{}`, as the header has it", excerpt(header));
            Err(DecodeError::at(field, format!("`{}`", excerpt(&found)), expected))
        }
        (Some(named), _) => Ok(named.to_owned()),
        (None, Some(named)) => Ok(named),
        (None, None) => Err(DecodeError::at(field, "nothing", "a string, here or as a header")),
    }
}

fn said(kind: Option<String>, message: String) -> Result<Refusal, DecodeError> {
    let Some(kind) = kind else { return Ok(Refusal::Abstain(message)) };
    Refusal::from_kind(&kind, message).ok_or_else(|| {
        let found = format!("`{}`", excerpt(&kind));
        DecodeError::at("refusal.kind", found, "invalid-input, abstain or failed")
    })
}

fn outcome(fields: &mut Fields, outputs: Vec<Tensor>) -> Result<Outcome, DecodeError> {
    match fields.text_if_any(OUTCOME)?.as_deref() {
        None | Some(PREDICTION) => {
            Ok(Outcome::Prediction(Prediction { outputs, notes: fields.notes() }))
        }
        Some(REFUSAL) => Ok(Outcome::Refusal(refusal(fields)?)),
        Some(FAULT) => Ok(Outcome::Fault(fault(fields)?)),
        Some(found) => Err(unknown_name(OUTCOME, found, "prediction, refusal or fault")),
    }
}

fn refusal(fields: &mut Fields) -> Result<Refusal, DecodeError> {
    let kind = fields.text(KIND)?;
    let message = fields.text(MESSAGE)?;
    Refusal::from_kind(&kind, message)
        .ok_or_else(|| unknown_name(KIND, &kind, "invalid-input, abstain or failed"))
}

fn fault(fields: &mut Fields) -> Result<Fault, DecodeError> {
    let kind = fields.text(KIND)?;
    let class = FaultClass::from_name(&kind)
        .ok_or_else(|| unknown_name(KIND, &kind, "the name of a class of faults"))?;
    Ok(Fault { class, message: fields.text(MESSAGE)? })
}

#[cfg(test)]
mod tests;
