//! Numbers of either precision: what steps have learnt, and the arithmetic that they share.

use std::ops::{Add, Div, Mul, Neg, Sub};

use serde::{Deserialize, Serialize};

use super::Shape;
use super::lanes::{Doubles, Lanes, Singles};
use crate::block::{Block, ValueType, Values};

/// Numbers that a step has learnt. Their type is that of the blocks that it works on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Numbers {
    /// Of double precision.
    F64(#[serde(with = "crate::packed")] Vec<f64>),
    /// Of single precision.
    F32(#[serde(with = "crate::packed")] Vec<f32>),
}

impl Numbers {
    /// How many there are.
    pub fn len(&self) -> usize {
        match self {
            Self::F64(values) => values.len(),
            Self::F32(values) => values.len(),
        }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Their type.
    pub fn value_type(&self) -> ValueType {
        match self {
            Self::F64(_) => ValueType::F64,
            Self::F32(_) => ValueType::F32,
        }
    }
}

/// A type of numbers.
pub(crate) trait Real:
    Copy
    + PartialOrd
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + Neg<Output = Self>
{
    const ZERO: Self;
    const ONE: Self;
    /// Some of them side by side.
    type Lanes: Lanes<Self>;

    /// For how many rows sums are formed at a time.
    const ROWS: usize;

    /// The numbers of a step, where they are of this type.
    fn learnt(numbers: &Numbers) -> Option<&[Self]>;

    /// The values of a block, where they are of this type.
    fn of(block: &Block) -> Option<&[Self]>;

    /// A block of such values.
    fn block(width: usize, values: Vec<Self>) -> Block;

    fn abs(self) -> Self;
    fn sqrt(self) -> Self;
    fn tanh(self) -> Self;
    fn is_nan(self) -> bool;
    fn from_count(count: usize) -> Self;
}

macro_rules! real {
    ($type:ident, $case:ident, $lanes:ident, $tanh:path) => {
        impl Real for $type {
            const ZERO: Self = 0.0;
            const ONE: Self = 1.0;
            const ROWS: usize = 16 / size_of::<Self>();
            type Lanes = $lanes;

            fn learnt(numbers: &Numbers) -> Option<&[Self]> {
                match numbers {
                    Numbers::$case(values) => Some(values),
                    _ => None,
                }
            }

            fn of(block: &Block) -> Option<&[Self]> {
                match &block.values {
                    Values::$case(values) => Some(values),
                    _ => None,
                }
            }

            fn block(width: usize, values: Vec<Self>) -> Block {
                Block::$type(width, values)
            }

            fn abs(self) -> Self {
                self.abs()
            }

            fn sqrt(self) -> Self {
                self.sqrt()
            }

            fn tanh(self) -> Self {
                $tanh(self)
            }

            fn is_nan(self) -> bool {
                self.is_nan()
            }

            fn from_count(count: usize) -> Self {
                count as Self
            }
        }
    };
}

real!(f64, F64, Doubles, libm::tanh);
real!(f32, F32, Singles, libm::tanhf);

/// The one block of numbers that a step takes, or what is wrong with its inputs.
pub(super) fn one_of_numbers(step: &str, inputs: &[Shape]) -> Result<Shape, String> {
    match inputs {
        [input] if matches!(input.values, ValueType::F64 | ValueType::F32) => Ok(*input),
        _ => Err(format!("{step} takes one block of F64 or F32, found {inputs:?}")),
    }
}

/// Fails unless as many numbers were learnt as the step needs, of the type that it works on.
pub(super) fn expect(
    step: &str,
    found: &Numbers,
    input: Shape,
    count: usize,
) -> Result<(), String> {
    if found.value_type() == input.values && found.len() == count {
        return Ok(());
    }
    Err(format!(
        "{step} has learnt {} numbers of {:?}, and needs {count} of {:?}",
        found.len(),
        found.value_type(),
        input.values
    ))
}
