//! The protobuf of the Open Inference Protocol: `ModelInferRequest` and `ModelInferResponse`, in and out.
//!
//! The reader is our own: it goes straight into [`Contents`](crate::Contents), keeps to the bounds
//! of the JSON reader, and knows the path to whatever is wrong. Messages of the usual libraries
//! would be as large as an attacker likes: an empty tensor takes two bytes on the wire.
//!
//! What protobuf leaves open is settled so:
//! - Elements are in `contents`, or all of them in `raw_input_contents`; both is refused.
//! - `BYTES` are texts if all elements of the tensor are UTF-8, and blobs if not, or where the
//!   tensor has the parameter `content_type` = `base64`. No element is in base64 here.
//! - A response has its elements in `raw_output_contents`.
//! - Unknown fields are passed over.

mod decode;
mod encode;
mod wire;

use super::{DecodeError, InferRequest, InferResponse};

/// A request with the names that protobuf has inside of it and REST has in the path.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ProtobufRequest {
    /// Who is asked.
    pub model_name: String,
    /// Which version of it; empty for whichever the server likes.
    pub model_version: String,
    /// What is asked.
    pub request: InferRequest,
}

/// Reads a `ModelInferRequest`.
///
/// What it allocates is bounded by a small multiple of the message's length, whatever shapes the
/// message claims.
pub fn decode_protobuf_request(message: &[u8]) -> Result<ProtobufRequest, DecodeError> {
    decode::request(message).map_err(|error| error.at_last())
}

/// Reads a `ModelInferResponse`, within the same bounds as [`decode_protobuf_request`].
pub fn decode_protobuf_response(message: &[u8]) -> Result<InferResponse, DecodeError> {
    decode::response(message).map_err(|error| error.at_last())
}

/// Writes a `ModelInferRequest`, its elements in `raw_input_contents`.
pub fn encode_protobuf_request(request: &ProtobufRequest) -> Vec<u8> {
    let mut out = Vec::new();
    encode::request(request, &mut out);
    out
}

/// Writes a `ModelInferResponse` behind what `out` already holds.
pub fn encode_protobuf_response_into(response: &InferResponse, out: &mut Vec<u8>) {
    encode::response(response, out);
}

#[cfg(test)]
mod tests;
