//! Reads `data`, flat or nested, into contents of one datatype.

use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use half::{bf16, f16};

use super::error::DecodeError;
use super::reader::{Reader, Result};
use crate::{Contents, Datatype, Tensor};

/// Reads `data` as `datatype`, and as many elements as `shape` asks for.
pub(super) fn contents(
    reader: &mut Reader<'_>,
    datatype: Datatype,
    shape: &[u32],
) -> Result<Contents> {
    let mut data = Data { reader, shape, expected: an_element_of(datatype) };
    Ok(match datatype {
        Datatype::Bool => Contents::Bools(data.read(boolean)?),
        Datatype::Uint8 => Contents::U8s(data.read(integer)?),
        Datatype::Uint16 => Contents::U16s(data.read(integer)?),
        Datatype::Uint32 => Contents::U32s(data.read(integer)?),
        Datatype::Uint64 => Contents::U64s(data.read(integer)?),
        Datatype::Int8 => Contents::S8s(data.read(integer)?),
        Datatype::Int16 => Contents::S16s(data.read(integer)?),
        Datatype::Int32 => Contents::S32s(data.read(integer)?),
        Datatype::Int64 => Contents::S64s(data.read(integer)?),
        Datatype::Fp16 => Contents::F16s(data.read(binary16)?),
        Datatype::Bf16 => Contents::Bf16s(data.read(brain16)?),
        Datatype::Fp32 => Contents::F32s(data.read(binary32)?),
        Datatype::Fp64 => Contents::F64s(data.read(binary64)?),
        Datatype::Text => Contents::Texts(data.read(text)?),
        Datatype::Blob => Contents::Blobs(data.read(blob)?),
    })
}

const fn an_element_of(datatype: Datatype) -> &'static str {
    match datatype {
        Datatype::Bool => "true or false of BOOL",
        Datatype::Uint8 => "an integer of UINT8",
        Datatype::Uint16 => "an integer of UINT16",
        Datatype::Uint32 => "an integer of UINT32",
        Datatype::Uint64 => "an integer of UINT64",
        Datatype::Int8 => "an integer of INT8",
        Datatype::Int16 => "an integer of INT16",
        Datatype::Int32 => "an integer of INT32",
        Datatype::Int64 => "an integer of INT64",
        Datatype::Fp16 => "a number of FP16",
        Datatype::Bf16 => "a number of BF16",
        Datatype::Fp32 => "a number of FP32",
        Datatype::Fp64 => "a number of FP64",
        Datatype::Text => "a string of BYTES",
        Datatype::Blob => "a string of BYTES in base64",
    }
}

/// A value of `data` that is about to be read.
struct Data<'r, 'a> {
    reader: &'r mut Reader<'a>,
    shape: &'r [u32],
    expected: &'static str,
}

impl Data<'_, '_> {
    fn read<T>(&mut self, read: impl Fn(&mut Reader<'_>) -> Option<T> + Copy) -> Result<Vec<T>> {
        let Self { reader, shape, expected } = self;
        let count = Tensor::element_count(shape).ok_or_else(|| too_many(shape))?;
        // A shape is a claim: no more is set aside than the rest of the document can hold.
        let mut elements = Vec::with_capacity(count.min(reader.remaining() / 2));
        let (length, inner) = match shape {
            [length, inner @ ..] if !inner.is_empty() && is_nested(reader) => {
                (*length as usize, inner)
            }
            _ => (count, &[][..]),
        };
        Level { elements: &mut elements, expected, read }.fill(reader, length, inner)?;
        Ok(elements)
    }
}

/// Where the elements go, and how one is read.
struct Level<'l, T, R> {
    elements: &'l mut Vec<T>,
    expected: &'l str,
    read: R,
}

impl<T, R: Fn(&mut Reader<'_>) -> Option<T> + Copy> Level<'_, T, R> {
    /// Reads a list of `length` elements, or of as many lists of the shape `inner`.
    fn fill(&mut self, reader: &mut Reader<'_>, length: usize, inner: &[u32]) -> Result<()> {
        let mut room = length;
        let count = reader.list("a list", |reader, _| {
            room = room.checked_sub(1).ok_or_else(|| one_too_many(length))?;
            match inner {
                [] => {
                    let element = reader.value(self.expected, self.read)?;
                    self.elements.push(element);
                    Ok(())
                }
                [next, inner @ ..] => self.fill(reader, *next as usize, inner),
            }
        })?;
        if count == length { Ok(()) } else { Err(too_few(count, length)) }
    }
}

/// Whether the list that comes next begins with a list.
fn is_nested(reader: &mut Reader<'_>) -> bool {
    let start = reader.position();
    let nested = reader.take(b'[') && reader.peek() == Some(b'[');
    reader.go_to(start);
    nested
}

/// A whole number that fits.
#[inline]
pub(super) fn integer<T: TryFrom<i128> + FromStr>(reader: &mut Reader<'_>) -> Option<T> {
    reader.number()?.integer()
}

#[inline]
fn boolean(reader: &mut Reader<'_>) -> Option<bool> {
    reader.boolean()
}

#[inline]
fn binary32(reader: &mut Reader<'_>) -> Option<f32> {
    match reader.number() {
        Some(number) => number.binary32(),
        None => not_finite(reader).map(|value| value as f32),
    }
}

#[inline]
fn binary64(reader: &mut Reader<'_>) -> Option<f64> {
    match reader.number() {
        Some(number) => number.binary64(),
        None => not_finite(reader),
    }
}

fn binary16(reader: &mut Reader<'_>) -> Option<u16> {
    let wide = binary64(reader)?;
    let narrow = f16::from_f64(wide);
    (narrow.is_finite() == wide.is_finite()).then_some(narrow.to_bits())
}

fn brain16(reader: &mut Reader<'_>) -> Option<u16> {
    let wide = binary64(reader)?;
    let narrow = bf16::from_f64(wide);
    (narrow.is_finite() == wide.is_finite()).then_some(narrow.to_bits())
}

fn not_finite(reader: &mut Reader<'_>) -> Option<f64> {
    match &*reader.string()? {
        "NaN" => Some(f64::NAN),
        "Infinity" => Some(f64::INFINITY),
        "-Infinity" => Some(f64::NEG_INFINITY),
        _ => None,
    }
}

fn text(reader: &mut Reader<'_>) -> Option<String> {
    reader.string().map(Into::into)
}

fn blob(reader: &mut Reader<'_>) -> Option<Vec<u8>> {
    STANDARD.decode(&*reader.string()?).ok()
}

#[cold]
fn too_many(shape: &[u32]) -> Box<DecodeError> {
    DecodeError::here(format!("the shape {shape:?}"), "one whose elements can be counted")
}

#[cold]
fn one_too_many(length: usize) -> Box<DecodeError> {
    DecodeError::here("an element too many", format!("{length} by the shape"))
}

#[cold]
fn too_few(found: usize, length: usize) -> Box<DecodeError> {
    let plural = if found == 1 { "" } else { "s" };
    DecodeError::here(format!("{found} element{plural}"), format!("{length} by the shape"))
}
