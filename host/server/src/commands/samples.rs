//! Samples: requests with what a model has to answer, one JSON document a line.
//!
//! A line is `{"request": {…}, "prediction": {"outputs": […]}}` or has a `refusal` instead, `{"kind": …, "message": …}`;
//! with neither it is only run. Numbers are read by the reader of requests, which gives each float back to the bit.

use std::fmt::Display;
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use message::oip::{DecodeError, decode_request};
use message::record::{Arrival, Headers, RequestEnvelope};
use message::{Refusal, Request, Tensor, Time};
use serde::Deserialize;
use serde::de::IgnoredAny;

/// What a request says of its deadline means nothing here, where nothing waits.
const DEADLINE: Duration = Duration::from_secs(1);

/// A request, and what is expected.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Sample {
    /// The line it stands in, from 1.
    pub(super) line: usize,
    /// The request. Where it says no time, it was made at the beginning of 1970.
    pub(super) request: Request,
    /// What the model has to say to it, if that is known.
    pub(super) expected: Option<Expected>,
    /// How far a number may be from what is expected, relative to the larger of both.
    pub(super) tolerance: f64,
}

/// What a model has to say.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Expected {
    /// These outputs.
    Outputs(Vec<Tensor>),
    /// This refusal.
    Refusal(Refusal),
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct SampleRefusal {
    kind: String,
    message: String,
}

/// Reads all samples; empty lines are none.
pub(super) fn parse(text: &[u8]) -> Result<Vec<Sample>> {
    let text = std::str::from_utf8(text).context("the samples are not UTF-8")?;
    lines(text)
        .map(|(number, line)| sample(number, line).with_context(|| format!("line {number}")))
        .collect()
}

/// The request of the first sample, where there is one that can be read.
pub(super) fn first(text: &[u8]) -> Option<Request> {
    let (number, line) = lines(std::str::from_utf8(text).ok()?).next()?;
    Some(sample(number, line).ok()?.request)
}

/// How many samples there are.
pub(super) fn count(text: &[u8]) -> usize {
    lines(&String::from_utf8_lossy(text)).count()
}

/// The lines that are not empty, with their numbers.
pub(super) fn lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let numbered = text.lines().enumerate().map(|(place, line)| (place + 1, line.trim()));
    numbered.filter(|(_, line)| !line.is_empty())
}

fn sample(line: usize, text: &str) -> Result<Sample> {
    let (mut request, mut expected, mut tolerance) = (None, None, 0.0);
    for (name, value) in members(text)? {
        let once = expected.is_none();
        match name.as_str() {
            "request" => request = Some(decode_request(value.as_bytes()).context("request")?),
            "prediction" | "refusal" if !once => {
                bail!("found a second prediction or refusal, expected one of them")
            }
            "prediction" => expected = Some(Expected::Outputs(outputs(value)?)),
            "refusal" => expected = Some(Expected::Refusal(refusal(value)?)),
            "tolerance" => {
                tolerance = serde_json::from_str(value).context("tolerance")?;
                ensure!(tolerance >= 0.0, "tolerance is {tolerance}, expected 0 or more");
            }
            other => {
                bail!("found `{other}`, expected `request`, `prediction`, `refusal` or `tolerance`")
            }
        }
    }
    let request = request.context("found no `request`, expected one in every sample")?;
    let fallback_id: &dyn Display = &format!("sample-{line}");
    let received = Time::from_us(0);
    let arrival = Arrival { fallback_id, received, deadline: DEADLINE, key_input: None };
    let request = RequestEnvelope::new(&Headers::default(), request, &arrival)?.request;
    Ok(Sample { line, request, expected, tolerance })
}

/// The outputs of a prediction, which have the form of a request's inputs.
fn outputs(prediction: &str) -> Result<Vec<Tensor>> {
    let mut found = None;
    for (name, value) in members(prediction).context("prediction")? {
        ensure!(
            name == "outputs",
            "found `prediction.{name}`, expected `prediction.outputs` alone"
        );
        found = Some(value);
    }
    let outputs = found.context("found no `prediction.outputs`")?;
    let in_place =
        |error: DecodeError| error.to_string().replacen("inputs", "prediction.outputs", 1);
    let document = format!("{{\"inputs\": {outputs}}}");
    let decoded =
        decode_request(document.as_bytes()).map_err(|error| anyhow::anyhow!(in_place(error)))?;
    Ok(decoded.inputs)
}

fn refusal(value: &str) -> Result<Refusal> {
    let SampleRefusal { kind, message } = serde_json::from_str(value).context("refusal")?;
    Refusal::from_kind(&kind, message).with_context(|| {
        format!("refusal.kind is `{kind}`, expected `invalid-input`, `abstain` or `failed`")
    })
}

/// The members of a JSON object, each with the text of its value as it stands there.
pub(super) fn members(text: &str) -> Result<Vec<(String, &str)>> {
    serde_json::from_str::<IgnoredAny>(text)?;
    let inner = text.trim().strip_prefix('{').and_then(|text| text.strip_suffix('}'));
    let inner = inner.with_context(|| format!("found `{text}`, expected an object"))?;
    let mut members = Vec::new();
    let mut rest = inner.trim_start();
    while !rest.is_empty() {
        let (name, after) = rest.split_at(end_of_value(rest));
        let name: String = serde_json::from_str(name)?;
        let value = after.trim_start().trim_start_matches(':').trim_start();
        let (value, after) = value.split_at(end_of_value(value));
        ensure!(members.iter().all(|(there, _)| *there != name), "found `{name}` twice");
        members.push((name, value.trim_end()));
        rest = after.trim_start_matches(',').trim_start();
    }
    Ok(members)
}

/// Where the first value of well-formed JSON ends: before the comma, the colon or the end behind it.
fn end_of_value(text: &str) -> usize {
    let (mut depth, mut in_text, mut escaped) = (0_usize, false, false);
    for (place, byte) in text.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_text => escaped = true,
            b'"' => in_text = !in_text,
            _ if in_text => {}
            b'[' | b'{' => depth += 1,
            b']' | b'}' => depth = depth.saturating_sub(1),
            b',' | b':' if depth == 0 => return place,
            _ => {}
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use message::Contents;

    use super::*;

    const REQUEST: &str = r#""request": {"inputs": [{"name": "a", "shape": [1], "datatype": "FP64", "data": [0.1]}]}"#;

    fn refused(line: &str) -> String {
        format!("{:#}", parse(line.as_bytes()).unwrap_err())
    }

    #[test]
    fn members_are_as_they_stand_there() {
        let found = members(r#" {"a": [1, {"b": "},\""}] , "c":-0.10, "d" : "x:y"} "#).unwrap();
        let expected = [("a", r#"[1, {"b": "},\""}]"#), ("c", "-0.10"), ("d", r#""x:y""#)];
        let expected: Vec<_> =
            expected.iter().map(|(name, value)| ((*name).to_owned(), *value)).collect();
        assert_eq!(found, expected);
        assert_eq!(members("{}").unwrap(), []);
    }

    #[test]
    fn a_sample_is_a_request_and_what_is_expected() {
        let line = format!(
            "\n{{{REQUEST}, \"prediction\": {{\"outputs\": [{{\"name\": \"p\", \"shape\": [1], \"datatype\": \"FP64\", \
             \"data\": [0.30000000000000004]}}]}}, \"tolerance\": 1e-9}}\n"
        );
        let samples = parse(line.as_bytes()).unwrap();
        let [sample] = samples.as_slice() else { panic!("{samples:?}") };
        assert_eq!((sample.line, sample.tolerance), (2, 1e-9));
        assert_eq!(sample.request.id.as_str(), "sample-2");
        let outputs = vec![Tensor::new("p", [1], Contents::F64s(vec![0.1 + 0.2]))];
        assert_eq!(sample.expected, Some(Expected::Outputs(outputs)));
        assert_eq!(count(line.as_bytes()), 1);
    }

    #[test]
    fn a_refusal_may_be_expected() {
        let line =
            format!("{{{REQUEST}, \"refusal\": {{\"kind\": \"abstain\", \"message\": \"no\"}}}}");
        let expected = Expected::Refusal(Refusal::Abstain("no".into()));
        assert_eq!(parse(line.as_bytes()).unwrap()[0].expected, Some(expected));
    }

    #[test]
    fn a_sample_that_is_none_is_refused_by_line_and_name() {
        assert_eq!(refused("{}"), "line 1: found no `request`, expected one in every sample");
        assert!(refused("\n[1]").starts_with("line 2: found `[1]`, expected an object"));
        assert!(refused("{\"a\": 1}").contains("found `a`, expected `request`"));
        assert!(
            refused(&format!("{{{REQUEST}, \"tolerance\": -1}}")).contains("expected 0 or more")
        );
        let line = format!("{{{REQUEST}, \"refusal\": {{\"kind\": \"no\", \"message\": \"\"}}}}");
        assert!(refused(&line).contains("refusal.kind is `no`"));
        let line = format!("{{{REQUEST}, \"prediction\": {{\"outputs\": [{{\"name\": 1}}]}}}}");
        assert!(refused(&line).contains("prediction.outputs"), "{}", refused(&line));
    }
}
