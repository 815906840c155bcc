//! The same value everywhere.

use serde::{Deserialize, Serialize};

use crate::block::{Block, Values};
use crate::ops::Shape;

use super::Constant;

/// A row that is the same for every request.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Fill {
    /// The row.
    pub row: Constant,
}

impl Fill {
    pub(crate) fn check(&self, inputs: &[Shape]) -> Result<Shape, String> {
        match inputs {
            [] => Ok(Shape { values: self.row.value_type(), width: self.row.len() }),
            _ => Err(format!("a constant takes no block, found {}", inputs.len())),
        }
    }

    pub(crate) fn run(&self, rows: usize) -> Block {
        let values = match &self.row {
            Constant::F64(row) => Values::F64(row.repeat(rows)),
            Constant::F32(row) => Values::F32(row.repeat(rows)),
            Constant::I64(row) => Values::I64(row.repeat(rows)),
            Constant::Text(row) => {
                Values::Text((0..rows).flat_map(|_| row.iter().cloned()).collect())
            }
        };
        Block { width: self.row.len(), values }
    }
}
