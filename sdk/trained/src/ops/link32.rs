//! Links in single precision, as XGBoost has them.

use serde::{Deserialize, Serialize};

use super::Shape;
use crate::block::{Block, ValueType, Values};

/// Turns the raw scores of a row into predictions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Link32 {
    /// `1 / (1 + exp(-x))` for each value, where no more than 88.7 is given to `exp`.
    Sigmoid,
    /// Exponentials of the row, divided by their sum, which is one of double precision. The greatest is subtracted first.
    Softmax,
    /// `exp(x)`.
    Exp,
    /// 1 for what is above zero, and else 0.
    Hinge,
}

impl Link32 {
    pub(crate) fn check(self, inputs: &[Shape]) -> Result<Shape, String> {
        match inputs {
            [input] if input.values == ValueType::F32 && input.width > 0 => Ok(*input),
            _ => Err(format!("{self:?} takes one block of F32, found {inputs:?}")),
        }
    }

    pub(crate) fn run(self, inputs: &[&Block]) -> Block {
        let Values::F32(values) = &inputs[0].values else { unreachable!("checked: F32") };
        let width = inputs[0].width;
        let mut values = values.clone();
        match self {
            Self::Sigmoid => values.iter_mut().for_each(|value| *value = sigmoid(*value)),
            Self::Softmax => values.chunks_exact_mut(width).for_each(softmax),
            Self::Exp => values.iter_mut().for_each(|value| *value = exp(*value)),
            Self::Hinge => {
                values.iter_mut().for_each(|value| *value = f32::from(u8::from(*value > 0.0)));
            }
        }
        Block::f32(width, values)
    }
}

/// The exponential, rounded once: of double precision, it is nearer than those of single precision are to each other.
fn exp(value: f32) -> f32 {
    libm::exp(f64::from(value)) as f32
}

fn sigmoid(value: f32) -> f32 {
    // Not `min`, which would make a number of what is none.
    let turned = if -value > 88.7 { 88.7 } else { -value };
    1.0 / (exp(turned) + 1.0)
}

fn softmax(row: &mut [f32]) {
    let greatest = row.iter().copied().fold(row[0], f32::max);
    let mut sum = 0.0;
    for value in row.iter_mut() {
        *value = exp(*value - greatest);
        sum += f64::from(*value);
    }
    for value in row {
        *value /= sum as f32;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scores_become_predictions() {
        let run = |link: Link32, values: &[f32]| link.run(&[&Block::f32(2, values.to_vec())]);
        assert_eq!(run(Link32::Sigmoid, &[0.0, -200.0]), Block::f32(2, vec![0.5, 3.006_636e-39]));
        assert_eq!(run(Link32::Softmax, &[90.0, 90.0]), Block::f32(2, vec![0.5, 0.5]));
        assert_eq!(run(Link32::Exp, &[0.0, 100.0]), Block::f32(2, vec![1.0, f32::INFINITY]));
        assert_eq!(run(Link32::Hinge, &[0.0, 1.0e-30]), Block::f32(2, vec![0.0, 1.0]));
    }
}
