//! The answer as one caller wants to see it: as a value, or with some of its outputs only. The
//! answers topic has all of it in any case.

use std::sync::Arc;

use bytes::Bytes;
use front::{Answered, InferError};
use message::oip::{InferRequest, InferResponse, decode_response, encode_response};
use sandbox::TensorType;

use super::invalid;

/// What a caller wants to see of an answer.
pub(super) struct View {
    /// The outputs, in the order in which they are wanted; empty for all.
    outputs: Vec<String>,
    as_value: bool,
}

impl View {
    /// What a request wants to see, of these outputs as far as they are known.
    pub(super) fn new(
        request: &InferRequest,
        as_value: bool,
        known: &[TensorType],
    ) -> Result<Self, InferError> {
        let outputs: Vec<String> =
            request.outputs.iter().map(|output| output.name.clone()).collect();
        let is_known = |name: &String| known.iter().any(|output| output.name == *name);
        let unknown = outputs.iter().position(|name| !known.is_empty() && !is_known(name));
        if let Some(index) = unknown {
            let names: Vec<_> = known.iter().map(|output| &*output.name).collect();
            let (found, expected) = (&outputs[index], names.join(", "));
            let error = format!("outputs[{index}].name: found {found:?}, expected {expected}");
            return Err(invalid(error));
        }
        Ok(Self { outputs, as_value })
    }

    /// Whether it takes the answer as a value.
    pub(super) fn takes_value(&self) -> bool {
        self.as_value || !self.outputs.is_empty()
    }

    /// The answer as it is to be seen.
    pub(super) fn of(
        &self,
        json: Bytes,
        response: Option<Arc<InferResponse>>,
    ) -> Result<Answered, InferError> {
        if !self.takes_value() {
            return Ok(Answered { json, response: None });
        }
        let response = match response {
            Some(response) => response,
            // A repetition has only what the topic has.
            None => Arc::new(decode_response(&json).map_err(|error| {
                tracing::error!(%error, "an answer of the topic cannot be read");
                InferError::Internal
            })?),
        };
        if self.outputs.is_empty() {
            return Ok(Answered { json, response: Some(response) });
        }
        let mut response = Arc::unwrap_or_clone(response);
        let rank = |name: &String| self.outputs.iter().position(|wanted| wanted == name);
        response.outputs.retain(|output| rank(&output.name).is_some());
        response.outputs.sort_by_key(|output| rank(&output.name));
        let json = Bytes::from(encode_response(&response));
        Ok(Answered { json, response: Some(Arc::new(response)) })
    }
}

#[cfg(test)]
mod tests {
    use message::oip::{RequestedOutput, encode_response};
    use message::{Contents, Datatype, Parameters, Tensor};

    use super::*;

    fn request(outputs: &[&str]) -> InferRequest {
        let output =
            |name: &&str| RequestedOutput { name: (*name).into(), parameters: Parameters::new() };
        InferRequest { outputs: outputs.iter().map(output).collect(), ..Default::default() }
    }

    fn known() -> Vec<TensorType> {
        ["a", "b", "c"]
            .map(|name| TensorType { name: name.into(), datatype: Datatype::Bool, shape: vec![] })
            .into()
    }

    fn seen(wanted: &[&str]) -> Vec<String> {
        let output = |name| Tensor::new(name, [], Contents::Bools(vec![true]));
        let outputs = ["a", "b", "c"].map(output).into();
        let response = InferResponse { model_name: "e".into(), outputs, ..Default::default() };
        let json = Bytes::from(encode_response(&response));
        let view = View::new(&request(wanted), true, &known()).unwrap();
        // As a repetition, which has no value yet.
        let answered = view.of(json, None).unwrap();
        let value = answered.response.unwrap();
        assert_eq!(decode_response(&answered.json).as_ref(), Ok(&*value));
        value.outputs.iter().map(|output| output.name.clone()).collect()
    }

    #[test]
    fn the_outputs_come_as_they_are_wanted() {
        assert_eq!(seen(&[]), ["a", "b", "c"]);
        assert_eq!(seen(&["c", "a"]), ["c", "a"]);
    }

    #[test]
    fn an_output_that_is_not_there_is_the_callers_mistake() {
        let error = View::new(&request(&["a", "z"]), false, &known()).err();
        let message = "outputs[1].name: found \"z\", expected a, b, c".to_owned();
        assert_eq!(error, Some(InferError::Invalid { message }));
        assert!(View::new(&request(&["z"]), false, &[]).is_ok());
    }
}
