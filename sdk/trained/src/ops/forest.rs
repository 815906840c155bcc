//! Forests of decision trees, of any library.
//!
//! Libraries differ in what a missing value is, in what they round before they compare, and in the type that they sum in. None of
//! this is decided at a node: a row is prepared first ([`prepare`]), so that each test is one comparison, or one look into a set of
//! categories. Sums are taken in the order of the trees, in the library's type.

mod build;
mod leaves;
mod prepare;
#[cfg(test)]
mod tests;
mod walk;

pub use build::{Child, ForestBuilder, ForestError, Linear, Missing, Reading, Split, Test};
use leaves::{Leaves, LinearLeaves, Sums};
use prepare::Columns;
use serde::{Deserialize, Serialize};
use walk::Walk;

use super::Shape;
use crate::block::{Block, ValueType, Values};

/// How many rows are prepared at once: few enough that they stay in the nearest cache.
const ROWS: usize = 64;

/// Trees, whose leaves are summed up. A [`ForestBuilder`] makes one.
///
/// It reads one block of numbers, and gives one of the type that it sums in.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Forest {
    /// How many values a row of its input has.
    width: u32,
    /// How many sums it gives.
    outputs: u32,
    columns: Columns,
    walk: Walk,
    /// Which sum each tree adds to, where a leaf has one value. Otherwise a leaf has one for each sum.
    #[serde(with = "crate::packed")]
    tree_outputs: Vec<u32>,
    leaves: Leaves,
    linear: Option<LinearLeaves>,
    /// What the sums begin with.
    #[serde(with = "crate::packed")]
    base: Vec<f64>,
}

impl Forest {
    /// How many trees there are.
    pub fn tree_count(&self) -> usize {
        self.walk.tree_count()
    }

    pub(crate) fn check(&self, inputs: &[Shape]) -> Result<Shape, String> {
        let [input] = inputs else {
            return Err(format!("a forest takes one block, found {}", inputs.len()));
        };
        if !matches!(input.values, ValueType::F64 | ValueType::F32)
            || input.width != self.width as usize
        {
            return Err(format!(
                "a forest takes {} numbers, found {} of {:?}",
                self.width, input.width, input.values
            ));
        }
        let outputs = self.outputs as usize;
        let values_of_leaf = if self.tree_outputs.is_empty() { outputs } else { 1 };
        self.columns.check(input.width)?;
        self.walk.check(self.columns.count(), self.leaves.count(values_of_leaf))?;
        if outputs == 0
            || self.base.len() != outputs
            || self.tree_outputs.iter().any(|output| *output >= self.outputs)
            || !(self.tree_outputs.is_empty() || self.tree_outputs.len() == self.tree_count())
        {
            return Err("the trees of a forest do not fit its outputs".to_owned());
        }
        if let Some(linear) = &self.linear {
            linear.check(self.leaves.count(1), input.width, values_of_leaf)?;
        }
        let values = match self.leaves {
            Leaves::F64(_) => ValueType::F64,
            Leaves::F32(_) => ValueType::F32,
        };
        Ok(Shape { values, width: outputs })
    }

    pub(crate) fn run(&self, inputs: &[&Block], rows: usize) -> Block {
        let outputs = self.outputs as usize;
        match &self.leaves {
            Leaves::F64(leaves) => Block::f64(outputs, self.sums(leaves, inputs[0], rows)),
            Leaves::F32(leaves) => Block::f32(outputs, self.sums(leaves, inputs[0], rows)),
        }
    }

    fn sums<T: Sums>(&self, leaves: &[T], input: &Block, rows: usize) -> Vec<T> {
        let (width, outputs) = (self.width as usize, self.outputs as usize);
        let mut sums = Vec::with_capacity(rows * outputs);
        (0..rows).for_each(|_| sums.extend(self.base.iter().map(|base| T::of(*base))));
        let mut prepared = Vec::new();
        let mut found = Vec::new();
        for first in (0..rows).step_by(ROWS) {
            let count = ROWS.min(rows - first);
            let range = first * width..(first + count) * width;
            match &input.values {
                Values::F64(them) => self.columns.prepare(&them[range], width, &mut prepared),
                Values::F32(them) => self.columns.prepare(&them[range], width, &mut prepared),
                _ => unreachable!("checked: numbers"),
            }
            let sums = &mut sums[first * outputs..(first + count) * outputs];
            let adding = Adding { forest: self, leaves, input, first };
            if count < walk::LANES {
                for row in 0..count {
                    let values = &prepared[row * self.columns.count()..][..self.columns.count()];
                    self.walk.one_row(values, &mut found);
                    for (tree, leaf) in found.iter().enumerate() {
                        adding.add(tree, *leaf, row, sums);
                    }
                }
            } else {
                for tree in 0..self.tree_count() {
                    self.walk.one_tree(tree, &prepared, count, &mut found);
                    for (row, leaf) in found.iter().enumerate() {
                        adding.add(tree, *leaf, row, sums);
                    }
                }
            }
        }
        sums
    }
}

/// What a leaf adds to the sums of a row.
struct Adding<'a, T> {
    forest: &'a Forest,
    leaves: &'a [T],
    input: &'a Block,
    /// The first row of those that are being added.
    first: usize,
}

impl<T: Sums> Adding<'_, T> {
    #[inline(always)]
    fn add(&self, tree: usize, leaf: u32, row: usize, sums: &mut [T]) {
        let outputs = self.forest.outputs as usize;
        let leaf = leaf as usize;
        if self.forest.tree_outputs.is_empty() {
            let values = &self.leaves[leaf * outputs..][..outputs];
            let sums = &mut sums[row * outputs..][..outputs];
            sums.iter_mut().zip(values).for_each(|(sum, value)| *sum += *value);
            return;
        }
        let value = match &self.forest.linear {
            None => self.leaves[leaf],
            Some(linear) => linear
                .value(leaf, self.input, self.first + row, &self.forest.columns)
                .map_or(self.leaves[leaf], T::of),
        };
        let sum = &mut sums[row * outputs + self.forest.tree_outputs[tree] as usize];
        *sum += value;
    }
}
