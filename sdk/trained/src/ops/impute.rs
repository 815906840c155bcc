//! Missing values: what stands for them, and where they were.

use serde::{Deserialize, Serialize};

use super::Shape;
use super::numbers::{Numbers, Real, expect, one_of_numbers};
use crate::block::{Block, ValueType, Values};

/// Puts something in the place of missing values.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Impute {
    /// Numbers.
    Numbers {
        /// The number that is missing: usually NaN.
        missing: f64,
        /// What stands for it, for each column.
        fill: Numbers,
    },
    /// Texts.
    Texts {
        /// The text that is missing: usually the empty one.
        missing: String,
        /// What stands for it, for each column.
        fill: Vec<String>,
    },
}

/// Says for each number whether it is missing: 1 or 0.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Indicate {
    /// The number that is missing: usually NaN.
    pub missing: f64,
}

/// Whether a number is the missing one. Any NaN is, where NaN is.
pub(super) fn is_missing(value: f64, missing: f64) -> bool {
    value == missing || (value.is_nan() && missing.is_nan())
}

impl Impute {
    pub(crate) fn check(&self, inputs: &[Shape]) -> Result<Shape, String> {
        match (self, inputs) {
            (Self::Texts { fill, .. }, [input]) if input.values == ValueType::Text => {
                if fill.len() != input.width {
                    return Err(format!("impute has {} texts for {}", fill.len(), input.width));
                }
                Ok(*input)
            }
            (Self::Texts { .. }, _) => Err(format!("impute takes texts, found {inputs:?}")),
            (Self::Numbers { fill, .. }, _) => {
                let input = one_of_numbers("impute", inputs)?;
                expect("impute", fill, input, input.width)?;
                Ok(input)
            }
        }
    }

    pub(crate) fn run(&self, inputs: &[&Block]) -> Block {
        let mut block = inputs[0].clone();
        let width = block.width.max(1);
        match (self, &mut block.values) {
            (Self::Numbers { missing, fill: Numbers::F64(fill) }, Values::F64(values)) => {
                replace(values, width, fill, |value| is_missing(*value, *missing));
            }
            (Self::Numbers { missing, fill: Numbers::F32(fill) }, Values::F32(values)) => {
                replace(values, width, fill, |value| is_missing(f64::from(*value), *missing));
            }
            (Self::Texts { missing, fill }, Values::Text(values)) => {
                replace(values, width, fill, |value| value == missing);
            }
            _ => unreachable!("checked: the type of the block"),
        }
        block
    }
}

fn replace<T: Clone>(values: &mut [T], width: usize, fill: &[T], missing: impl Fn(&T) -> bool) {
    for row in values.chunks_exact_mut(width) {
        for (value, fill) in row.iter_mut().zip(fill).filter(|(value, _)| missing(value)) {
            value.clone_from(fill);
        }
    }
}

impl Indicate {
    pub(crate) fn check(self, inputs: &[Shape]) -> Result<Shape, String> {
        one_of_numbers("indicate", inputs)
    }

    pub(crate) fn run(self, inputs: &[&Block]) -> Block {
        let width = inputs[0].width;
        match &inputs[0].values {
            Values::F64(values) => f64::block(width, self.of(values.iter().copied())),
            Values::F32(values) => f32::block(width, self.of(values.iter().copied())),
            _ => unreachable!("checked: numbers"),
        }
    }

    fn of<T: Real + Into<f64>>(self, values: impl Iterator<Item = T>) -> Vec<T> {
        values
            .map(|value| if is_missing(value.into(), self.missing) { T::ONE } else { T::ZERO })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_numbers_are_replaced_and_told() {
        let block = Block::f32(2, vec![f32::NAN, 1.0, 2.0, f32::NAN]);
        let impute = Impute::Numbers { missing: f64::NAN, fill: Numbers::F32(vec![7.0, 8.0]) };
        assert_eq!(impute.run(&[&block]), Block::f32(2, vec![7.0, 1.0, 2.0, 8.0]));
        let told = Indicate { missing: f64::NAN }.run(&[&block]);
        assert_eq!(told, Block::f32(2, vec![1.0, 0.0, 0.0, 1.0]));
        let minus = Impute::Numbers { missing: -1.0, fill: Numbers::F64(vec![0.5]) };
        assert_eq!(minus.run(&[&Block::f64(1, vec![-1.0, 3.0])]), Block::f64(1, vec![0.5, 3.0]));
    }

    #[test]
    fn missing_texts_are_replaced() {
        let texts = |them: [&str; 2]| Block {
            width: 1,
            values: Values::Text(them.map(String::from).to_vec()),
        };
        let impute = Impute::Texts { missing: String::new(), fill: vec!["none".into()] };
        assert_eq!(impute.run(&[&texts(["", "UA"])]), texts(["none", "UA"]));
    }
}
