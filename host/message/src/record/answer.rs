//! Answers, as the caller gets them and as the answers topic keeps them.

use std::time::Duration;

use super::fields::{
    COURSE, Fields, LATENCY_US, MEMBERS, PROPENSITY, REASON, REQUEST_ID, note_parameters,
    unknown_name, whole_us, write_notes, wrong,
};
use crate::oip::{DecodeError, InferResponse, Object, ResponseDocument};
use crate::{
    Answer, Chosen, Combine, EndpointName, ModelName, Parameter, Parameters, Reason, RequestId,
    Revision, Selection, Tensor,
};

/// The `model_version` of an answer that is the default.
const DEFAULT_VERSION: &str = "default";
/// What the `model_version` of an answer of an ensemble begins with; how it combines comes next.
const ENSEMBLE_VERSION: &str = "ensemble:";

/// How many digits of a revision are shown.
const SHORT_REVISION_LEN: usize = 12;

/// What a reader of the answers topic can know about an answer.
#[derive(Debug, Clone, PartialEq)]
pub struct AnswerRecord {
    /// The endpoint that answered.
    pub endpoint: EndpointName,
    /// The request.
    pub request: RequestId,
    /// The id that the caller gave, where it is another one.
    pub caller_id: Option<String>,
    /// Where the answer is from.
    pub source: AnswerSource,
    /// Why.
    pub reason: Reason,
    /// By which course of the policy it was chosen.
    pub selection: Selection,
    /// From the request to the decision.
    pub latency: Duration,
    /// The outputs; none where there is no answer.
    pub outputs: Vec<Tensor>,
    /// Remarks for people.
    pub notes: Vec<(String, String)>,
}

/// Where an answer is from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AnswerSource {
    /// A model's prediction.
    Score {
        /// The model.
        model: ModelName,
        /// The first digits of the artefact that ran.
        revision: String,
    },
    /// What several predictions amount to together.
    Ensemble {
        /// How they were combined.
        combine: Combine,
        /// The models, each with the first digits of the artefact that ran.
        members: Vec<(ModelName, String)>,
    },
    /// The default of the policy.
    Default,
    /// Nowhere: the caller was told so.
    Nothing {
        /// In these words.
        error: String,
    },
}

/// The answer as a response of the protocol, or `None` where nothing was chosen.
pub fn answer_response(answer: &Answer, endpoint: &EndpointName) -> Option<InferResponse> {
    let (outputs, notes) = match &answer.chosen {
        Chosen::Score { prediction, .. } => (&prediction.outputs, &prediction.notes[..]),
        Chosen::Ensemble { outputs, .. } | Chosen::Default(outputs) => (outputs, &[][..]),
        Chosen::Nothing => return None,
    };
    let text = |text: &str| Parameter::Text(text.to_owned());
    let latency = i64::try_from(whole_us(answer.latency)).unwrap_or(i64::MAX);
    let mut parameters = Parameters::from([
        (REQUEST_ID.to_owned(), text(answer.request.as_str())),
        (REASON.to_owned(), text(answer.reason.name())),
        (LATENCY_US.to_owned(), Parameter::Int(latency)),
        (PROPENSITY.to_owned(), Parameter::Float(answer.selection.propensity)),
    ]);
    if !answer.selection.course.is_empty() {
        parameters.insert(COURSE.to_owned(), text(&answer.selection.course));
    }
    if let Chosen::Ensemble { members, .. } = &answer.chosen {
        parameters.insert(MEMBERS.to_owned(), text(&members_text(members)));
    }
    parameters.extend(note_parameters(notes).into_iter().map(|(name, note)| (name, text(note))));
    Some(InferResponse {
        model_name: endpoint.as_str().to_owned(),
        model_version: version(&answer.chosen),
        id: Some(visible_id(answer).to_owned()),
        parameters,
        outputs: outputs.clone(),
    })
}

/// Writes the answer behind what `out` already holds: the document of [`answer_response`], or an
/// `error` in the place of version and outputs.
pub fn encode_answer(answer: &Answer, endpoint: &EndpointName, out: &mut Vec<u8>) {
    let mut document = Object::open(out);
    if matches!(answer.chosen, Chosen::Nothing) {
        document.text("error", explain(answer.reason));
    }
    document.text("model_name", endpoint.as_str());
    if let Some(version) = version(&answer.chosen) {
        document.text("model_version", &version);
    }
    document.text("id", visible_id(answer));
    let mut parameters = Object::open(document.field("parameters"));
    parameters.text(REQUEST_ID, answer.request.as_str());
    parameters.text(REASON, answer.reason.name());
    parameters.uint(LATENCY_US, whole_us(answer.latency));
    parameters.float(PROPENSITY, answer.selection.propensity);
    if !answer.selection.course.is_empty() {
        parameters.text(COURSE, &answer.selection.course);
    }
    match &answer.chosen {
        Chosen::Score { prediction, .. } => write_notes(&mut parameters, &prediction.notes),
        Chosen::Ensemble { members, .. } => parameters.text(MEMBERS, &members_text(members)),
        Chosen::Default(_) | Chosen::Nothing => {}
    }
    parameters.close();
    match &answer.chosen {
        Chosen::Score { prediction, .. } => document.tensors("outputs", &prediction.outputs),
        Chosen::Ensemble { outputs, .. } | Chosen::Default(outputs) => {
            document.tensors("outputs", outputs);
        }
        Chosen::Nothing => {}
    }
    document.close();
}

/// Reads what [`encode_answer`] wrote. Parameters that it does not know are left alone.
pub fn decode_answer(value: &[u8]) -> Result<AnswerRecord, DecodeError> {
    let document = ResponseDocument::decode(value)?;
    let mut fields = Fields(document.parameters);
    let source = source(document.error, document.model_version, &mut fields)?;
    let request = fields.text(REQUEST_ID)?;
    let reason = fields.text(REASON)?;
    Ok(AnswerRecord {
        endpoint: document.model_name.into(),
        caller_id: document.id.filter(|id| *id != request),
        request: request.into(),
        source,
        reason: Reason::from_name(&reason)
            .ok_or_else(|| unknown_name(REASON, &reason, "the name of a reason"))?,
        selection: Selection {
            propensity: fields.share(PROPENSITY)?,
            course: fields.text_if_any(COURSE)?.unwrap_or_default().into(),
        },
        latency: fields.duration(LATENCY_US)?,
        outputs: document.outputs.unwrap_or_default(),
        notes: fields.notes(),
    })
}

/// Says a reason in a sentence, for a caller who got nothing because of it.
pub const fn explain(reason: Reason) -> &'static str {
    match reason {
        Reason::Preferred => "the preferred model answered in its time",
        Reason::PreferredWasSlow => "the preferred model was not in time",
        Reason::PreferredFailed => "the preferred model refused, faulted or was not asked",
        Reason::NothingCame => "no model had answered when the answer was due",
        Reason::EveryModelFailed => "every model that could have answered refused or faulted",
        Reason::NotKept => "the answer is too large to be kept, or the stream refused it",
        Reason::NotCombinable => "the predictions of the chosen ensemble do not fit each other",
        Reason::NoLiveModel => "no model of the endpoint's policy is live",
        Reason::Expired => "the request was past its deadline when it was read",
    }
}

/// The id that the caller knows the request by.
fn visible_id(answer: &Answer) -> &str {
    answer.caller_id.as_deref().unwrap_or_else(|| answer.request.as_str())
}

fn version(chosen: &Chosen) -> Option<String> {
    match chosen {
        Chosen::Score { model, revision, .. } => Some(version_of(model, revision)),
        Chosen::Ensemble { combine, .. } => Some([ENSEMBLE_VERSION, combine.name()].concat()),
        Chosen::Default(_) => Some(DEFAULT_VERSION.to_owned()),
        Chosen::Nothing => None,
    }
}

fn version_of(model: &ModelName, revision: &Revision) -> String {
    [model.as_str(), "@", &revision.short()].concat()
}

fn is_short_revision(text: &str) -> bool {
    text.len() == SHORT_REVISION_LEN && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// The members as one text. A comma within a name does no harm, as no name ends like a revision.
fn members_text(members: &[(ModelName, Revision)]) -> String {
    let versions = members.iter().map(|(model, revision)| version_of(model, revision));
    versions.collect::<Vec<_>>().join(",")
}

fn source(
    error: Option<String>,
    version: Option<String>,
    fields: &mut Fields,
) -> Result<AnswerSource, DecodeError> {
    if let Some(error) = error {
        return Ok(AnswerSource::Nothing { error });
    }
    let version = version.unwrap_or_default();
    if version == DEFAULT_VERSION {
        return Ok(AnswerSource::Default);
    }
    if let Some((model, revision)) = version.rsplit_once('@') {
        return Ok(AnswerSource::Score { model: model.into(), revision: revision.to_owned() });
    }
    match version.strip_prefix(ENSEMBLE_VERSION).and_then(Combine::from_name) {
        Some(combine) => {
            let members = members(&fields.text(MEMBERS)?)?;
            Ok(AnswerSource::Ensemble { combine, members })
        }
        None => {
            let found = format!("`{}`", crate::oip::excerpt(&version));
            let expected = "model@revision, ensemble:combine or default";
            Err(DecodeError::at("model_version", found, expected))
        }
    }
}

/// Reads what [`members_text`] wrote: a comma ends a member only behind a revision.
fn members(text: &str) -> Result<Vec<(ModelName, String)>, DecodeError> {
    let mut members = Vec::new();
    let mut pending = String::new();
    for part in text.split(',') {
        pending.push_str(part);
        match pending.rsplit_once('@') {
            Some((model, revision)) if is_short_revision(revision) => {
                members.push((model.into(), revision.to_owned()));
                pending.clear();
            }
            _ => pending.push(','),
        }
    }
    if pending.is_empty() {
        return Ok(members);
    }
    let found = format!("`{}`", crate::oip::excerpt(text));
    Err(wrong(MEMBERS, &found, "model@revision, with commas between them"))
}

#[cfg(test)]
mod tests;
