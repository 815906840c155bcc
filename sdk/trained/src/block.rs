//! Blocks: the values that steps hand to each other.

use serde::{Deserialize, Serialize};

/// Values of some rows, row after row. Every row has `width` of them.
#[derive(Debug, Clone, PartialEq)]
pub struct Block {
    /// How many values a row has.
    pub width: usize,
    /// The values: as many as rows times `width`.
    pub values: Values,
}

/// The values of a [`Block`], which are all of one type.
#[derive(Debug, Clone, PartialEq)]
pub enum Values {
    /// Numbers of double precision.
    F64(Vec<f64>),
    /// Numbers of single precision.
    F32(Vec<f32>),
    /// Whole numbers.
    I64(Vec<i64>),
    /// Texts, exactly as they came.
    Text(Vec<String>),
}

/// The type of the values of a block, as a reader knows it before there are any.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ValueType {
    /// Numbers of double precision.
    F64,
    /// Numbers of single precision.
    F32,
    /// Whole numbers.
    I64,
    /// Texts.
    Text,
}

impl Block {
    /// A block of numbers of double precision.
    pub fn f64(width: usize, values: Vec<f64>) -> Self {
        Self { width, values: Values::F64(values) }
    }

    /// A block of numbers of single precision.
    pub fn f32(width: usize, values: Vec<f32>) -> Self {
        Self { width, values: Values::F32(values) }
    }

    /// The type of the values.
    pub fn value_type(&self) -> ValueType {
        match self.values {
            Values::F64(_) => ValueType::F64,
            Values::F32(_) => ValueType::F32,
            Values::I64(_) => ValueType::I64,
            Values::Text(_) => ValueType::Text,
        }
    }
}
