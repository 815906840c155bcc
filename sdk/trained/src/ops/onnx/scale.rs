//! Scaler and Imputer.

use serde::{Deserialize, Serialize};

use super::single;
use crate::block::{Block, Values};
use crate::ops::Shape;

/// `(x - offset) * scale`, in single precision.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Scale {
    /// The offset of each column.
    pub offset: Vec<f32>,
    /// The scale of each column.
    pub scale: Vec<f32>,
}

impl Scale {
    pub(crate) fn check(&self, input: Shape) -> Result<Shape, String> {
        if self.offset.len() != input.width || self.scale.len() != input.width {
            return Err(format!("Scaler of {} columns for {}", self.scale.len(), input.width));
        }
        single("Scaler", input)
    }

    pub(crate) fn run(&self, input: &Block, rows: usize) -> Block {
        let Values::F32(values) = &input.values else { unreachable!("checked: F32") };
        let mut scaled = Vec::with_capacity(values.len());
        for row in 0..rows {
            let row = &values[row * input.width..][..input.width];
            scaled.extend(
                row.iter()
                    .zip(&self.offset)
                    .zip(&self.scale)
                    .map(|((x, offset), scale)| (x - offset) * scale),
            );
        }
        Block::f32(input.width, scaled)
    }
}

/// Puts values in the place of others: of missing ones, or of a number that stands for them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Impute {
    /// In numbers of single precision.
    F32 {
        /// What is replaced; a missing value stands for all of them.
        replaced: f32,
        /// What is put there: one for each column.
        values: Vec<f32>,
    },
    /// In whole numbers.
    I64 {
        /// What is replaced.
        replaced: i64,
        /// What is put there: one for each column.
        values: Vec<i64>,
    },
}

impl Impute {
    pub(crate) fn check(&self, input: Shape) -> Result<Shape, String> {
        let (values, width) = match self {
            Self::F32 { values, .. } => (crate::block::ValueType::F32, values.len()),
            Self::I64 { values, .. } => (crate::block::ValueType::I64, values.len()),
        };
        if input != (Shape { values, width }) {
            return Err(format!(
                "Imputer of {values:?}[{width}] for {:?}[{}]",
                input.values, input.width
            ));
        }
        Ok(input)
    }

    pub(crate) fn run(&self, input: &Block, rows: usize) -> Block {
        let columns = || (0..rows).flat_map(|_| 0..input.width);
        let values = match (self, &input.values) {
            (Self::F32 { replaced, values: imputed }, Values::F32(values)) => {
                let gone = |x: f32| x == *replaced || (x.is_nan() && replaced.is_nan());
                let values = values.iter().zip(columns());
                Values::F32(
                    values.map(|(x, column)| if gone(*x) { imputed[column] } else { *x }).collect(),
                )
            }
            (Self::I64 { replaced, values: imputed }, Values::I64(values)) => {
                let values = values.iter().zip(columns());
                Values::I64(
                    values
                        .map(|(x, column)| if x == replaced { imputed[column] } else { *x })
                        .collect(),
                )
            }
            _ => unreachable!("checked: the type of the block"),
        };
        Block { width: input.width, values }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_moved_and_scaled() {
        let scale = Scale { offset: vec![1.0, -1.0], scale: vec![2.0, 0.5] };
        assert_eq!(scale.run(&Block::f32(2, vec![2.0, 3.0]), 1), Block::f32(2, vec![2.0, 2.0]));
    }

    #[test]
    fn missing_values_are_replaced() {
        let impute = Impute::F32 { replaced: f32::NAN, values: vec![7.0, 8.0] };
        let block = Block::f32(2, vec![1.0, f32::NAN, f32::NAN, 2.0]);
        assert_eq!(impute.run(&block, 2), Block::f32(2, vec![1.0, 8.0, 7.0, 2.0]));
        let impute = Impute::F32 { replaced: -1.0, values: vec![7.0] };
        assert_eq!(impute.run(&Block::f32(1, vec![-1.0]), 1), Block::f32(1, vec![7.0]));
    }
}
