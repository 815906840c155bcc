//! What operators of ONNX do to the rows of a block, as onnxruntime does it: numbers of single precision where the graph has them.
//!
//! A tensor of the graph is a block: its first dimension is the rows, and the others lie flat in a row. The reader knows the
//! dimensions; a step has indices and lengths in their place. Truth values are whole numbers, 0 and 1.

mod cast;
mod combine;
mod coupling;
mod dense;
mod encode;
mod fill;
mod function;
mod reduce;
mod rows;
mod scale;
mod scores;
mod svm;

pub use cast::Cast;
pub use combine::{Choose, Combination, Combine, Constant, Operand};
pub use coupling::Coupling;
pub use dense::Dense;
pub use encode::{Keys, Lookup, Map, OneHot};
pub use fill::Fill;
pub use function::Function;
pub use reduce::{Extreme, Reduce, Reduction, Span};
pub use rows::{Concat, Normalize, Softmax};
pub use scale::{Impute, Scale};
pub use scores::{By, Decide, Scores, Second, Transform};
use serde::{Deserialize, Serialize};
pub use svm::{Kernel, Kernels, Machine, Machines};

use super::Shape;
use crate::block::{Block, ValueType};

/// One operator of ONNX, or what it comes to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Onnx {
    /// Values of another type.
    Cast(Cast),
    /// One of two values each, by a third.
    Choose(Choose),
    /// Two operands, element by element.
    Combine(Combine),
    /// Tensors beside each other.
    Concat(Concat),
    /// Probabilities of classes, from scores of each pair of them.
    Coupling(Coupling),
    /// The labels that go with scores.
    Decide(Decide),
    /// Sums of products.
    Dense(Dense),
    /// The place of the greatest or least value.
    Extreme(Extreme),
    /// The same value everywhere.
    Fill(Fill),
    /// A function of each value.
    Function(Function),
    /// Values in the place of missing ones.
    Impute(Impute),
    /// How near rows are to support vectors.
    Kernels(Kernels),
    /// Values of a table.
    Lookup(Lookup),
    /// Weighted sums of how near rows are to support vectors.
    Machines(Machines),
    /// Values for values.
    Map(Map),
    /// Rows of a certain length.
    Normalize(Normalize),
    /// Ones and zeros for categories.
    OneHot(OneHot),
    /// One value for several.
    Reduce(Reduce),
    /// Values with another origin and unit.
    Scale(Scale),
    /// Probabilities of scores.
    Scores(Scores),
    /// Exponentials that sum up to one.
    Softmax(Softmax),
}

impl Onnx {
    pub(crate) fn check(&self, inputs: &[Shape]) -> Result<Shape, String> {
        match self {
            Self::Cast(op) => op.check(one("Cast", inputs)?),
            Self::Choose(op) => op.check(inputs),
            Self::Combine(op) => op.check(inputs),
            Self::Concat(op) => op.check(inputs),
            Self::Coupling(op) => op.check(one("probabilities", inputs)?),
            Self::Decide(op) => op.check(one("labels", inputs)?),
            Self::Dense(op) => op.check(one("a product", inputs)?),
            Self::Extreme(op) => op.check(one("ArgMax", inputs)?),
            Self::Fill(op) => op.check(inputs),
            Self::Function(op) => op.check(one("a function", inputs)?),
            Self::Impute(op) => op.check(one("Imputer", inputs)?),
            Self::Kernels(op) => op.check(one("support vectors", inputs)?),
            Self::Lookup(op) => op.check(one("a table", inputs)?),
            Self::Machines(op) => op.check(one("support vectors", inputs)?),
            Self::Map(op) => op.check(one("LabelEncoder", inputs)?),
            Self::Normalize(op) => op.check(one("Normalizer", inputs)?),
            Self::OneHot(op) => op.check(one("OneHotEncoder", inputs)?),
            Self::Reduce(op) => op.check(one("a reduction", inputs)?),
            Self::Scale(op) => op.check(one("Scaler", inputs)?),
            Self::Scores(op) => op.check(one("scores", inputs)?),
            Self::Softmax(op) => op.check(one("Softmax", inputs)?),
        }
    }

    pub(crate) fn run(&self, inputs: &[&Block], rows: usize) -> Block {
        match self {
            Self::Cast(op) => op.run(inputs[0]),
            Self::Choose(op) => op.run(inputs, rows),
            Self::Combine(op) => op.run(inputs, rows),
            Self::Concat(op) => op.run(inputs, rows),
            Self::Coupling(op) => op.run(inputs[0]),
            Self::Decide(op) => op.run(inputs[0], rows),
            Self::Dense(op) => op.run(inputs[0], rows),
            Self::Extreme(op) => op.run(inputs[0], rows),
            Self::Fill(op) => op.run(rows),
            Self::Function(op) => op.run(inputs[0]),
            Self::Impute(op) => op.run(inputs[0], rows),
            Self::Kernels(op) => op.run(inputs[0], rows),
            Self::Lookup(op) => op.run(inputs[0]),
            Self::Machines(op) => op.run(inputs[0], rows),
            Self::Map(op) => op.run(inputs[0]),
            Self::Normalize(op) => op.run(inputs[0]),
            Self::OneHot(op) => op.run(inputs[0]),
            Self::Reduce(op) => op.run(inputs[0], rows),
            Self::Scale(op) => op.run(inputs[0], rows),
            Self::Scores(op) => op.run(inputs[0], rows),
            Self::Softmax(op) => op.run(inputs[0]),
        }
    }
}

fn one(what: &str, inputs: &[Shape]) -> Result<Shape, String> {
    match inputs {
        [input] => Ok(*input),
        _ => Err(format!("{what} takes one block, found {}", inputs.len())),
    }
}

fn floats(what: &str, input: Shape) -> Result<Shape, String> {
    match input.values {
        ValueType::F32 | ValueType::F64 => Ok(input),
        found => Err(format!("{what} takes F32 or F64, found {found:?}")),
    }
}

fn single(what: &str, input: Shape) -> Result<Shape, String> {
    match input.values {
        ValueType::F32 => Ok(input),
        found => Err(format!("{what} takes F32, found {found:?}")),
    }
}
