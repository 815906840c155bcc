//! Tensors of a graph: those that it holds, and the types that it declares.

use trained::ops::onnx::Constant;

use super::proto;
use crate::ReadError;

/// The type of the elements of a tensor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Element {
    F32,
    F64,
    F16,
    I64,
    I32,
    I8,
    U8,
    Bool,
    Text,
}

impl Element {
    /// The type of a number of ONNX.
    pub(super) fn of(number: i32, place: &str) -> Result<Self, ReadError> {
        Ok(match number {
            1 => Self::F32,
            2 => Self::U8,
            3 => Self::I8,
            6 => Self::I32,
            7 => Self::I64,
            8 => Self::Text,
            9 => Self::Bool,
            10 => Self::F16,
            11 => Self::F64,
            other => return Err(unsupported(place, &format!("the element type {}", name(other)))),
        })
    }
}

fn name(number: i32) -> String {
    const NAMES: [&str; 24] = [
        "UNDEFINED",
        "FLOAT",
        "UINT8",
        "INT8",
        "UINT16",
        "INT16",
        "INT32",
        "INT64",
        "STRING",
        "BOOL",
        "FLOAT16",
        "DOUBLE",
        "UINT32",
        "UINT64",
        "COMPLEX64",
        "COMPLEX128",
        "BFLOAT16",
        "FLOAT8E4M3FN",
        "FLOAT8E4M3FNUZ",
        "FLOAT8E5M2",
        "FLOAT8E5M2FNUZ",
        "UINT4",
        "INT4",
        "FLOAT4E2M1",
    ];
    let known = usize::try_from(number).ok().and_then(|number| NAMES.get(number));
    known.map_or_else(|| number.to_string(), ToString::to_string)
}

/// A tensor that the graph holds. Truth values and whole numbers of every size are whole numbers of 64 bits.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Tensor {
    pub(super) dims: Vec<usize>,
    pub(super) element: Element,
    pub(super) values: Constant,
}

impl Tensor {
    /// Reads a tensor of the file.
    pub(super) fn read(tensor: &proto::Tensor, place: &str) -> Result<Self, ReadError> {
        if tensor.data_location != 0 {
            return Err(ReadError::Unsupported {
                place: place.to_owned(),
                what: "a tensor in another file".to_owned(),
                hint: Some("save the model with all its data in one file".to_owned()),
            });
        }
        let element = Element::of(tensor.data_type, place)?;
        let malformed = |found: String| ReadError::Malformed {
            place: place.to_owned(),
            found,
            expected: format!("a tensor of shape {:?}", tensor.dims),
        };
        let dims: Result<Vec<usize>, _> =
            tensor.dims.iter().map(|length| usize::try_from(*length)).collect();
        let dims = dims.map_err(|_| malformed("a negative length".to_owned()))?;
        let count = dims.iter().try_fold(1_usize, |count, length| count.checked_mul(*length));
        let values = values(tensor, element)
            .ok_or_else(|| unsupported(place, &format!("a constant of {element:?}")))?;
        if count != Some(values.len()) {
            return Err(malformed(format!("{} values", values.len())));
        }
        Ok(Self { dims, element, values })
    }

    /// A row of whole numbers.
    pub(super) fn whole(values: Vec<i64>) -> Self {
        Self { dims: vec![values.len()], element: Element::I64, values: Constant::I64(values) }
    }
}

fn values(tensor: &proto::Tensor, element: Element) -> Option<Constant> {
    let raw = (!tensor.raw_data.is_empty()).then_some(&tensor.raw_data[..]);
    Some(match element {
        Element::F32 => Constant::F32(match raw {
            Some(raw) => chunks(raw).map(f32::from_le_bytes).collect(),
            None => tensor.float_data.clone(),
        }),
        Element::F64 => Constant::F64(match raw {
            Some(raw) => chunks(raw).map(f64::from_le_bytes).collect(),
            None => tensor.double_data.clone(),
        }),
        Element::I64 => Constant::I64(match raw {
            Some(raw) => chunks(raw).map(i64::from_le_bytes).collect(),
            None => tensor.int64_data.clone(),
        }),
        Element::I32 => Constant::I64(match raw {
            Some(raw) => chunks(raw).map(|it| i64::from(i32::from_le_bytes(it))).collect(),
            None => tensor.int32_data.iter().map(|it| i64::from(*it)).collect(),
        }),
        Element::Bool | Element::U8 => Constant::I64(match raw {
            Some(raw) => raw.iter().map(|it| i64::from(*it)).collect(),
            None => tensor.int32_data.iter().map(|it| i64::from(*it)).collect(),
        }),
        Element::I8 => Constant::I64(match raw {
            Some(raw) => raw.iter().map(|it| i64::from(*it as i8)).collect(),
            None => tensor.int32_data.iter().map(|it| i64::from(*it)).collect(),
        }),
        Element::Text => Constant::Text(texts(&tensor.string_data)?),
        Element::F16 => return None,
    })
}

/// The texts of a file, if all of them are UTF-8.
pub(super) fn texts(bytes: &[Vec<u8>]) -> Option<Vec<String>> {
    bytes.iter().map(|text| String::from_utf8(text.clone()).ok()).collect()
}

fn chunks<const N: usize>(raw: &[u8]) -> impl Iterator<Item = [u8; N]> {
    raw.as_chunks::<N>().0.iter().copied()
}

fn unsupported(place: &str, what: &str) -> ReadError {
    ReadError::Unsupported { place: place.to_owned(), what: what.to_owned(), hint: None }
}
