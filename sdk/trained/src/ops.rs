//! Steps: what is done to blocks, one file for each kind.

mod activate;
mod asymmetric;
pub mod bins;
mod codes;
mod columns;
mod demand;
mod dense;
mod encode;
mod fast_link;
mod floor;
pub mod forest;
mod impute;
mod join;
mod label;
mod lanes;
mod link;
mod link32;
mod missing_number;
mod normalize;
mod numbers;
mod oblivious;
pub mod onnx;
mod scale;
mod select;
mod sparse_linear;
mod table;

pub use activate::Activate;
pub use asymmetric::{Asymmetric, Child};
pub use codes::{Categories, Codes};
pub use columns::{Digitize, Interpolate, Mean, Products};
pub use demand::{Demand, Known, Rule};
pub use dense::Dense;
pub use encode::{OneHot, OneHotColumn, Ordinal, OrdinalColumn};
pub use fast_link::FastLink;
pub use floor::Floor;
pub use forest::Forest;
pub use impute::{Impute, Indicate};
pub use join::Join;
pub use label::{Choice, Classes, Label};
pub use link::Link;
pub use link32::Link32;
pub use missing_number::MissingNumber;
pub use normalize::{Norm, Normalize};
pub use numbers::Numbers;
pub use oblivious::{Ends, Oblivious};
pub use scale::{Scale, Stage};
pub use select::Select;
use serde::{Deserialize, Serialize};
pub use sparse_linear::SparseLinear;
pub use table::Table;

use crate::block::{Block, ValueType};
use crate::net::Net;
use crate::refused::Refused;

/// What a step does.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Op {
    /// Sums up the leaves of CatBoost's non-symmetric trees.
    Asymmetric(Box<Asymmetric>),
    /// Turns raw scores into predictions as CatBoost does.
    FastLink(FastLink),
    /// Rounds some columns down.
    Floor(Floor),
    /// Turns raw scores of single precision into predictions.
    Link32(Link32),
    /// Makes missing values of a number that stands for them.
    MissingNumber(MissingNumber),
    /// Sums up the leaves of oblivious trees.
    Oblivious(Box<Oblivious>),
    /// Sums weighted numbers but for missing ones.
    SparseLinear(SparseLinear),
    /// Applies a function to every value.
    Activate(Activate),
    /// Numbers of categories.
    Codes(Codes),
    /// Turns rows away that the library would not predict for.
    Demand(Demand),
    /// Sums of products.
    Dense(Dense),
    /// Finds the bins of numbers.
    Digitize(Digitize),
    /// Sums up the leaves of trees.
    Forest(Box<Forest>),
    /// Puts something in the place of missing values.
    Impute(Impute),
    /// Says which values are missing.
    Indicate(Indicate),
    /// Looks up the height of a line.
    Interpolate(Interpolate),
    /// Puts blocks beside each other.
    Join(Join),
    /// Names what a model decided for.
    Label(Label),
    /// Turns raw scores into predictions.
    Link(Link),
    /// The mean of groups of columns.
    Mean(Mean),
    /// Divides rows by their norm.
    Normalize(Normalize),
    /// Gives each category a column.
    OneHot(OneHot),
    /// Gives each category a number.
    Ordinal(Ordinal),
    /// Products of columns.
    Products(Products),
    /// Arithmetic on each column.
    Scale(Scale),
    /// Hands rows to another engine. A pipeline with this step has no other: it is packed into the runner of that engine, which takes
    /// the net out of it.
    Net(Box<Net>),
    /// Does what an operator of ONNX does.
    Onnx(onnx::Onnx),
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
            Self::Asymmetric(op) => op.check(inputs),
            Self::FastLink(op) => op.check(inputs),
            Self::Floor(op) => op.check(inputs),
            Self::Link32(op) => op.check(inputs),
            Self::MissingNumber(op) => op.check(inputs),
            Self::Oblivious(op) => op.check(inputs),
            Self::SparseLinear(op) => op.check(inputs),
            Self::Activate(op) => op.check(inputs),
            Self::Codes(op) => op.check(inputs),
            Self::Demand(op) => op.check(inputs),
            Self::Dense(op) => op.check(inputs),
            Self::Digitize(op) => op.check(inputs),
            Self::Forest(op) => op.check(inputs),
            Self::Impute(op) => op.check(inputs),
            Self::Indicate(op) => op.check(inputs),
            Self::Interpolate(op) => op.check(inputs),
            Self::Join(op) => op.check(inputs),
            Self::Label(op) => op.check(inputs),
            Self::Link(op) => op.check(inputs),
            Self::Mean(op) => op.check(inputs),
            Self::Normalize(op) => op.check(inputs),
            Self::OneHot(op) => op.check(inputs),
            Self::Ordinal(op) => op.check(inputs),
            Self::Products(op) => op.check(inputs),
            Self::Scale(op) => op.check(inputs),
            Self::Net(_) => Ok(Shape { values: ValueType::F32, width: 0 }),
            Self::Onnx(op) => op.check(inputs),
            Self::Select(op) => op.check(inputs),
        }
    }

    /// Runs the step on `rows` rows. What it turns away goes into `refused`, and the values of such a row mean nothing.
    pub(crate) fn run(&self, inputs: &[&Block], rows: usize, refused: &mut Refused) -> Block {
        match self {
            Self::Asymmetric(op) => op.run(inputs, rows),
            Self::FastLink(op) => op.run(inputs),
            Self::Floor(op) => op.run(inputs),
            Self::Link32(op) => op.run(inputs),
            Self::MissingNumber(op) => op.run(inputs),
            Self::Oblivious(op) => op.run(inputs, rows),
            Self::SparseLinear(op) => op.run(inputs, rows),
            Self::Activate(op) => op.run(inputs),
            Self::Codes(op) => op.run(inputs),
            Self::Demand(op) => op.run(inputs, refused),
            Self::Dense(op) => op.run(inputs, rows),
            Self::Digitize(op) => op.run(inputs),
            Self::Forest(op) => op.run(inputs, rows),
            Self::Impute(op) => op.run(inputs),
            Self::Indicate(op) => op.run(inputs),
            Self::Interpolate(op) => op.run(inputs),
            Self::Join(op) => op.run(inputs, rows),
            Self::Label(op) => op.run(inputs, rows),
            Self::Link(op) => op.run(inputs, rows),
            Self::Mean(op) => op.run(inputs, rows),
            Self::Normalize(op) => op.run(inputs),
            Self::OneHot(op) => op.run(inputs, rows),
            Self::Ordinal(op) => op.run(inputs, rows),
            Self::Products(op) => op.run(inputs, rows),
            Self::Scale(op) => op.run(inputs),
            Self::Net(_) => Block::f32(0, Vec::new()),
            Self::Onnx(op) => op.run(inputs, rows),
            Self::Select(op) => op.run(inputs, rows),
        }
    }
}
