//! Steps: what is done to blocks, one file for each kind.

mod codes;
pub mod forest;
mod join;
mod label;
mod link;
mod select;

pub use codes::{Categories, Codes};
pub use forest::Forest;
pub use join::Join;
pub use label::{Choice, Classes, Label};
pub use link::Link;
pub use select::Select;
use serde::{Deserialize, Serialize};

use crate::block::{Block, ValueType};
use crate::refused::Refused;

/// What a step does.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Op {
    /// Numbers of categories.
    Codes(Codes),
    /// Sums up the leaves of trees.
    Forest(Box<Forest>),
    /// Puts blocks beside each other.
    Join(Join),
    /// Names what a model decided for.
    Label(Label),
    /// Turns raw scores into predictions.
    Link(Link),
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
            Self::Codes(op) => op.check(inputs),
            Self::Forest(op) => op.check(inputs),
            Self::Join(op) => op.check(inputs),
            Self::Label(op) => op.check(inputs),
            Self::Link(op) => op.check(inputs),
            Self::Select(op) => op.check(inputs),
        }
    }

    /// Runs the step on `rows` rows. What it turns away goes into `refused`, and the values of such a row mean nothing.
    pub(crate) fn run(&self, inputs: &[&Block], rows: usize, _refused: &mut Refused) -> Block {
        match self {
            Self::Codes(op) => op.run(inputs),
            Self::Forest(op) => op.run(inputs, rows),
            Self::Join(op) => op.run(inputs, rows),
            Self::Label(op) => op.run(inputs, rows),
            Self::Link(op) => op.run(inputs, rows),
            Self::Select(op) => op.run(inputs, rows),
        }
    }
}
