//! Reads the objects of the protocol: requests, responses, tensors and parameters.

use std::borrow::Cow;
use std::collections::HashSet;
use std::collections::btree_map::Entry;

use super::binary::BINARY_DATA_SIZE;
use super::elements::{self, integer};
use super::error::{DecodeError, excerpt};
use super::raw;
use super::reader::{Reader, Result};
use super::{InferRequest, InferResponse, RANK_LIMIT, RequestedOutput};
use crate::{Contents, Datatype, Parameter, Parameters, Tensor};

/// Up to how many names are compared each with each.
const FEW_NAMES: usize = 16;

/// What a tensor of one element takes in a document, to guess how many there are.
const USUAL_TENSOR_BYTES: usize = 64;

const A_STRING: &str = "a string";
const PARAMETERS: &str = "an object of parameters";
const TENSORS: &str = "a list of tensors";

pub(super) fn request_with(document: &[u8], tail: Option<&[u8]>) -> Result<InferRequest> {
    let mut reader = Reader::new(document, tail)?;
    let (mut id, mut parameters, mut inputs, mut outputs) = (None, None, None, None);
    reader.object("a request, which is an object", |reader, name| match name {
        "id" => fill(&mut id, || string(reader)),
        "parameters" => fill(&mut parameters, || self::parameters(reader)),
        "inputs" => fill(&mut inputs, || tensors(reader)),
        "outputs" => fill(&mut outputs, || requested_outputs(reader)),
        // Some clients say here too whom they ask; whoever routes the request goes by its path.
        "model_name" | "model_version" => string(reader).map(drop),
        _ => Err(unknown("id, parameters, inputs or outputs")),
    })?;
    reader.finish()?;
    Ok(InferRequest {
        id,
        parameters: parameters.unwrap_or_default(),
        inputs: inputs.ok_or_else(|| DecodeError::missing("inputs", TENSORS))?,
        outputs: outputs.unwrap_or_default(),
    })
}

pub(super) fn response_with(document: &[u8], tail: Option<&[u8]>) -> Result<InferResponse> {
    let response = ResponseDocument::read(document, tail)?;
    if response.error.is_some() {
        return Err(unknown(RESPONSE_FIELDS).in_field("error"));
    }
    Ok(InferResponse {
        model_name: response.model_name,
        model_version: response.model_version,
        id: response.id,
        parameters: response.parameters,
        outputs: response.outputs.ok_or_else(|| DecodeError::missing("outputs", TENSORS))?,
    })
}

const RESPONSE_FIELDS: &str = "model_name, model_version, id, parameters or outputs";

/// A response, or the error that stands in the place of one on a topic.
pub(crate) struct ResponseDocument {
    pub(crate) error: Option<String>,
    pub(crate) model_name: String,
    pub(crate) model_version: Option<String>,
    pub(crate) id: Option<String>,
    pub(crate) parameters: Parameters,
    pub(crate) outputs: Option<Vec<Tensor>>,
}

impl ResponseDocument {
    /// Reads a document that may hold an error instead of outputs.
    pub(crate) fn decode(document: &[u8]) -> std::result::Result<Self, DecodeError> {
        Self::read(document, None).map_err(|error| error.at_last())
    }

    fn read(document: &[u8], tail: Option<&[u8]>) -> Result<Self> {
        let mut reader = Reader::new(document, tail)?;
        let (mut error, mut model_name, mut model_version) = (None, None, None);
        let (mut id, mut parameters, mut outputs) = (None, None, None);
        reader.object("a response, which is an object", |reader, name| match name {
            "error" => fill(&mut error, || string(reader)),
            "model_name" => fill(&mut model_name, || string(reader)),
            "model_version" => fill(&mut model_version, || string(reader)),
            "id" => fill(&mut id, || string(reader)),
            "parameters" => fill(&mut parameters, || self::parameters(reader)),
            "outputs" => fill(&mut outputs, || tensors(reader)),
            _ => Err(unknown(RESPONSE_FIELDS)),
        })?;
        reader.finish()?;
        Ok(Self {
            error,
            model_name: model_name.ok_or_else(|| DecodeError::missing("model_name", A_STRING))?,
            model_version,
            id,
            parameters: parameters.unwrap_or_default(),
            outputs,
        })
    }
}

const SCORE_FIELDS: &str = "model_name, model_version, id, parameters, outputs, refusal or error";

/// A response as a scorer writes it who says in headers what it is about, or its refusal.
#[derive(Default)]
pub(crate) struct ScoreDocument {
    pub(crate) model_name: Option<String>,
    pub(crate) model_version: Option<String>,
    pub(crate) id: Option<String>,
    pub(crate) parameters: Parameters,
    pub(crate) outputs: Option<Vec<Tensor>>,
    /// A refusal with its kind, where it names one.
    pub(crate) refusal: Option<(Option<String>, String)>,
    pub(crate) error: Option<String>,
}

impl ScoreDocument {
    /// Reads a document in which nothing is required.
    pub(crate) fn decode(document: &[u8]) -> std::result::Result<Self, DecodeError> {
        Self::read(document).map_err(|error| error.at_last())
    }

    fn read(document: &[u8]) -> Result<Self> {
        let mut reader = Reader::new(document, None)?;
        let (mut score, mut parameters) = (Self::default(), None);
        reader.object("a score, which is an object", |reader, name| match name {
            "model_name" => fill(&mut score.model_name, || string(reader)),
            "model_version" => fill(&mut score.model_version, || string(reader)),
            "id" => fill(&mut score.id, || string(reader)),
            "parameters" => fill(&mut parameters, || self::parameters(reader)),
            "outputs" => fill(&mut score.outputs, || tensors(reader)),
            "refusal" => fill(&mut score.refusal, || refusal(reader)),
            "error" => fill(&mut score.error, || string(reader)),
            _ => Err(unknown(SCORE_FIELDS)),
        })?;
        reader.finish()?;
        Ok(Self { parameters: parameters.unwrap_or_default(), ..score })
    }
}

fn refusal(reader: &mut Reader<'_>) -> Result<(Option<String>, String)> {
    if reader.peek() == Some(b'"') {
        return string(reader).map(|message| (None, message));
    }
    let (mut kind, mut message) = (None, None);
    reader.object("a string, or an object", |reader, field| match field {
        "kind" => fill(&mut kind, || string(reader)),
        "message" => fill(&mut message, || string(reader)),
        _ => Err(unknown("kind or message")),
    })?;
    Ok((kind, message.ok_or_else(|| DecodeError::missing("message", A_STRING))?))
}

/// Reads the value of a field that may be there once.
fn fill<T>(field: &mut Option<T>, read: impl FnOnce() -> Result<T>) -> Result<()> {
    if field.is_some() {
        return Err(DecodeError::here("this field again", "it once"));
    }
    *field = Some(read()?);
    Ok(())
}

fn string(reader: &mut Reader<'_>) -> Result<String> {
    reader.value(A_STRING, Reader::string).map(Into::into)
}

fn requested_outputs(reader: &mut Reader<'_>) -> Result<Vec<RequestedOutput>> {
    let mut outputs = Vec::new();
    reader.list("a list of outputs", |reader, _| {
        outputs.push(requested_output(reader)?);
        Ok(())
    })?;
    refuse_namesakes(&outputs, |output| &output.name)?;
    Ok(outputs)
}

fn requested_output(reader: &mut Reader<'_>) -> Result<RequestedOutput> {
    let (mut name, mut parameters) = (None, None);
    reader.object("an output, which is an object", |reader, field| match field {
        "name" => fill(&mut name, || string(reader)),
        "parameters" => fill(&mut parameters, || self::parameters(reader)),
        _ => Err(unknown("name or parameters")),
    })?;
    Ok(RequestedOutput {
        name: name.ok_or_else(|| DecodeError::missing("name", A_STRING))?,
        parameters: parameters.unwrap_or_default(),
    })
}

fn tensors(reader: &mut Reader<'_>) -> Result<Vec<Tensor>> {
    let mut tensors = Vec::with_capacity((reader.remaining() / USUAL_TENSOR_BYTES).min(FEW_NAMES));
    reader.list(TENSORS, |reader, _| {
        tensors.push(TensorDraft::read(reader)?);
        Ok(())
    })?;
    refuse_namesakes(&tensors, |tensor| &tensor.name)?;
    Ok(tensors)
}

/// The fields of a tensor as far as they have come: the protocol leaves their order open.
#[derive(Default)]
struct TensorDraft<'a> {
    name: Option<Cow<'a, str>>,
    datatype: Option<Datatype>,
    shape: Option<Vec<u32>>,
    parameters: Option<Parameters>,
    data: Option<Data>,
}

enum Data {
    Contents(Contents),
    /// Where `data` begins, because not all was known that it takes to read it.
    Position(usize),
}

impl<'a> TensorDraft<'a> {
    fn read(reader: &mut Reader<'a>) -> Result<Tensor> {
        let mut draft = Self::default();
        reader.object("a tensor, which is an object", |reader, field| match field {
            "name" => fill(&mut draft.name, || reader.value(A_STRING, Reader::string)),
            "datatype" => fill(&mut draft.datatype, || datatype(reader)),
            "shape" => fill(&mut draft.shape, || shape(reader)),
            "parameters" => fill(&mut draft.parameters, || parameters(reader)),
            "data" => {
                let data = draft.data(reader)?;
                fill(&mut draft.data, || Ok(data))
            }
            _ => Err(unknown("name, shape, datatype, parameters or data")),
        })?;
        draft.finish(reader)
    }

    fn data(&self, reader: &mut Reader<'_>) -> Result<Data> {
        match (self.datatype, &self.shape) {
            // What `BYTES` are is known when the parameters are.
            (Some(datatype), Some(shape))
                if datatype != Datatype::Text || self.parameters.is_some() =>
            {
                let datatype = exact(datatype, self.parameters.as_ref());
                elements::contents(reader, datatype, shape).map(Data::Contents)
            }
            _ => {
                let position = reader.position();
                reader.skip().map(|()| Data::Position(position))
            }
        }
    }

    fn finish(mut self, reader: &mut Reader<'_>) -> Result<Tensor> {
        let missing = DecodeError::missing;
        let name = self.name.ok_or_else(|| missing("name", A_STRING))?;
        let shape = self.shape.ok_or_else(|| missing("shape", A_SHAPE))?;
        let datatype = self.datatype.ok_or_else(|| missing("datatype", A_DATATYPE))?;
        let datatype = exact(datatype, self.parameters.as_ref());
        let in_binary = binary_data_size(reader, &mut self.parameters)?;
        let contents = match (self.data, in_binary) {
            (None, None) => return Err(missing("data", "a list")),
            (Some(_), Some(_)) => {
                let error = DecodeError::here("elements beside binary_data_size", "one of them");
                return Err(error.in_field("data"));
            }
            (None, Some(size)) => binary(reader, size, datatype, &shape)?,
            (Some(Data::Contents(contents)), None) => contents,
            (Some(Data::Position(position)), None) => {
                let end = reader.position();
                reader.go_to(position);
                let contents = elements::contents(reader, datatype, &shape);
                reader.go_to(end);
                contents.map_err(|error| error.in_field("data"))?
            }
        };
        let mut parameters = self.parameters.unwrap_or_default();
        if datatype == Datatype::Blob {
            parameters.remove("content_type");
        }
        Ok(Tensor { name: name.into(), shape, contents, parameters })
    }
}

/// Takes the size of a tensor's elements behind the document, if they are there.
fn binary_data_size(
    reader: &Reader<'_>,
    parameters: &mut Option<Parameters>,
) -> Result<Option<u64>> {
    let parameters = parameters.as_mut().filter(|_| reader.has_tail());
    let wrong = |found: String| {
        let error = DecodeError::here(found, "a whole number of bytes from 0");
        error.in_field(BINARY_DATA_SIZE).in_field("parameters")
    };
    match parameters.and_then(|parameters| parameters.remove(BINARY_DATA_SIZE)) {
        None => Ok(None),
        Some(Parameter::Int(size)) => {
            size.try_into().map(Some).map_err(|_| wrong(size.to_string()))
        }
        Some(Parameter::Uint(size)) => Ok(Some(size)),
        Some(Parameter::Float(found)) => Err(wrong(found.to_string())),
        Some(Parameter::Bool(found)) => Err(wrong(found.to_string())),
        Some(Parameter::Text(_)) => Err(wrong("a string".to_owned())),
    }
}

fn binary(
    reader: &mut Reader<'_>,
    size: u64,
    datatype: Datatype,
    shape: &[u32],
) -> Result<Contents> {
    let contents = reader.take_tail(size).and_then(|bytes| raw::decode(bytes, datatype, shape));
    contents.map_err(|error| error.in_field(BINARY_DATA_SIZE).in_field("parameters"))
}

/// Tells the two sorts of `BYTES` apart.
pub(super) fn exact(datatype: Datatype, parameters: Option<&Parameters>) -> Datatype {
    let content_type = parameters.and_then(|parameters| parameters.get("content_type"));
    match (datatype, content_type) {
        (Datatype::Text, Some(Parameter::Text(text))) if text == "base64" => Datatype::Blob,
        _ => datatype,
    }
}

const A_DATATYPE: &str = "a datatype such as FP32 or BYTES";
const A_SHAPE: &str = "a list of lengths";

fn datatype(reader: &mut Reader<'_>) -> Result<Datatype> {
    let name = reader.value(A_DATATYPE, Reader::string)?;
    Datatype::from_wire_name(&name)
        .ok_or_else(|| DecodeError::here(format!("`{}`", excerpt(&name)), A_DATATYPE))
}

fn shape(reader: &mut Reader<'_>) -> Result<Vec<u32>> {
    let mut shape = Vec::new();
    reader.list(A_SHAPE, |reader, dimension| {
        if dimension == RANK_LIMIT {
            let expected = format!("at most {RANK_LIMIT}");
            return Err(DecodeError::here("one more dimension", expected));
        }
        shape.push(reader.value("a length from 0 to 4294967295", integer)?);
        Ok(())
    })?;
    Ok(shape)
}

fn parameters(reader: &mut Reader<'_>) -> Result<Parameters> {
    let mut parameters = Parameters::new();
    reader.object(PARAMETERS, |reader, name| match parameters.entry(name.to_owned()) {
        Entry::Occupied(_) => Err(DecodeError::here("this parameter again", "it once")),
        Entry::Vacant(entry) => {
            entry.insert(reader.value("a string, a number, true or false", parameter)?);
            Ok(())
        }
    })?;
    Ok(parameters)
}

fn parameter(reader: &mut Reader<'_>) -> Option<Parameter> {
    match reader.peek()? {
        b'"' => reader.string().map(|text| Parameter::Text(text.into())),
        b't' | b'f' => reader.boolean().map(Parameter::Bool),
        _ => {
            let number = reader.number()?;
            let int = number.integer().map(Parameter::Int);
            let whole = int.or_else(|| number.integer().map(Parameter::Uint));
            whole.or_else(|| number.binary64().map(Parameter::Float))
        }
    }
}

/// Refuses a list in which two have the same name.
pub(super) fn refuse_namesakes<T>(them: &[T], name: impl Fn(&T) -> &str) -> Result<()> {
    let second = if them.len() <= FEW_NAMES {
        (1..them.len())
            .find(|&index| them[..index].iter().any(|earlier| name(earlier) == name(&them[index])))
    } else {
        let mut names = HashSet::with_capacity(them.len());
        them.iter().position(|one| !names.insert(name(one)))
    };
    match second {
        None => Ok(()),
        Some(index) => {
            let found = format!("`{}` again", excerpt(name(&them[index])));
            Err(DecodeError::here(found, "names that differ").in_field("name").in_element(index))
        }
    }
}

#[cold]
fn unknown(known: &str) -> Box<DecodeError> {
    DecodeError::here("an unknown field", known)
}

#[cfg(test)]
mod tests;
