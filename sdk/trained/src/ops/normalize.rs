//! Norms: rows are divided by their length, or by their sum.

use serde::{Deserialize, Serialize};

use super::Shape;
use super::numbers::{Real, one_of_numbers};
use crate::block::{Block, ValueType};

/// Divides every row by a norm of it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Normalize {
    /// Which norm.
    pub norm: Norm,
    /// A norm below it is taken for 1.
    pub least: f64,
}

/// A norm of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Norm {
    /// The sum of the absolute values.
    L1,
    /// The square root of the sum of the squares.
    L2,
    /// The greatest absolute value.
    Max,
    /// The sum. Where it is 0, each value becomes one divided by their number.
    Share,
}

impl Normalize {
    pub(crate) fn check(self, inputs: &[Shape]) -> Result<Shape, String> {
        one_of_numbers("normalize", inputs)
    }

    pub(crate) fn run(self, inputs: &[&Block]) -> Block {
        match inputs[0].value_type() {
            ValueType::F32 => self.of(inputs[0], self.least as f32),
            _ => self.of(inputs[0], self.least),
        }
    }

    fn of<T: Real>(self, input: &Block, least: T) -> Block {
        let mut values = T::of(input).expect("invariant: checked").to_vec();
        for row in values.chunks_exact_mut(input.width.max(1)) {
            let sum = |of: fn(T) -> T| row.iter().fold(T::ZERO, |sum, x| sum + of(*x));
            let norm = match self.norm {
                Norm::L1 => sum(T::abs),
                Norm::L2 => sum(|x| x * x).sqrt(),
                Norm::Max => {
                    row.iter().fold(T::ZERO, |most, x| if x.abs() > most { x.abs() } else { most })
                }
                Norm::Share => sum(|x| x),
            };
            if self.norm == Norm::Share && norm == T::ZERO {
                row.fill(T::ONE / T::from_count(input.width));
            } else if self.norm == Norm::Share || norm >= least || norm.is_nan() {
                row.iter_mut().for_each(|x| *x = *x / norm);
            }
        }
        T::block(input.width, values)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(norm: Norm, expected: [f64; 4]) {
        let block = Block::f64(2, vec![3.0, -4.0, 0.0, 0.0]);
        let found = Normalize { norm, least: 1e-15 }.run(&[&block]);
        assert_eq!(found, Block::f64(2, expected.to_vec()), "{norm:?}");
    }

    #[test]
    fn rows_are_divided_by_their_norm() {
        check(Norm::L1, [3.0 / 7.0, -4.0 / 7.0, 0.0, 0.0]);
        check(Norm::L2, [0.6, -0.8, 0.0, 0.0]);
        check(Norm::Max, [0.75, -1.0, 0.0, 0.0]);
        check(Norm::Share, [-3.0, 4.0, 0.5, 0.5]);
    }
}
