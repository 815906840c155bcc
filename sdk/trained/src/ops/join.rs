//! Puts blocks beside each other.

use serde::{Deserialize, Serialize};

use super::Shape;
use crate::block::{Block, ValueType, Values};

/// Puts blocks of numbers beside each other, in order, as numbers of one type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Join {
    /// The type of the result: `F64`, which every number fits into but for whole ones beyond 2^53, or `F32`.
    pub into: ValueType,
}

impl Join {
    pub(crate) fn check(self, inputs: &[Shape]) -> Result<Shape, String> {
        if !matches!(self.into, ValueType::F64 | ValueType::F32) {
            return Err(format!("join gives numbers, found {:?}", self.into));
        }
        if let Some(text) = inputs.iter().find(|input| input.values == ValueType::Text) {
            return Err(format!("join takes numbers, found a block of {} texts", text.width));
        }
        Ok(Shape { values: self.into, width: inputs.iter().map(|input| input.width).sum() })
    }

    pub(crate) fn run(self, inputs: &[&Block], rows: usize) -> Block {
        let width = inputs.iter().map(|input| input.width).sum();
        if self.into == ValueType::F32 {
            let mut values = Vec::with_capacity(rows * width);
            each(inputs, rows, |block, at| values.push(f32_at(block, at)));
            Block::f32(width, values)
        } else {
            let mut values = Vec::with_capacity(rows * width);
            each(inputs, rows, |block, at| values.push(f64_at(block, at)));
            Block::f64(width, values)
        }
    }
}

fn each(inputs: &[&Block], rows: usize, mut visit: impl FnMut(&Block, usize)) {
    for row in 0..rows {
        for block in inputs {
            for column in 0..block.width {
                visit(block, row * block.width + column);
            }
        }
    }
}

fn f64_at(block: &Block, at: usize) -> f64 {
    match &block.values {
        Values::F64(values) => values[at],
        Values::F32(values) => f64::from(values[at]),
        Values::I64(values) => values[at] as f64,
        Values::Text(_) => unreachable!("checked: no texts"),
    }
}

fn f32_at(block: &Block, at: usize) -> f32 {
    match &block.values {
        Values::F64(values) => values[at] as f32,
        Values::F32(values) => values[at],
        Values::I64(values) => values[at] as f32,
        Values::Text(_) => unreachable!("checked: no texts"),
    }
}
