//! The documents of the Open Inference Protocol, version 2, in and out: as JSON, as JSON with tensors
//! in binary behind it, and as protobuf.
//!
//! The reader of JSON is our own and not serde's: it goes over a document once, straight into
//! [`Contents`](crate::Contents),
//! and knows the path to whatever is wrong. It comes back to `data` only where that stands before
//! the `datatype` and the `shape` that say how to read it.
//!
//! What the protocol leaves open is settled so:
//! - `data` is flat, or nested exactly as `shape` says.
//! - `BYTES` are texts; with the tensor parameter `content_type` = `base64` they are bytes in
//!   base64. The datatype of the contents stands for that parameter, which is therefore neither
//!   kept nor taken from a tensor's own parameters.
//! - Floats that are not finite are the texts `NaN`, `Infinity` and `-Infinity`, as in the JSON
//!   mapping of protobuf. A number too large for its datatype is refused, not made infinite.
//! - Every float comes back to the bit, but for the payload of a NaN.
//! - An unknown or repeated field is refused, and so is `null`. A request may say `model_name` and
//!   `model_version`, which mean nothing: who is asked is said outside of the document.

mod binary;
mod decode;
mod elements;
mod encode;
mod error;
mod number;
mod protobuf;
mod raw;
mod reader;

use crate::{Parameters, Tensor};

pub use binary::{
    BinaryDocument, BinaryOutputs, decode_binary_request, decode_binary_response,
    encode_binary_request, encode_binary_response,
};
pub(crate) use decode::{ResponseDocument, ScoreDocument};
pub(crate) use encode::Object;
pub use error::DecodeError;
pub(crate) use error::excerpt;
pub use protobuf::{
    ProtobufRequest, decode_protobuf_request, decode_protobuf_response, encode_protobuf_request,
    encode_protobuf_response_into,
};

/// The largest number of dimensions that a tensor may have in a document.
pub const RANK_LIMIT: usize = 32;

/// How the bytes of a request are to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Encoding {
    /// As a JSON document.
    #[default]
    Json,
    /// As a JSON document of this many bytes, with tensors in binary behind it.
    Binary {
        /// The length of the document.
        document_bytes: usize,
    },
    /// As a `ModelInferRequest` of protobuf.
    Protobuf,
}

/// A question in the words of the protocol.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct InferRequest {
    /// What the caller calls this question.
    pub id: Option<String>,
    /// What the caller wants known about it.
    pub parameters: Parameters,
    /// The tensors, whose names differ.
    pub inputs: Vec<Tensor>,
    /// The outputs that the caller wants; empty for all.
    pub outputs: Vec<RequestedOutput>,
}

/// An output that a caller wants.
#[derive(Debug, Clone, PartialEq)]
pub struct RequestedOutput {
    /// The name of the output.
    pub name: String,
    /// What the caller wants known about it.
    pub parameters: Parameters,
}

/// An answer in the words of the protocol.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct InferResponse {
    /// Who was asked.
    pub model_name: String,
    /// Which version of it answered.
    pub model_version: Option<String>,
    /// What the caller called the question.
    pub id: Option<String>,
    /// What the caller should know about the answer.
    pub parameters: Parameters,
    /// The tensors, whose names differ.
    pub outputs: Vec<Tensor>,
}

/// Reads a request.
///
/// What it allocates is bounded by a small multiple of the document's length, whatever shapes the
/// document claims.
///
/// ```
/// let document = br#"{"inputs": [
///     {"name": "distance", "shape": [2], "datatype": "FP32", "data": [1400, "far"]}
/// ]}"#;
/// let error = message::oip::decode_request(document).unwrap_err();
/// assert_eq!(
///     error.to_string(),
///     "inputs[0].data[1]: found a string, expected a number of FP32"
/// );
/// ```
pub fn decode_request(document: &[u8]) -> Result<InferRequest, DecodeError> {
    decode::request_with(document, None).map_err(|error| error.at_last())
}

/// Reads a request of any encoding. What protobuf says of the model is left to whoever wants it.
pub fn decode_request_as(body: &[u8], encoding: Encoding) -> Result<InferRequest, DecodeError> {
    match encoding {
        Encoding::Json => decode_request(body),
        Encoding::Binary { document_bytes } => decode_binary_request(body, document_bytes),
        Encoding::Protobuf => decode_protobuf_request(body).map(|it| it.request),
    }
}

/// Reads a response, within the same bounds as [`decode_request`].
pub fn decode_response(document: &[u8]) -> Result<InferResponse, DecodeError> {
    decode::response_with(document, None).map_err(|error| error.at_last())
}

/// Writes a request.
pub fn encode_request(request: &InferRequest) -> Vec<u8> {
    let mut out = Vec::new();
    encode::request(request, &mut out);
    out
}

/// Writes a response.
pub fn encode_response(response: &InferResponse) -> Vec<u8> {
    let mut out = Vec::new();
    encode_response_into(response, &mut out);
    out
}

/// Writes a response behind what `out` already holds.
pub fn encode_response_into(response: &InferResponse, out: &mut Vec<u8>) {
    encode::response_with(response, &|_| false, out);
}
