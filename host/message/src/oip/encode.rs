//! Writes the objects of the protocol, straight into the bytes that leave.

use std::io::Write;

use base64::display::Base64Display;
use base64::engine::general_purpose::STANDARD;
use half::{bf16, f16};
use serde_json::to_writer;

use super::binary::BINARY_DATA_SIZE;
use super::raw;
use super::{InferRequest, InferResponse, RequestedOutput};
use crate::{Contents, Parameter, Parameters, Tensor};

/// The bytes that an element takes at least, with its comma.
const ELEMENT_BYTES: usize = 4;

pub(super) fn request(request: &InferRequest, out: &mut Vec<u8>) {
    let mut document = Object::open(out);
    document.text_if_any("id", request.id.as_deref());
    document.parameters_if_any(&request.parameters);
    document.tensors("inputs", &request.inputs);
    requested_outputs(&mut document, request);
    document.close();
}

/// Writes a request whose inputs stand behind it.
pub(super) fn binary_request(request: &InferRequest, out: &mut Vec<u8>) {
    let mut document = Object::open(out);
    document.text_if_any("id", request.id.as_deref());
    document.parameters_if_any(&request.parameters);
    list(document.field("inputs"), &request.inputs, |out, input| {
        binary_tensor(out, input, matches!(input.contents, Contents::Blobs(_)));
    });
    requested_outputs(&mut document, request);
    document.close();
}

/// Writes a response; those outputs stand behind it that `is_binary` names.
pub(super) fn response_with(
    response: &InferResponse,
    is_binary: &dyn Fn(&str) -> bool,
    out: &mut Vec<u8>,
) {
    let mut document = Object::open(out);
    document.text("model_name", &response.model_name);
    document.text_if_any("model_version", response.model_version.as_deref());
    document.text_if_any("id", response.id.as_deref());
    document.parameters_if_any(&response.parameters);
    list(document.field("outputs"), &response.outputs, |out, output| {
        if is_binary(&output.name) {
            // Whoever gets bytes needs not be told that they are not in base64.
            binary_tensor(out, output, false);
        } else {
            tensor(out, output);
        }
    });
    document.close();
}

/// An object under construction.
pub(crate) struct Object<'o> {
    out: &'o mut Vec<u8>,
    empty: bool,
}

impl<'o> Object<'o> {
    /// Begins an object behind what `out` already holds.
    pub(crate) fn open(out: &'o mut Vec<u8>) -> Self {
        out.push(b'{');
        Self { out, empty: true }
    }

    /// Begins the field `name`, whose value is to be written next.
    pub(crate) fn field(&mut self, name: &str) -> &mut Vec<u8> {
        if !self.empty {
            self.out.push(b',');
        }
        self.empty = false;
        text(self.out, name);
        self.out.push(b':');
        self.out
    }

    /// Writes a field that is a text.
    pub(crate) fn text(&mut self, name: &str, value: &str) {
        text(self.field(name), value);
    }

    /// Writes a field that is a whole number.
    pub(crate) fn uint(&mut self, name: &str, value: u64) {
        sure(to_writer(self.field(name), &value));
    }

    /// Writes a field that is a finite number.
    pub(crate) fn float(&mut self, name: &str, value: f64) {
        sure(to_writer(self.field(name), &value));
    }

    /// Writes a field that is a list of tensors.
    pub(crate) fn tensors(&mut self, name: &str, tensors: &[Tensor]) {
        list(self.field(name), tensors, tensor);
    }

    /// Ends the object.
    pub(crate) fn close(self) {
        self.out.push(b'}');
    }

    fn text_if_any(&mut self, name: &str, value: Option<&str>) {
        if let Some(value) = value {
            self.text(name, value);
        }
    }

    fn parameters_if_any(&mut self, parameters: &Parameters) {
        if !parameters.is_empty() {
            let mut object = Object::open(self.field("parameters"));
            object.parameters(parameters, |_| true);
            object.close();
        }
    }

    fn parameters(&mut self, parameters: &Parameters, wanted: impl Fn(&str) -> bool) {
        for (name, value) in parameters.iter().filter(|(name, _)| wanted(name)) {
            parameter(self.field(name), value);
        }
    }
}

fn requested_output(out: &mut Vec<u8>, output: &RequestedOutput) {
    let mut object = Object::open(out);
    object.text("name", &output.name);
    object.parameters_if_any(&output.parameters);
    object.close();
}

fn tensor(out: &mut Vec<u8>, tensor: &Tensor) {
    let mut object = Object::open(out);
    object.text("name", &tensor.name);
    sure(to_writer(object.field("shape"), &tensor.shape));
    object.text("datatype", tensor.contents.datatype().wire_name());
    tensor_parameters(&mut object, tensor);
    contents(object.field("data"), &tensor.contents);
    object.close();
}

/// Writes a tensor whose elements stand behind the document.
fn binary_tensor(out: &mut Vec<u8>, tensor: &Tensor, is_blob: bool) {
    let mut object = Object::open(out);
    object.text("name", &tensor.name);
    sure(to_writer(object.field("shape"), &tensor.shape));
    object.text("datatype", tensor.contents.datatype().wire_name());
    let mut parameters = Object::open(object.field("parameters"));
    parameters.uint(BINARY_DATA_SIZE, raw::len(&tensor.contents) as u64);
    if is_blob {
        parameters.text("content_type", "base64");
    }
    let is_ours = |name: &str| name == BINARY_DATA_SIZE || name == "content_type" && is_blob;
    parameters.parameters(&tensor.parameters, |name| !is_ours(name));
    parameters.close();
    object.close();
}

fn requested_outputs(document: &mut Object<'_>, request: &InferRequest) {
    if !request.outputs.is_empty() {
        list(document.field("outputs"), &request.outputs, requested_output);
    }
}

/// Writes the parameters of a tensor. Which sort of `BYTES` it holds, only its contents say.
fn tensor_parameters(tensor_object: &mut Object<'_>, tensor: &Tensor) {
    match &tensor.contents {
        Contents::Blobs(_) => {
            let mut object = Object::open(tensor_object.field("parameters"));
            object.text("content_type", "base64");
            object.parameters(&tensor.parameters, |name| name != "content_type");
            object.close();
        }
        Contents::Texts(_) if tensor.parameters.contains_key("content_type") => {
            let is_base64 = tensor.parameters["content_type"] == Parameter::Text("base64".into());
            let mut object = Object::open(tensor_object.field("parameters"));
            object.parameters(&tensor.parameters, |name| !(is_base64 && name == "content_type"));
            object.close();
        }
        _ => tensor_object.parameters_if_any(&tensor.parameters),
    }
}

/// Writes `data`. Whole lists go to the JSON library where it writes them as we do, which is all
/// but for floats that are not finite, halves and blobs.
fn contents(out: &mut Vec<u8>, contents: &Contents) {
    out.reserve(contents.len() * ELEMENT_BYTES);
    match contents {
        Contents::Bools(them) => sure(to_writer(out, them)),
        Contents::U8s(them) => sure(to_writer(out, them)),
        Contents::U16s(them) => sure(to_writer(out, them)),
        Contents::U32s(them) => sure(to_writer(out, them)),
        Contents::U64s(them) => sure(to_writer(out, them)),
        Contents::S8s(them) => sure(to_writer(out, them)),
        Contents::S16s(them) => sure(to_writer(out, them)),
        Contents::S32s(them) => sure(to_writer(out, them)),
        Contents::S64s(them) => sure(to_writer(out, them)),
        Contents::F16s(them) => list(out, them, |out, &bits| f32(out, f16::from_bits(bits).into())),
        Contents::Bf16s(them) => {
            list(out, them, |out, &bits| f32(out, bf16::from_bits(bits).into()));
        }
        Contents::F32s(them) if them.iter().all(|value| value.is_finite()) => {
            sure(to_writer(out, them));
        }
        Contents::F32s(them) => list(out, them, |out, &value| f32(out, value)),
        Contents::F64s(them) if them.iter().all(|value| value.is_finite()) => {
            sure(to_writer(out, them));
        }
        Contents::F64s(them) => list(out, them, |out, &value| f64(out, value)),
        Contents::Texts(them) => sure(to_writer(out, them)),
        Contents::Blobs(them) => list(out, them, |out, value| blob(out, value)),
    }
}

fn list<T>(out: &mut Vec<u8>, them: &[T], one: impl Fn(&mut Vec<u8>, &T)) {
    out.push(b'[');
    for (index, it) in them.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        one(out, it);
    }
    out.push(b']');
}

fn parameter(out: &mut Vec<u8>, parameter: &Parameter) {
    match parameter {
        Parameter::Bool(value) => sure(to_writer(out, value)),
        Parameter::Int(value) => sure(to_writer(out, value)),
        Parameter::Uint(value) => sure(to_writer(out, value)),
        Parameter::Float(value) => f64(out, *value),
        Parameter::Text(value) => text(out, value),
    }
}

fn f32(out: &mut Vec<u8>, value: f32) {
    if value.is_finite() {
        sure(to_writer(out, &value));
    } else {
        text(out, not_finite(value.into()));
    }
}

fn f64(out: &mut Vec<u8>, value: f64) {
    if value.is_finite() {
        sure(to_writer(out, &value));
    } else {
        text(out, not_finite(value));
    }
}

const fn not_finite(value: f64) -> &'static str {
    if value.is_nan() {
        "NaN"
    } else if value > 0.0 {
        "Infinity"
    } else {
        "-Infinity"
    }
}

fn text(out: &mut Vec<u8>, value: &str) {
    sure(to_writer(out, value));
}

fn blob(out: &mut Vec<u8>, value: &[u8]) {
    let base64 = Base64Display::new(value, &STANDARD);
    write!(out, "\"{base64}\"").expect("invariant: a Vec takes every byte");
}

fn sure(result: serde_json::Result<()>) {
    result.expect("invariant: a Vec takes every byte");
}
