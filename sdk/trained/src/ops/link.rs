//! Links: what makes predictions of raw scores. Each does what one library does, in its order of operations.

use serde::{Deserialize, Serialize};

use super::Shape;
use crate::block::{Block, ValueType, Values};
use crate::exponential::exp;

/// Turns the raw scores of a row into predictions.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub enum Link {
    /// `1 / (1 + exp(-factor x))` for each value, in double precision.
    Sigmoid {
        /// What the score is multiplied by.
        factor: f64,
    },
    /// Exponentials of the row, divided by their sum, in double precision. The greatest is subtracted first.
    Softmax,
    /// `exp(x)`, in double precision.
    Exp,
    /// `log1p(exp(x))`, in double precision.
    LogOnePlusExp,
    /// `sign(x) * x * x`, in double precision; the sign of zero is zero.
    SignedSquare,
    /// `x / by`, in double precision.
    Divide {
        /// What the score is divided by.
        by: f64,
    },
}

impl Link {
    pub(crate) fn check(self, inputs: &[Shape]) -> Result<Shape, String> {
        match inputs {
            [input] if input.values == ValueType::F64 => Ok(*input),
            _ => Err(format!("{self:?} takes one block of F64, found {inputs:?}")),
        }
    }

    pub(crate) fn run(self, inputs: &[&Block], rows: usize) -> Block {
        let Values::F64(values) = &inputs[0].values else { unreachable!("checked: F64") };
        let width = inputs[0].width;
        let each = |link: fn(f64) -> f64| values.iter().map(|x| link(*x)).collect();
        let values = match self {
            Self::Sigmoid { factor } => {
                values.iter().map(|x| 1.0 / (1.0 + exp(-factor * x))).collect()
            }
            Self::Exp => each(exp),
            Self::LogOnePlusExp => each(|x| libm::log1p(exp(x))),
            Self::SignedSquare => each(|x| sign(x) * x * x),
            Self::Divide { by } => values.iter().map(|x| x / by).collect(),
            Self::Softmax => {
                let mut values = values.clone();
                (0..rows).for_each(|row| softmax(&mut values[row * width..][..width]));
                values
            }
        };
        Block::f64(width, values)
    }
}

/// 1, 0 or -1. What is not a number has the sign 0, too, and stays what it is in a product.
fn sign(x: f64) -> f64 {
    f64::from(i8::from(x > 0.0) - i8::from(x < 0.0))
}

fn softmax(row: &mut [f64]) {
    let greatest = row.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let mut sum = 0.0;
    for value in row.iter_mut() {
        *value = exp(*value - greatest);
        sum += *value;
    }
    for value in row {
        *value /= sum;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scores_become_predictions() {
        let run = |link: Link, values: &[f64]| link.run(&[&Block::f64(2, values.to_vec())], 1);
        let sigmoid = run(Link::Sigmoid { factor: 2.0 }, &[0.0, f64::NEG_INFINITY]);
        assert_eq!(sigmoid, Block::f64(2, vec![0.5, 0.0]));
        assert_eq!(run(Link::Softmax, &[900.0, 900.0]), Block::f64(2, vec![0.5, 0.5]));
        assert_eq!(run(Link::Exp, &[0.0, 800.0]), Block::f64(2, vec![1.0, f64::INFINITY]));
        assert_eq!(run(Link::SignedSquare, &[-3.0, 2.0]), Block::f64(2, vec![-9.0, 4.0]));
    }
}
