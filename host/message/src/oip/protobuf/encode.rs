//! Writes the messages of the protocol.

use super::super::{InferResponse, RequestedOutput, raw};
use super::ProtobufRequest;
use super::wire::{put_bytes, put_length, put_message, put_number, put_text, put_varint};
use crate::{Contents, Parameter, Parameters, Tensor};

pub(super) fn request(request: &ProtobufRequest, out: &mut Vec<u8>) {
    let ProtobufRequest { model_name, model_version, request } = request;
    put_text(out, 1, model_name);
    put_text(out, 2, model_version);
    put_text(out, 3, request.id.as_deref().unwrap_or_default());
    parameters(out, 4, &request.parameters);
    for input in &request.inputs {
        put_message(out, 5, |out| {
            tensor(out, input);
            if matches!(input.contents, Contents::Blobs(_)) {
                let base64 = Parameter::Text("base64".to_owned());
                put_message(out, 4, |out| parameter(out, "content_type", &base64));
            }
        });
    }
    for RequestedOutput { name, parameters: wanted } in &request.outputs {
        put_message(out, 6, |out| {
            put_text(out, 1, name);
            parameters(out, 2, wanted);
        });
    }
    raw_contents(out, 7, &request.inputs);
}

pub(super) fn response(response: &InferResponse, out: &mut Vec<u8>) {
    put_text(out, 1, &response.model_name);
    put_text(out, 2, response.model_version.as_deref().unwrap_or_default());
    put_text(out, 3, response.id.as_deref().unwrap_or_default());
    parameters(out, 4, &response.parameters);
    for output in &response.outputs {
        put_message(out, 5, |out| tensor(out, output));
    }
    raw_contents(out, 6, &response.outputs);
}

fn tensor(out: &mut Vec<u8>, tensor: &Tensor) {
    put_text(out, 1, &tensor.name);
    put_text(out, 2, tensor.contents.datatype().wire_name());
    if !tensor.shape.is_empty() {
        put_message(out, 3, |out| {
            tensor.shape.iter().for_each(|&length| put_varint(out, length.into()));
        });
    }
    parameters(out, 4, &tensor.parameters);
}

fn raw_contents(out: &mut Vec<u8>, field: u32, tensors: &[Tensor]) {
    for tensor in tensors {
        put_length(out, field, raw::len(&tensor.contents));
        raw::encode(&tensor.contents, out);
    }
}

fn parameters(out: &mut Vec<u8>, field: u32, parameters: &Parameters) {
    for (name, value) in parameters {
        put_message(out, field, |out| parameter(out, name, value));
    }
}

fn parameter(out: &mut Vec<u8>, name: &str, value: &Parameter) {
    put_text(out, 1, name);
    put_message(out, 2, |out| match value {
        Parameter::Bool(value) => put_number(out, 1, u64::from(*value)),
        Parameter::Int(value) => put_number(out, 2, value.cast_unsigned()),
        Parameter::Text(value) => put_bytes(out, 3, value.as_bytes()),
        Parameter::Float(value) => {
            put_varint(out, 4 << 3 | 1);
            out.extend_from_slice(&value.to_le_bytes());
        }
        Parameter::Uint(value) => put_number(out, 5, *value),
    });
}
