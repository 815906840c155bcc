//! The binary tensor extension: a JSON document, and behind it the tensors that it names by their
//! size, as bytes.
//!
//! The parameter `binary_data_size` stands for the place of a tensor's elements, and is therefore
//! not kept as a parameter of the tensor.

use std::collections::BTreeMap;

use super::error::DecodeError;
use super::{InferRequest, InferResponse, decode, encode, raw};
use crate::{Parameter, Parameters};

/// The parameter of a tensor whose elements stand behind the document, with their size in bytes.
pub(super) const BINARY_DATA_SIZE: &str = "binary_data_size";
/// The parameter of a requested output that is wanted in binary.
const BINARY_DATA: &str = "binary_data";
/// The parameter of a request that wants every output in binary.
const BINARY_DATA_OUTPUT: &str = "binary_data_output";

/// A document with tensors behind it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BinaryDocument {
    /// Everything.
    pub bytes: Vec<u8>,
    /// The length of the document.
    pub document_bytes: usize,
}

/// Reads a request whose first `document_bytes` are its document.
///
/// What it allocates is bounded by a small multiple of the body's length.
pub fn decode_binary_request(
    body: &[u8],
    document_bytes: usize,
) -> Result<InferRequest, DecodeError> {
    let (document, tail) = split(body, document_bytes)?;
    decode::request_with(document, Some(tail)).map_err(|error| error.at_last())
}

/// Reads a response whose first `document_bytes` are its document.
pub fn decode_binary_response(
    body: &[u8],
    document_bytes: usize,
) -> Result<InferResponse, DecodeError> {
    let (document, tail) = split(body, document_bytes)?;
    decode::response_with(document, Some(tail)).map_err(|error| error.at_last())
}

/// Writes a request, all of its inputs in binary.
pub fn encode_binary_request(request: &InferRequest) -> BinaryDocument {
    let mut bytes = Vec::new();
    encode::binary_request(request, &mut bytes);
    let document_bytes = bytes.len();
    request.inputs.iter().for_each(|input| raw::encode(&input.contents, &mut bytes));
    BinaryDocument { bytes, document_bytes }
}

/// Writes a response; `is_binary` says which of its outputs are in binary.
pub fn encode_binary_response(
    response: &InferResponse,
    is_binary: impl Fn(&str) -> bool,
) -> BinaryDocument {
    let mut bytes = Vec::new();
    encode::response_with(response, &is_binary, &mut bytes);
    let document_bytes = bytes.len();
    for output in response.outputs.iter().filter(|output| is_binary(&output.name)) {
        raw::encode(&output.contents, &mut bytes);
    }
    BinaryDocument { bytes, document_bytes }
}

/// Which outputs a caller wants in binary.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct BinaryOutputs {
    by_name: BTreeMap<String, bool>,
    otherwise: bool,
}

impl BinaryOutputs {
    /// What a request says about its outputs.
    pub fn of(request: &InferRequest) -> Self {
        let said = |parameters: &Parameters, name: &str| {
            parameters.get(name).map(|parameter| *parameter == Parameter::Bool(true))
        };
        let by_name = request.outputs.iter().filter_map(|requested| {
            let wants = said(&requested.parameters, BINARY_DATA)?;
            Some((requested.name.clone(), wants))
        });
        let otherwise = said(&request.parameters, BINARY_DATA_OUTPUT).unwrap_or(false);
        Self { by_name: by_name.collect(), otherwise }
    }

    /// Whether this output is wanted in binary.
    pub fn contains(&self, output: &str) -> bool {
        self.by_name.get(output).copied().unwrap_or(self.otherwise)
    }

    /// Whether none is.
    pub fn is_empty(&self) -> bool {
        !self.otherwise && !self.by_name.values().any(|wants| *wants)
    }
}

fn split(body: &[u8], document_bytes: usize) -> Result<(&[u8], &[u8]), DecodeError> {
    body.split_at_checked(document_bytes).ok_or_else(|| {
        let found = format!("{} bytes", body.len());
        let expected = format!("{document_bytes} by inference-header-content-length");
        DecodeError::at("document", found, expected)
    })
}

#[cfg(test)]
mod tests;
