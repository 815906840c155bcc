//! Reads the messages of the protocol.

use std::collections::btree_map::Entry;

use super::super::decode::{exact, refuse_namesakes};
use super::super::error::{DecodeError, excerpt};
use super::super::raw::{self, Strings};
use super::super::reader::Result;
use super::super::{InferRequest, InferResponse, RANK_LIMIT, RequestedOutput};
use super::ProtobufRequest;
use super::wire::{Value, Wire};
use crate::{Contents, Datatype, Parameter, Parameters, Tensor};

pub(super) fn request(message: &[u8]) -> Result<ProtobufRequest> {
    let mut request = ProtobufRequest::default();
    let InferRequest { id, parameters, inputs, outputs } = &mut request.request;
    let mut raw = RawContents::of(message, 7)?;
    let mut wire = Wire(message);
    while let Some((field, value)) = wire.next()? {
        match field {
            1 => request.model_name = named("model_name", value.text())?.to_owned(),
            2 => request.model_version = named("model_version", value.text())?.to_owned(),
            3 => *id = text_if_any(named("id", value.text())?),
            4 => named("parameters", parameter(parameters, value))?,
            5 => {
                let input = raw.tensor(value);
                let index = inputs.len();
                inputs.push(input.map_err(|error| error.in_element(index).in_field("inputs"))?);
            }
            6 => {
                let index = outputs.len();
                let output = requested_output(value);
                outputs.push(output.map_err(|error| error.in_element(index).in_field("outputs"))?);
            }
            _ => {}
        }
    }
    named("raw_input_contents", raw.finish(inputs.len()))?;
    named("inputs", refuse_namesakes(inputs, |input| &input.name))?;
    named("outputs", refuse_namesakes(outputs, |output| &output.name))?;
    Ok(request)
}

pub(super) fn response(message: &[u8]) -> Result<InferResponse> {
    let mut response = InferResponse::default();
    let mut raw = RawContents::of(message, 6)?;
    let mut wire = Wire(message);
    while let Some((field, value)) = wire.next()? {
        match field {
            1 => response.model_name = named("model_name", value.text())?.to_owned(),
            2 => response.model_version = text_if_any(named("model_version", value.text())?),
            3 => response.id = text_if_any(named("id", value.text())?),
            4 => named("parameters", parameter(&mut response.parameters, value))?,
            5 => {
                let output = raw.tensor(value);
                let index = response.outputs.len();
                let output = output.map_err(|error| error.in_element(index).in_field("outputs"))?;
                response.outputs.push(output);
            }
            _ => {}
        }
    }
    named("raw_output_contents", raw.finish(response.outputs.len()))?;
    named("outputs", refuse_namesakes(&response.outputs, |output| &output.name))?;
    Ok(response)
}

fn named<T>(name: &str, result: Result<T>) -> Result<T> {
    result.map_err(|error| error.in_field(name))
}

/// Protobuf says nothing where a text is empty.
fn text_if_any(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

/// The raw contents of a message, one for each tensor. Read beside the tensors and in step with
/// them, so that nothing has to be kept of either.
struct RawContents<'a> {
    wire: Wire<'a>,
    field: u32,
    are_there: bool,
}

impl<'a> RawContents<'a> {
    fn of(message: &'a [u8], field: u32) -> Result<Self> {
        let mut raw = Self { wire: Wire(message), field, are_there: false };
        raw.are_there = raw.next()?.is_some();
        raw.wire = Wire(message);
        Ok(raw)
    }

    fn next(&mut self) -> Result<Option<&'a [u8]>> {
        while let Some((field, value)) = self.wire.next()? {
            if field == self.field {
                return value.bytes().map(Some);
            }
        }
        Ok(None)
    }

    /// Reads the next tensor.
    fn tensor(&mut self, value: Value<'_>) -> Result<Tensor> {
        let draft = Draft::read(value.bytes()?)?;
        if !self.are_there {
            return draft.with_contents();
        }
        match self.next()? {
            Some(bytes) => draft.with_raw(bytes),
            None => Err(DecodeError::here("no raw contents", "those of every tensor, or of none")),
        }
    }

    fn finish(mut self, tensors: usize) -> Result<()> {
        match self.next()? {
            None => Ok(()),
            Some(_) => {
                Err(DecodeError::here("one more", format!("{tensors}, one for each tensor")))
            }
        }
    }
}

/// A tensor whose elements are yet to be read.
struct Draft<'a> {
    name: &'a str,
    datatype: Datatype,
    shape: Vec<u32>,
    parameters: Parameters,
    contents: Option<&'a [u8]>,
}

const A_DATATYPE: &str = "a datatype such as FP32 or BYTES";

impl<'a> Draft<'a> {
    fn read(message: &'a [u8]) -> Result<Self> {
        let (mut name, mut datatype) = ("", None);
        let (mut shape, mut parameters, mut contents) = (Vec::new(), Parameters::new(), None);
        let mut wire = Wire(message);
        while let Some((field, value)) = wire.next()? {
            match field {
                1 => name = named("name", value.text())?,
                2 => datatype = Some(named("datatype", self::datatype(value))?),
                3 => named("shape", lengths(&mut shape, value))?,
                4 => named("parameters", parameter(&mut parameters, value))?,
                5 if contents.is_some() => {
                    let error = DecodeError::here("this field again", "it once");
                    return Err(error.in_field("contents"));
                }
                5 => contents = Some(named("contents", value.bytes())?),
                _ => {}
            }
        }
        if name.is_empty() {
            return Err(DecodeError::missing("name", "a string"));
        }
        let datatype = datatype.ok_or_else(|| DecodeError::missing("datatype", A_DATATYPE))?;
        let datatype = exact(datatype, Some(&parameters));
        if datatype == Datatype::Blob {
            parameters.remove("content_type");
        }
        Ok(Self { name, datatype, shape, parameters, contents })
    }

    fn with_raw(self, bytes: &[u8]) -> Result<Tensor> {
        if self.contents.is_some_and(|contents| !contents.is_empty()) {
            let error = DecodeError::here("elements beside raw contents", "one of them");
            return Err(error.in_field("contents"));
        }
        let contents = named("raw", raw::decode(bytes, self.datatype, &self.shape))?;
        Ok(self.finish(contents))
    }

    fn with_contents(self) -> Result<Tensor> {
        let message = self.contents.unwrap_or_default();
        let contents = Elements { message, datatype: self.datatype, shape: &self.shape }.read();
        let contents = named("contents", contents)?;
        Ok(self.finish(contents))
    }

    fn finish(self, contents: Contents) -> Tensor {
        let Self { name, shape, parameters, .. } = self;
        Tensor { name: name.to_owned(), shape, contents, parameters }
    }
}

fn datatype(value: Value<'_>) -> Result<Datatype> {
    let name = value.text()?;
    Datatype::from_wire_name(name)
        .ok_or_else(|| DecodeError::here(format!("`{}`", excerpt(name)), A_DATATYPE))
}

/// Adds the lengths of a field of the shape: one, or some without tags between them.
fn lengths(shape: &mut Vec<u32>, value: Value<'_>) -> Result<()> {
    let mut one = |length: u64| {
        if shape.len() == RANK_LIMIT {
            return Err(DecodeError::here("one more dimension", format!("at most {RANK_LIMIT}")));
        }
        let found = length.cast_signed();
        let length = u32::try_from(found).map_err(|_| {
            DecodeError::here(found, "a length from 0 to 4294967295").in_element(shape.len())
        })?;
        shape.push(length);
        Ok(())
    };
    match value {
        Value::Bytes(packed) => {
            let mut packed = Wire(packed);
            while !packed.0.is_empty() {
                one(packed.varint()?)?;
            }
            Ok(())
        }
        value => one(value.varint()?),
    }
}

fn requested_output(value: Value<'_>) -> Result<RequestedOutput> {
    let (mut name, mut parameters) = ("", Parameters::new());
    let mut wire = Wire(value.bytes()?);
    while let Some((field, value)) = wire.next()? {
        match field {
            1 => name = named("name", value.text())?,
            2 => named("parameters", parameter(&mut parameters, value))?,
            _ => {}
        }
    }
    if name.is_empty() {
        return Err(DecodeError::missing("name", "a string"));
    }
    Ok(RequestedOutput { name: name.to_owned(), parameters })
}

/// Adds an entry of the map of parameters.
fn parameter(parameters: &mut Parameters, value: Value<'_>) -> Result<()> {
    let (mut name, mut found) = ("", None);
    let mut wire = Wire(value.bytes()?);
    while let Some((field, value)) = wire.next()? {
        match field {
            1 => name = value.text()?,
            2 => found = Some(value.bytes()?),
            _ => {}
        }
    }
    let value = named(name, parameter_value(found.unwrap_or_default()))?;
    match parameters.entry(name.to_owned()) {
        Entry::Occupied(_) => {
            Err(DecodeError::here("this parameter again", "it once").in_field(name))
        }
        Entry::Vacant(entry) => {
            entry.insert(value);
            Ok(())
        }
    }
}

fn parameter_value(message: &[u8]) -> Result<Parameter> {
    let mut parameter = None;
    let mut wire = Wire(message);
    while let Some((field, value)) = wire.next()? {
        parameter = Some(match (field, value) {
            (1, value) => Parameter::Bool(value.varint()? != 0),
            (2, value) => Parameter::Int(value.varint()?.cast_signed()),
            (3, value) => Parameter::Text(value.text()?.to_owned()),
            (4, Value::Fixed64(bytes)) => Parameter::Float(f64::from_le_bytes(bytes)),
            (4, value) => return Err(value.unexpected("a double")),
            (5, value) => {
                let value = value.varint()?;
                i64::try_from(value).map_or(Parameter::Uint(value), Parameter::Int)
            }
            _ => continue,
        });
    }
    parameter.ok_or_else(|| DecodeError::here("nothing", "a bool, a number or a string"))
}

/// The typed elements of a tensor.
struct Elements<'a> {
    message: &'a [u8],
    datatype: Datatype,
    shape: &'a [u32],
}

/// The fields of `InferTensorContents`, by their number.
const FIELDS: [&str; 9] = [
    "",
    "bool_contents",
    "int_contents",
    "int64_contents",
    "uint_contents",
    "uint64_contents",
    "fp32_contents",
    "fp64_contents",
    "bytes_contents",
];

impl<'a> Elements<'a> {
    fn read(self) -> Result<Contents> {
        let field = match self.datatype {
            Datatype::Bool => 1,
            Datatype::Int8 | Datatype::Int16 | Datatype::Int32 => 2,
            Datatype::Int64 => 3,
            Datatype::Uint8 | Datatype::Uint16 | Datatype::Uint32 => 4,
            Datatype::Uint64 => 5,
            Datatype::Fp32 => 6,
            Datatype::Fp64 => 7,
            Datatype::Text | Datatype::Blob => 8,
            Datatype::Fp16 | Datatype::Bf16 => {
                let found = format!("no raw contents of {}", self.datatype);
                return Err(DecodeError::here(found, "them, since contents have no field for it"));
            }
        };
        let signed = |value: u64| value.cast_signed();
        Ok(match self.datatype {
            Datatype::Bool => Contents::Bools(self.varints(field, |it| Some(it != 0))?),
            Datatype::Int8 => Contents::S8s(self.varints(field, |it| signed(it).try_into().ok())?),
            Datatype::Int16 => {
                Contents::S16s(self.varints(field, |it| signed(it).try_into().ok())?)
            }
            Datatype::Int32 => {
                Contents::S32s(self.varints(field, |it| signed(it).try_into().ok())?)
            }
            Datatype::Int64 => Contents::S64s(self.varints(field, |it| Some(signed(it)))?),
            Datatype::Uint8 => Contents::U8s(self.varints(field, |it| it.try_into().ok())?),
            Datatype::Uint16 => Contents::U16s(self.varints(field, |it| it.try_into().ok())?),
            Datatype::Uint32 => Contents::U32s(self.varints(field, |it| it.try_into().ok())?),
            Datatype::Uint64 => Contents::U64s(self.varints(field, Some)?),
            Datatype::Fp32 => Contents::F32s(self.fixed(field, f32::from_le_bytes)?),
            Datatype::Fp64 => Contents::F64s(self.fixed(field, f64::from_le_bytes)?),
            Datatype::Text | Datatype::Blob => self.strings(field)?,
            Datatype::Fp16 | Datatype::Bf16 => unreachable!("invariant: refused above"),
        })
    }

    /// Hands each value of the field to `one`, and refuses values of other fields.
    fn each(
        &self,
        expected: u32,
        mut one: impl FnMut(Value<'a>, usize) -> Result<()>,
    ) -> Result<()> {
        let count = self.count()?;
        let mut wire = Wire(self.message);
        while let Some((field, value)) = wire.next()? {
            let name = |field: u32| FIELDS.get(field as usize).copied();
            let Some(found) = name(field).filter(|name| !name.is_empty()) else { continue };
            if field != expected {
                let right = name(expected).unwrap_or_default();
                let error = DecodeError::here("elements", format!("{right} of {}", self.datatype));
                return Err(error.in_field(found));
            }
            named(found, one(value, count))?;
        }
        Ok(())
    }

    fn varints<T>(&self, field: u32, convert: impl Fn(u64) -> Option<T>) -> Result<Vec<T>> {
        let mut elements = self.room(1)?;
        self.each(field, |value, count| {
            let one = |elements: &mut Vec<T>, value: u64| {
                refuse_more(elements.len(), count)?;
                elements.push(convert(value).ok_or_else(|| {
                    let expected = format!("an integer of {}", self.datatype);
                    DecodeError::here(value.cast_signed(), expected).in_element(elements.len())
                })?);
                Ok(())
            };
            match value {
                Value::Bytes(packed) => {
                    let mut packed = Wire(packed);
                    while !packed.0.is_empty() {
                        one(&mut elements, packed.varint()?)?;
                    }
                    Ok(())
                }
                value => one(&mut elements, value.varint()?),
            }
        })?;
        self.complete(elements)
    }

    fn fixed<T, const N: usize>(&self, field: u32, read: impl Fn([u8; N]) -> T) -> Result<Vec<T>> {
        let mut elements = self.room(N)?;
        self.each(field, |value, count| {
            let packed = match &value {
                Value::Bytes(packed) => *packed,
                Value::Fixed32(alone) => &alone[..],
                Value::Fixed64(alone) => &alone[..],
                Value::Varint(_) => return Err(value.unexpected("elements")),
            };
            let (whole, rest) = packed.as_chunks::<N>();
            if !rest.is_empty() {
                let found = format!("{} bytes", packed.len());
                return Err(DecodeError::here(found, format!("elements of {N}")));
            }
            if whole.len() > count - elements.len() {
                return refuse_more(count, count);
            }
            elements.extend(whole.iter().map(|element| read(*element)));
            Ok(())
        })?;
        self.complete(elements)
    }

    fn strings(&self, field: u32) -> Result<Contents> {
        let room = self.count()?.min(self.message.len() / 2);
        let mut strings = Strings::new(self.datatype == Datatype::Blob, room);
        self.each(field, |value, count| {
            refuse_more(strings.len(), count)?;
            strings.push(value.bytes()?);
            Ok(())
        })?;
        refuse_fewer(strings.len(), self.count()?)?;
        Ok(strings.finish())
    }

    fn count(&self) -> Result<usize> {
        Tensor::element_count(self.shape).ok_or_else(|| raw::uncountable(self.shape))
    }

    /// A list with room for as many elements as there can be: a shape is a claim.
    fn room<T>(&self, element_bytes: usize) -> Result<Vec<T>> {
        Ok(Vec::with_capacity(self.count()?.min(self.message.len() / element_bytes)))
    }

    fn complete<T>(&self, elements: Vec<T>) -> Result<Vec<T>> {
        refuse_fewer(elements.len(), self.count()?)?;
        Ok(elements)
    }
}

fn refuse_more(found: usize, count: usize) -> Result<()> {
    if found < count {
        return Ok(());
    }
    Err(DecodeError::here("an element too many", format!("{count} by the shape")))
}

fn refuse_fewer(found: usize, count: usize) -> Result<()> {
    if found >= count {
        return Ok(());
    }
    let plural = if found == 1 { "" } else { "s" };
    Err(DecodeError::here(format!("{found} element{plural}"), format!("{count} by the shape")))
}
