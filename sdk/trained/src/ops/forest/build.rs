//! How a reader makes a forest: tree by tree, in the words of its library.

use std::collections::{BTreeMap, VecDeque};

use thiserror::Error;

use super::Forest;
use super::leaves::{Leaves, LinearLeaves};
use super::prepare::{Column, Columns};
use super::walk::{COLUMN_LIMIT, Node, Walk};
use crate::block::ValueType;

/// A test of a tree, and where it leads.
#[derive(Debug, Clone, PartialEq)]
pub struct Split {
    /// The column of the input.
    pub column: u32,
    /// How the column is read.
    pub reading: Reading,
    /// What leads to the left.
    pub test: Test,
    /// Whether what is missing leads to the left, whatever the test.
    pub missing_left: bool,
    /// Where the test holds.
    pub left: Child,
    /// Where it does not.
    pub right: Child,
}

/// What leads to the left.
#[derive(Debug, Clone, PartialEq)]
pub enum Test {
    /// A value that is at most this.
    AtMost(f64),
    /// A category that is in this set, whose bits are in words, the lowest first. A value is made whole towards zero; what is negative
    /// is in no set.
    In(Vec<u32>),
}

/// Where a test leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Child {
    /// To a split of the tree, by its number.
    Split(u32),
    /// To a leaf of the tree, by its number.
    Leaf(u32),
}

/// How a column is read before it is tested.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Reading {
    /// Whether it is rounded to single precision.
    pub round: bool,
    /// What is missing.
    pub missing: Missing,
}

/// What is missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Missing {
    /// What is not a number.
    Nan,
    /// Nothing: what is not a number is zero.
    Never,
    /// Zero, and what is not farther from it than `1e-35` of single precision, as in LightGBM. What is not a number is missing, too.
    Zero,
}

/// A linear model in a leaf.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Linear {
    /// What the sum begins with.
    pub constant: f64,
    /// Columns of the input and their coefficients, in the order of the sum. Where one of the columns is missing, the leaf has its plain
    /// value.
    pub terms: Vec<(u32, f64)>,
}

/// Why a tree was not taken.
#[derive(Debug, Error, Clone, PartialEq, Eq)]
pub enum ForestError {
    /// Because a split leads to what is not there, or to what another leads to as well.
    #[error("tree {tree}: {what}")]
    Tree {
        /// The number of the tree.
        tree: usize,
        /// What is wrong.
        what: String,
    },
    /// Because the forest is too large.
    #[error("a forest has {found}, expected at most {limit}")]
    TooLarge {
        /// What there is too much of.
        found: String,
        /// How much there may be.
        limit: usize,
    },
}

/// Makes a [`Forest`].
#[derive(Debug)]
pub struct ForestBuilder {
    width: u32,
    outputs: u32,
    base: Vec<f64>,
    flush_tiny: bool,
    columns: BTreeMap<Column, u16>,
    walk: Walk,
    tree_outputs: Vec<u32>,
    leaves: Vec<f64>,
    linear: Option<Vec<Linear>>,
}

impl Test {
    /// The test "less than", for values of double precision. `None` where nothing is.
    pub fn less_f64(threshold: f64) -> Option<Self> {
        let below = threshold.next_down();
        (threshold > f64::NEG_INFINITY).then_some(Self::AtMost(below))
    }

    /// The test "less than", for values that are rounded to single precision. `None` where nothing is.
    pub fn less_f32(threshold: f32) -> Option<Self> {
        let below = threshold.next_down();
        (threshold > f32::NEG_INFINITY).then_some(Self::AtMost(f64::from(below)))
    }

    /// The set of these categories.
    pub fn of_categories(categories: impl IntoIterator<Item = u32>) -> Self {
        let mut words = Vec::new();
        for category in categories {
            let word = (category / 32) as usize;
            if words.len() <= word {
                words.resize(word + 1, 0);
            }
            words[word] |= 1_u32 << (category % 32);
        }
        Self::In(words)
    }
}

impl ForestBuilder {
    /// Begins a forest that reads rows of `width` values, and gives as many sums as `base` has numbers, which they begin with.
    pub fn new(width: usize, base: Vec<f64>) -> Self {
        Self {
            width: width as u32,
            outputs: base.len() as u32,
            base,
            flush_tiny: false,
            columns: BTreeMap::new(),
            walk: Walk::default(),
            tree_outputs: Vec::new(),
            leaves: Vec::new(),
            linear: None,
        }
    }

    /// Takes every value for zero that is not farther from it than `1e-35` of single precision, as LightGBM does.
    pub fn flush_tiny(&mut self) {
        self.flush_tiny = true;
    }

    /// Adds a tree to one of the sums. Its root is split 0, or leaf 0 where there are no splits.
    ///
    /// A forest has either such trees, or those of [`Self::add_vector_tree`].
    ///
    /// # Errors
    ///
    /// Where the splits are no tree.
    pub fn add_tree(
        &mut self,
        output: u32,
        splits: &[Split],
        leaves: &[f64],
    ) -> Result<(), ForestError> {
        self.tree_outputs.push(output);
        if let Some(linear) = &mut self.linear {
            linear.extend(leaves.iter().map(|leaf| Linear { constant: *leaf, terms: Vec::new() }));
        }
        self.plant(splits, leaves, 1)
    }

    /// Adds a tree whose leaves are linear models, each with its plain value for where something is missing.
    ///
    /// # Errors
    ///
    /// Those of [`Self::add_tree`].
    pub fn add_linear_tree(
        &mut self,
        output: u32,
        splits: &[Split],
        leaves: Vec<(f64, Linear)>,
    ) -> Result<(), ForestError> {
        let (plain, linear): (Vec<_>, Vec<_>) = leaves.into_iter().unzip();
        let former = |leaf: &f64| Linear { constant: *leaf, terms: Vec::new() };
        self.linear.get_or_insert_with(|| self.leaves.iter().map(former).collect()).extend(linear);
        self.tree_outputs.push(output);
        self.plant(splits, &plain, 1)
    }

    /// Adds a tree whose leaves have a value for each sum; those of leaf `i` begin at `i` times their number.
    ///
    /// # Errors
    ///
    /// Those of [`Self::add_tree`].
    pub fn add_vector_tree(&mut self, splits: &[Split], leaves: &[f64]) -> Result<(), ForestError> {
        self.plant(splits, leaves, self.outputs as usize)
    }

    /// The forest, which sums in this type: `F64` or `F32`.
    ///
    /// # Errors
    ///
    /// Where it reads too many columns.
    pub fn finish(mut self, sums: ValueType) -> Result<Forest, ForestError> {
        if self.columns.len() > COLUMN_LIMIT {
            let found = format!("{} columns in its tests", self.columns.len());
            return Err(ForestError::TooLarge { found, limit: COLUMN_LIMIT });
        }
        self.walk.finish();
        let mut columns: Vec<_> = self.columns.into_iter().collect();
        columns.sort_by_key(|(_, number)| *number);
        let columns = columns.into_iter().map(|(column, _)| column).collect();
        Ok(Forest {
            width: self.width,
            outputs: self.outputs,
            columns: Columns { columns, flush_tiny: self.flush_tiny },
            walk: self.walk,
            tree_outputs: self.tree_outputs,
            leaves: match sums {
                ValueType::F32 => Leaves::F32(self.leaves.iter().map(|it| *it as f32).collect()),
                _ => Leaves::F64(self.leaves),
            },
            linear: self.linear.map(linear_leaves),
            base: self.base,
        })
    }

    /// Lays a tree out, level by level.
    fn plant(
        &mut self,
        splits: &[Split],
        leaves: &[f64],
        of_leaf: usize,
    ) -> Result<(), ForestError> {
        let tree = self.walk.tree_count();
        let wrong = |what: String| ForestError::Tree { tree, what };
        let first_leaf = (self.leaves.len() / of_leaf) as u32;
        let leaf_count = leaves.len() / of_leaf;
        let mut taken = vec![false; splits.len()];
        let mut waiting = VecDeque::new();
        let root = self.walk.room_for_root();
        let start = if splits.is_empty() { Child::Leaf(0) } else { Child::Split(0) };
        waiting.push_back((root, start, 0));
        let mut deepest = 0;
        while let Some((place, child, depth)) = waiting.pop_front() {
            deepest = deepest.max(depth);
            match child {
                Child::Leaf(leaf) if (leaf as usize) < leaf_count => {
                    self.walk.put_leaf(place, first_leaf + leaf);
                }
                Child::Leaf(leaf) => {
                    return Err(wrong(format!("leads to leaf {leaf} of {leaf_count}")));
                }
                Child::Split(number) => {
                    let split = splits.get(number as usize).ok_or_else(|| {
                        wrong(format!("leads to split {number} of {}", splits.len()))
                    })?;
                    if std::mem::replace(&mut taken[number as usize], true) {
                        return Err(wrong(format!("leads to split {number} twice")));
                    }
                    let node = self.test(split).map_err(wrong)?;
                    let (left, right) = self.walk.put_test(place, node);
                    waiting.push_back((left, split.left, depth + 1));
                    waiting.push_back((right, split.right, depth + 1));
                }
            }
        }
        if self.walk.node_count() > u32::MAX as usize / 2 {
            return Err(ForestError::TooLarge {
                found: format!("{} nodes", self.walk.node_count()),
                limit: u32::MAX as usize / 2,
            });
        }
        self.walk.put_tree(root, deepest);
        self.leaves.extend_from_slice(leaves);
        Ok(())
    }

    fn test(&mut self, split: &Split) -> Result<Node, String> {
        if split.column >= self.width {
            return Err(format!("tests column {} of {}", split.column, self.width));
        }
        let column = Column {
            source: split.column,
            reading: split.reading,
            category: matches!(split.test, Test::In(_)),
            missing_left: split.missing_left,
        };
        // What is too many is found when all are there.
        let next = self.columns.len().min(COLUMN_LIMIT - 1) as u16;
        let column = *self.columns.entry(column).or_insert(next);
        match &split.test {
            Test::AtMost(threshold) if threshold.is_nan() => {
                Err("has a threshold that is not a number".to_owned())
            }
            Test::AtMost(threshold) => Ok(Node::at_most(*threshold, column)),
            Test::In(words) => Ok(self.walk.in_set(words, column)),
        }
    }
}

fn linear_leaves(models: Vec<Linear>) -> LinearLeaves {
    let mut leaves = LinearLeaves {
        ends: Vec::with_capacity(models.len()),
        constants: Vec::with_capacity(models.len()),
        columns: Vec::new(),
        coefficients: Vec::new(),
    };
    for model in models {
        leaves.constants.push(model.constant);
        for (column, coefficient) in model.terms {
            leaves.columns.push(column);
            leaves.coefficients.push(coefficient);
        }
        leaves.ends.push(leaves.columns.len() as u32);
    }
    leaves
}
