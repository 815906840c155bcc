//! Steps: what is done to blocks, one file for each kind.

mod join;
mod select;

pub use join::Join;
pub use select::Select;
use serde::{Deserialize, Serialize};

use crate::block::{Block, ValueType};

/// What a step does.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Op {
    /// Puts blocks beside each other.
    Join(Join),
    /// Takes some columns of a block.
    Select(Select),
}

/// What a step knows of a block before there are values: its type and its width.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    /// The type of the values.
    pub values: ValueType,
    /// How many values a row has.
    pub width: usize,
}

impl Op {
    /// The shape of what the step gives for inputs of these shapes, or why it can't be run on them.
    ///
    /// # Errors
    ///
    /// Where the inputs are too few or too many, of the wrong type, or too narrow. A pipeline that was checked cannot panic.
    pub fn check(&self, inputs: &[Shape]) -> Result<Shape, String> {
        match self {
            Self::Join(op) => op.check(inputs),
            Self::Select(op) => op.check(inputs),
        }
    }

    /// Runs the step on `rows` rows.
    pub(crate) fn run(&self, inputs: &[&Block], rows: usize) -> Block {
        match self {
            Self::Join(op) => op.run(inputs, rows),
            Self::Select(op) => op.run(inputs, rows),
        }
    }
}
