//! Takes some columns of a block.

use serde::{Deserialize, Serialize};

use super::Shape;
use crate::block::{Block, Values};

/// Takes columns of its one input, in the order that is given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Select {
    /// The numbers of the columns, from 0.
    pub columns: Vec<u32>,
}

impl Select {
    pub(crate) fn check(&self, inputs: &[Shape]) -> Result<Shape, String> {
        let [input] = inputs else {
            return Err(format!("select takes one block, found {}", inputs.len()));
        };
        if let Some(column) = self.columns.iter().find(|column| **column as usize >= input.width) {
            return Err(format!("select takes column {column} of {}", input.width));
        }
        Ok(Shape { width: self.columns.len(), ..*input })
    }

    pub(crate) fn run(&self, inputs: &[&Block], rows: usize) -> Block {
        let input = inputs[0];
        let values = match &input.values {
            Values::F64(values) => Values::F64(self.of(values, input.width, rows)),
            Values::F32(values) => Values::F32(self.of(values, input.width, rows)),
            Values::I64(values) => Values::I64(self.of(values, input.width, rows)),
            Values::Text(values) => Values::Text(self.of(values, input.width, rows)),
        };
        Block { width: self.columns.len(), values }
    }

    fn of<T: Clone>(&self, values: &[T], width: usize, rows: usize) -> Vec<T> {
        (0..rows)
            .flat_map(|row| {
                self.columns
                    .iter()
                    .map(move |column| values[row * width + *column as usize].clone())
            })
            .collect()
    }
}
