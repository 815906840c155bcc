//! Tensors as bytes: little-endian, in row-major order, as binary REST and gRPC carry them.
//!
//! `BYTES` are each a length of four bytes and that many bytes. Whether they are texts is not said
//! on the wire: they are if all of them are UTF-8 and nobody says that they are blobs.

use super::error::DecodeError;
use super::reader::Result;
use crate::{Contents, Datatype, Tensor};

/// Reads the elements that `shape` asks for. What it allocates is bounded by `bytes`.
pub(super) fn decode(bytes: &[u8], datatype: Datatype, shape: &[u32]) -> Result<Contents> {
    let count = Tensor::element_count(shape).ok_or_else(|| uncountable(shape))?;
    if matches!(datatype, Datatype::Text | Datatype::Blob) {
        return strings(bytes, count, datatype == Datatype::Blob);
    }
    if count.checked_mul(element_bytes(datatype)) != Some(bytes.len()) {
        return Err(wrong_size(bytes.len(), datatype, shape));
    }
    Ok(match datatype {
        Datatype::Bool => Contents::Bools(bools(bytes)?),
        Datatype::Uint8 => Contents::U8s(bytes.to_vec()),
        Datatype::Uint16 => Contents::U16s(each(bytes, u16::from_le_bytes)),
        Datatype::Uint32 => Contents::U32s(each(bytes, u32::from_le_bytes)),
        Datatype::Uint64 => Contents::U64s(each(bytes, u64::from_le_bytes)),
        Datatype::Int8 => Contents::S8s(each(bytes, i8::from_le_bytes)),
        Datatype::Int16 => Contents::S16s(each(bytes, i16::from_le_bytes)),
        Datatype::Int32 => Contents::S32s(each(bytes, i32::from_le_bytes)),
        Datatype::Int64 => Contents::S64s(each(bytes, i64::from_le_bytes)),
        Datatype::Fp16 => Contents::F16s(each(bytes, u16::from_le_bytes)),
        Datatype::Bf16 => Contents::Bf16s(each(bytes, u16::from_le_bytes)),
        Datatype::Fp32 => Contents::F32s(each(bytes, f32::from_le_bytes)),
        Datatype::Fp64 => Contents::F64s(each(bytes, f64::from_le_bytes)),
        Datatype::Text | Datatype::Blob => unreachable!("invariant: read above"),
    })
}

/// Writes the elements behind what `out` already holds.
pub(super) fn encode(contents: &Contents, out: &mut Vec<u8>) {
    out.reserve(len(contents));
    match contents {
        Contents::Bools(them) => out.extend(them.iter().map(|&it| u8::from(it))),
        Contents::U8s(them) => out.extend_from_slice(them),
        Contents::U16s(them) | Contents::F16s(them) | Contents::Bf16s(them) => {
            out.extend(them.iter().flat_map(|it| it.to_le_bytes()));
        }
        Contents::U32s(them) => out.extend(them.iter().flat_map(|it| it.to_le_bytes())),
        Contents::U64s(them) => out.extend(them.iter().flat_map(|it| it.to_le_bytes())),
        Contents::S8s(them) => out.extend(them.iter().flat_map(|it| it.to_le_bytes())),
        Contents::S16s(them) => out.extend(them.iter().flat_map(|it| it.to_le_bytes())),
        Contents::S32s(them) => out.extend(them.iter().flat_map(|it| it.to_le_bytes())),
        Contents::S64s(them) => out.extend(them.iter().flat_map(|it| it.to_le_bytes())),
        Contents::F32s(them) => out.extend(them.iter().flat_map(|it| it.to_le_bytes())),
        Contents::F64s(them) => out.extend(them.iter().flat_map(|it| it.to_le_bytes())),
        Contents::Texts(them) => them.iter().for_each(|it| string(it.as_bytes(), out)),
        Contents::Blobs(them) => them.iter().for_each(|it| string(it, out)),
    }
}

/// How many bytes [`encode`] writes.
pub(super) fn len(contents: &Contents) -> usize {
    match contents {
        Contents::Texts(them) => them.iter().map(|it| LENGTH_BYTES + it.len()).sum(),
        Contents::Blobs(them) => them.iter().map(|it| LENGTH_BYTES + it.len()).sum(),
        numbers => numbers.len() * element_bytes(numbers.datatype()),
    }
}

/// Elements of `BYTES` as they come: texts as long as all of them are UTF-8.
pub(super) struct Strings(Contents);

impl Strings {
    /// None yet, with room for `capacity`.
    pub(super) fn new(is_blob: bool, capacity: usize) -> Self {
        Self(if is_blob {
            Contents::Blobs(Vec::with_capacity(capacity))
        } else {
            Contents::Texts(Vec::with_capacity(capacity))
        })
    }

    /// Adds one more.
    pub(super) fn push(&mut self, bytes: &[u8]) {
        if let Contents::Texts(texts) = &mut self.0 {
            if let Ok(text) = str::from_utf8(bytes) {
                return texts.push(text.to_owned());
            }
            let blobs = std::mem::take(texts).into_iter().map(String::into_bytes);
            self.0 = Contents::Blobs(blobs.collect());
        }
        if let Contents::Blobs(blobs) = &mut self.0 {
            blobs.push(bytes.to_vec());
        }
    }

    /// How many there are.
    pub(super) const fn len(&self) -> usize {
        self.0.len()
    }

    /// All of them.
    pub(super) fn finish(self) -> Contents {
        self.0
    }
}

const LENGTH_BYTES: usize = 4;

const fn element_bytes(datatype: Datatype) -> usize {
    match datatype {
        Datatype::Bool | Datatype::Uint8 | Datatype::Int8 => 1,
        Datatype::Uint16 | Datatype::Int16 | Datatype::Fp16 | Datatype::Bf16 => 2,
        Datatype::Uint32 | Datatype::Int32 | Datatype::Fp32 => 4,
        Datatype::Uint64 | Datatype::Int64 | Datatype::Fp64 => 8,
        Datatype::Text | Datatype::Blob => 0,
    }
}

fn each<T, const N: usize>(bytes: &[u8], read: impl Fn([u8; N]) -> T) -> Vec<T> {
    let (elements, _) = bytes.as_chunks::<N>();
    elements.iter().map(|element| read(*element)).collect()
}

fn bools(bytes: &[u8]) -> Result<Vec<bool>> {
    let one = |(index, byte): (usize, &u8)| match byte {
        0 => Ok(false),
        1 => Ok(true),
        other => Err(DecodeError::here(other, "0 or 1 of BOOL").in_element(index)),
    };
    bytes.iter().enumerate().map(one).collect()
}

fn strings(bytes: &[u8], count: usize, is_blob: bool) -> Result<Contents> {
    let mut strings = Strings::new(is_blob, count.min(bytes.len() / LENGTH_BYTES));
    let mut rest = bytes;
    while let Some((length, behind)) = rest.split_first_chunk::<LENGTH_BYTES>() {
        let length = u32::from_le_bytes(*length) as usize;
        let Some((element, behind)) = behind.split_at_checked(length) else {
            let found = format!("{} bytes for an element of {length}", behind.len());
            return Err(DecodeError::here(found, "all of it").in_element(strings.len()));
        };
        if strings.len() == count {
            return Err(DecodeError::here("an element too many", format!("{count} by the shape")));
        }
        strings.push(element);
        rest = behind;
    }
    match rest.len() {
        0 if strings.len() == count => Ok(strings.finish()),
        0 => Err(DecodeError::here(
            format!("{} elements of BYTES", strings.len()),
            format!("{count} by the shape"),
        )),
        left => {
            let found = format!("{left} bytes at the end");
            Err(DecodeError::here(found, "the four bytes of a length, or nothing"))
        }
    }
}

fn string(bytes: &[u8], out: &mut Vec<u8>) {
    let length = u32::try_from(bytes.len()).expect("invariant: no element is as large as 4 GiB");
    out.extend_from_slice(&length.to_le_bytes());
    out.extend_from_slice(bytes);
}

#[cold]
pub(super) fn uncountable(shape: &[u32]) -> Box<DecodeError> {
    DecodeError::here(format!("the shape {shape:?}"), "one whose elements can be counted")
}

#[cold]
fn wrong_size(found: usize, datatype: Datatype, shape: &[u32]) -> Box<DecodeError> {
    let count = Tensor::element_count(shape).unwrap_or_default();
    let expected = match count.checked_mul(element_bytes(datatype)) {
        Some(bytes) => format!("{bytes} for {datatype} {shape:?}"),
        None => format!("those of {datatype} {shape:?}"),
    };
    DecodeError::here(format!("{found} bytes"), expected)
}
