//! Tensors: named arrays of one element type, as in the Open Inference Protocol.

use std::fmt;

use crate::Parameters;

/// A named array of any rank, its elements flat in row-major order.
#[derive(Debug, Clone, PartialEq)]
pub struct Tensor {
    /// The name, unique among its neighbours.
    pub name: String,
    /// The length of each dimension; empty for a scalar, which has one element.
    pub shape: Vec<u32>,
    /// The elements: as many as the product of `shape`.
    pub contents: Contents,
    /// What the sender wants known about this tensor.
    pub parameters: Parameters,
}

impl Tensor {
    /// A tensor without parameters.
    pub fn new(name: impl Into<String>, shape: impl Into<Vec<u32>>, contents: Contents) -> Self {
        Self { name: name.into(), shape: shape.into(), contents, parameters: Parameters::new() }
    }

    /// How many elements `shape` asks for, or `None` where that overflows.
    pub fn element_count(shape: &[u32]) -> Option<usize> {
        shape.iter().try_fold(1_usize, |count, &length| count.checked_mul(length as usize))
    }
}

/// The type of a tensor's elements.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Datatype {
    /// `BOOL`
    Bool,
    /// `UINT8`
    Uint8,
    /// `UINT16`
    Uint16,
    /// `UINT32`
    Uint32,
    /// `UINT64`
    Uint64,
    /// `INT8`
    Int8,
    /// `INT16`
    Int16,
    /// `INT32`
    Int32,
    /// `INT64`
    Int64,
    /// `FP16`: IEEE 754 binary16
    Fp16,
    /// `BF16`: the upper half of a binary32
    Bf16,
    /// `FP32`
    Fp32,
    /// `FP64`
    Fp64,
    /// `BYTES` that are UTF-8
    Text,
    /// `BYTES` that need not be UTF-8
    Blob,
}

impl Datatype {
    /// Every datatype, in the order of the contract.
    pub const ALL: [Self; 15] = [
        Self::Bool,
        Self::Uint8,
        Self::Uint16,
        Self::Uint32,
        Self::Uint64,
        Self::Int8,
        Self::Int16,
        Self::Int32,
        Self::Int64,
        Self::Fp16,
        Self::Bf16,
        Self::Fp32,
        Self::Fp64,
        Self::Text,
        Self::Blob,
    ];

    /// The name on the wire. [`Text`](Self::Text) and [`Blob`](Self::Blob) share `BYTES`.
    pub const fn wire_name(self) -> &'static str {
        match self {
            Self::Bool => "BOOL",
            Self::Uint8 => "UINT8",
            Self::Uint16 => "UINT16",
            Self::Uint32 => "UINT32",
            Self::Uint64 => "UINT64",
            Self::Int8 => "INT8",
            Self::Int16 => "INT16",
            Self::Int32 => "INT32",
            Self::Int64 => "INT64",
            Self::Fp16 => "FP16",
            Self::Bf16 => "BF16",
            Self::Fp32 => "FP32",
            Self::Fp64 => "FP64",
            Self::Text | Self::Blob => "BYTES",
        }
    }

    /// The datatype of a wire name; `BYTES` is [`Text`](Self::Text) until something says otherwise.
    pub fn from_wire_name(name: &str) -> Option<Self> {
        Some(match name {
            "BOOL" => Self::Bool,
            "UINT8" => Self::Uint8,
            "UINT16" => Self::Uint16,
            "UINT32" => Self::Uint32,
            "UINT64" => Self::Uint64,
            "INT8" => Self::Int8,
            "INT16" => Self::Int16,
            "INT32" => Self::Int32,
            "INT64" => Self::Int64,
            "FP16" => Self::Fp16,
            "BF16" => Self::Bf16,
            "FP32" => Self::Fp32,
            "FP64" => Self::Fp64,
            "BYTES" => Self::Text,
            _ => return None,
        })
    }
}

impl fmt::Display for Datatype {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.wire_name())
    }
}

/// The elements of a tensor: one case for each [`Datatype`].
#[derive(Debug, Clone, PartialEq)]
pub enum Contents {
    /// Elements of `BOOL`.
    Bools(Vec<bool>),
    /// Elements of `UINT8`.
    U8s(Vec<u8>),
    /// Elements of `UINT16`.
    U16s(Vec<u16>),
    /// Elements of `UINT32`.
    U32s(Vec<u32>),
    /// Elements of `UINT64`.
    U64s(Vec<u64>),
    /// Elements of `INT8`.
    S8s(Vec<i8>),
    /// Elements of `INT16`.
    S16s(Vec<i16>),
    /// Elements of `INT32`.
    S32s(Vec<i32>),
    /// Elements of `INT64`.
    S64s(Vec<i64>),
    /// Elements of `FP16`, as their bits.
    F16s(Vec<u16>),
    /// Elements of `BF16`, as their bits.
    Bf16s(Vec<u16>),
    /// Elements of `FP32`.
    F32s(Vec<f32>),
    /// Elements of `FP64`.
    F64s(Vec<f64>),
    /// Elements of `BYTES` that are UTF-8.
    Texts(Vec<String>),
    /// Elements of `BYTES` that need not be UTF-8.
    Blobs(Vec<Vec<u8>>),
}

impl Contents {
    /// The type of the elements.
    pub const fn datatype(&self) -> Datatype {
        match self {
            Self::Bools(_) => Datatype::Bool,
            Self::U8s(_) => Datatype::Uint8,
            Self::U16s(_) => Datatype::Uint16,
            Self::U32s(_) => Datatype::Uint32,
            Self::U64s(_) => Datatype::Uint64,
            Self::S8s(_) => Datatype::Int8,
            Self::S16s(_) => Datatype::Int16,
            Self::S32s(_) => Datatype::Int32,
            Self::S64s(_) => Datatype::Int64,
            Self::F16s(_) => Datatype::Fp16,
            Self::Bf16s(_) => Datatype::Bf16,
            Self::F32s(_) => Datatype::Fp32,
            Self::F64s(_) => Datatype::Fp64,
            Self::Texts(_) => Datatype::Text,
            Self::Blobs(_) => Datatype::Blob,
        }
    }

    /// How many elements there are.
    pub const fn len(&self) -> usize {
        match self {
            Self::Bools(them) => them.len(),
            Self::U8s(them) => them.len(),
            Self::U16s(them) | Self::F16s(them) | Self::Bf16s(them) => them.len(),
            Self::U32s(them) => them.len(),
            Self::U64s(them) => them.len(),
            Self::S8s(them) => them.len(),
            Self::S16s(them) => them.len(),
            Self::S32s(them) => them.len(),
            Self::S64s(them) => them.len(),
            Self::F32s(them) => them.len(),
            Self::F64s(them) => them.len(),
            Self::Texts(them) => them.len(),
            Self::Blobs(them) => them.len(),
        }
    }

    /// Whether there is no element.
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_datatype_is_found_by_its_wire_name() {
        for datatype in Datatype::ALL {
            let expected = if datatype == Datatype::Blob { Datatype::Text } else { datatype };
            assert_eq!(Datatype::from_wire_name(datatype.wire_name()), Some(expected));
        }
        assert_eq!(Datatype::from_wire_name("fp32"), None);
    }
}
