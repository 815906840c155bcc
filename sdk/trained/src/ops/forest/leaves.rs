//! What leaves hold: values, or linear models of the row.

use std::ops::AddAssign;

use serde::{Deserialize, Serialize};

use super::prepare::Columns;
use crate::block::{Block, Values};

/// A type that a library sums in.
pub(super) trait Sums: Copy + AddAssign {
    /// A number of double precision as one of it.
    fn of(value: f64) -> Self;
}

impl Sums for f64 {
    fn of(value: f64) -> Self {
        value
    }
}

impl Sums for f32 {
    fn of(value: f64) -> Self {
        value as Self
    }
}

/// The values of all leaves, of one tree after the other.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) enum Leaves {
    F64(#[serde(with = "crate::packed")] Vec<f64>),
    F32(#[serde(with = "crate::packed")] Vec<f32>),
}

impl Leaves {
    /// How many leaves there are, of which each has so many values.
    pub(super) fn count(&self, values_of_leaf: usize) -> usize {
        let values = match self {
            Self::F64(values) => values.len(),
            Self::F32(values) => values.len(),
        };
        values / values_of_leaf.max(1)
    }
}

/// Linear models in the leaves: `constant + sum of coefficient * value`, unless one of the values is missing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct LinearLeaves {
    /// For each leaf where its terms end; they begin where those of the former leaf end. A leaf that is no linear model has none, and
    /// its constant is its value.
    #[serde(with = "crate::packed")]
    pub(super) ends: Vec<u32>,
    #[serde(with = "crate::packed")]
    pub(super) constants: Vec<f64>,
    /// The columns of the input.
    #[serde(with = "crate::packed")]
    pub(super) columns: Vec<u32>,
    #[serde(with = "crate::packed")]
    pub(super) coefficients: Vec<f64>,
}

impl LinearLeaves {
    pub(super) fn check(&self, leaves: usize, width: usize, of_leaf: usize) -> Result<(), String> {
        let terms = self.columns.len();
        let fits = of_leaf == 1
            && self.ends.len() == leaves
            && self.constants.len() == leaves
            && self.coefficients.len() == terms
            && self.ends.is_sorted()
            && self.ends.last().is_none_or(|end| *end as usize == terms)
            && self.columns.iter().all(|column| (*column as usize) < width);
        if fits { Ok(()) } else { Err("the linear leaves of a forest do not fit it".to_owned()) }
    }

    /// What a leaf says of a row of the input, or `None` where a value is missing.
    pub(super) fn value(
        &self,
        leaf: usize,
        input: &Block,
        row: usize,
        columns: &Columns,
    ) -> Option<f64> {
        let first = if leaf == 0 { 0 } else { self.ends[leaf - 1] as usize };
        let terms = first..self.ends[leaf] as usize;
        let mut sum = self.constants[leaf];
        for (column, coefficient) in
            self.columns[terms.clone()].iter().zip(&self.coefficients[terms])
        {
            let at = row * input.width + *column as usize;
            let value = columns.flushed(match &input.values {
                Values::F64(values) => values[at],
                Values::F32(values) => f64::from(values[at]),
                _ => unreachable!("checked: numbers"),
            });
            if value.is_nan() {
                return None;
            }
            sum += coefficient * value;
        }
        Some(sum)
    }
}
