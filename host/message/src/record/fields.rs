//! The parameters that answers and scores share, in and out.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::oip::{DecodeError, Object, excerpt};
use crate::{Parameter, Parameters};

pub(super) const REQUEST_ID: &str = "request_id";
pub(super) const REASON: &str = "reason";
pub(super) const LATENCY_US: &str = "latency_us";
pub(super) const PROPENSITY: &str = "propensity";
pub(super) const COURSE: &str = "course";
pub(super) const MEMBERS: &str = "members";
pub(super) const CPU_US: &str = "cpu_us";
pub(super) const OUTCOME: &str = "outcome";
pub(super) const KIND: &str = "kind";
pub(super) const MESSAGE: &str = "message";
const NOTE_PREFIX: &str = "note.";

/// A duration as records have it.
pub(super) fn whole_us(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

/// Each note as the parameter that carries it. Of notes with the same name the last one counts.
pub(super) fn note_parameters(notes: &[(String, String)]) -> BTreeMap<String, &str> {
    notes.iter().map(|(name, note)| (format!("{NOTE_PREFIX}{name}"), note.as_str())).collect()
}

/// Writes the notes among the other parameters.
pub(super) fn write_notes(parameters: &mut Object<'_>, notes: &[(String, String)]) {
    for (name, note) in note_parameters(notes) {
        parameters.text(&name, note);
    }
}

/// The parameters of a record on their way into a struct.
pub(super) struct Fields(pub(super) Parameters);

impl Fields {
    /// Takes a text, which has to be there.
    pub(super) fn text(&mut self, name: &str) -> Result<String, DecodeError> {
        self.text_if_any(name)?.ok_or_else(|| wrong(name, "nothing", "a string"))
    }

    /// Takes a text, if it is there.
    pub(super) fn text_if_any(&mut self, name: &str) -> Result<Option<String>, DecodeError> {
        match self.0.remove(name) {
            None => Ok(None),
            Some(Parameter::Text(text)) => Ok(Some(text)),
            Some(other) => Err(wrong(name, &shown(&other), "a string")),
        }
    }

    /// Takes a duration; a scorer that does not measure says nothing, which counts as none.
    pub(super) fn duration(&mut self, name: &str) -> Result<Duration, DecodeError> {
        let us = match self.0.remove(name) {
            None => 0,
            Some(Parameter::Uint(us)) => us,
            Some(Parameter::Int(us)) if us >= 0 => us.unsigned_abs(),
            Some(other) => return Err(wrong(name, &shown(&other), "microseconds from 0")),
        };
        Ok(Duration::from_micros(us))
    }

    /// Takes a share from 0 to 1; a record of a host that knew no shares says nothing, which is 1.
    pub(super) fn share(&mut self, name: &str) -> Result<f64, DecodeError> {
        match self.0.remove(name) {
            None => Ok(1.0),
            Some(Parameter::Float(share)) if (0.0..=1.0).contains(&share) => Ok(share),
            Some(Parameter::Int(share @ 0..=1)) => Ok(share as f64),
            Some(other) => Err(wrong(name, &shown(&other), "a number from 0 to 1")),
        }
    }

    /// Takes the notes.
    pub(super) fn notes(&mut self) -> Vec<(String, String)> {
        let note = |(name, value): (&String, &Parameter)| match value {
            Parameter::Text(note) => {
                Some((name.strip_prefix(NOTE_PREFIX)?.to_owned(), note.clone()))
            }
            _ => None,
        };
        self.0.iter().filter_map(note).collect()
    }
}

/// A parameter that is not what a record has there.
pub(super) fn wrong(name: &str, found: &str, expected: &str) -> DecodeError {
    DecodeError::at(&format!("parameters.{name}"), found, expected)
}

/// A text that is none of the known names.
pub(super) fn unknown_name(parameter: &str, found: &str, expected: &str) -> DecodeError {
    wrong(parameter, &format!("`{}`", excerpt(found)), expected)
}

fn shown(parameter: &Parameter) -> String {
    match parameter {
        Parameter::Bool(value) => value.to_string(),
        Parameter::Int(value) => value.to_string(),
        Parameter::Uint(value) => value.to_string(),
        Parameter::Float(value) => value.to_string(),
        Parameter::Text(_) => "a string".to_owned(),
    }
}
