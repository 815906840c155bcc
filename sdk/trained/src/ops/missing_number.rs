//! The number that stands for a missing value.

use serde::{Deserialize, Serialize};

use super::Shape;
use crate::block::{Block, ValueType, Values};

/// Makes a missing value of a number that stands for one, in single precision: both zeros are one number.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct MissingNumber {
    /// The number.
    pub number: f32,
}

impl MissingNumber {
    pub(crate) fn check(self, inputs: &[Shape]) -> Result<Shape, String> {
        match inputs {
            [input] if input.values == ValueType::F32 => Ok(*input),
            _ => Err(format!("missing number takes one block of F32, found {inputs:?}")),
        }
    }

    pub(crate) fn run(self, inputs: &[&Block]) -> Block {
        let Values::F32(values) = &inputs[0].values else { unreachable!("checked: F32") };
        let missing = |value: &f32| if *value == self.number { f32::NAN } else { *value };
        Block::f32(inputs[0].width, values.iter().map(missing).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_becomes_a_missing_value() {
        let found =
            MissingNumber { number: 0.0 }.run(&[&Block::f32(2, vec![0.0, -0.0, 1.0, f32::NAN])]);
        let Values::F32(values) = found.values else { panic!("F32") };
        let missing: Vec<bool> = values.iter().map(|value| value.is_nan()).collect();
        assert_eq!(missing, [true, true, false, true]);
    }
}
