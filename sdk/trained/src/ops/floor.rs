//! Columns that are rounded down.

use serde::{Deserialize, Serialize};

use super::Shape;
use crate::block::{Block, ValueType, Values};

/// Rounds columns down to whole numbers, in single precision. For XGBoost -0.5 is a negative category, which is none; towards zero it
/// would be the first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Floor {
    /// The numbers of the columns, from 0.
    pub columns: Vec<u32>,
}

impl Floor {
    pub(crate) fn check(&self, inputs: &[Shape]) -> Result<Shape, String> {
        let [input @ Shape { values: ValueType::F32, width }] = inputs else {
            return Err(format!("floor takes one block of F32, found {inputs:?}"));
        };
        match self.columns.iter().find(|column| **column as usize >= *width) {
            None => Ok(*input),
            Some(column) => Err(format!("floor takes column {column} of {width}")),
        }
    }

    pub(crate) fn run(&self, inputs: &[&Block]) -> Block {
        let Values::F32(values) = &inputs[0].values else { unreachable!("checked: F32") };
        let width = inputs[0].width;
        let mut values = values.clone();
        for row in values.chunks_exact_mut(width) {
            for column in &self.columns {
                row[*column as usize] = libm::floorf(row[*column as usize]);
            }
        }
        Block::f32(width, values)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_these_columns_are_rounded_down() {
        let floor = Floor { columns: vec![1] };
        let block = Block::f32(2, vec![-0.5, -0.5, 1.9, 1.9, 0.0, -0.0]);
        assert_eq!(floor.run(&[&block]), Block::f32(2, vec![-0.5, -1.0, 1.9, 1.0, 0.0, -0.0]));
        let shape = Shape { values: ValueType::F32, width: 1 };
        assert_eq!(floor.check(&[shape]).unwrap_err(), "floor takes column 1 of 1");
    }
}
