//! Trees: one block of the text becomes splits and leaves.

use trained::ops::forest::{Child, ForestBuilder, Linear, Missing, Reading, Split, Test};

use super::text::Block;
use crate::ReadError;

/// The bit of a decision type that says: a set of categories.
const CATEGORICAL: u32 = 1;
/// The bit that says: what is missing goes to the left.
const DEFAULT_LEFT: u32 = 2;

/// Adds a tree to one of the sums of a forest.
pub(super) fn add(
    forest: &mut ForestBuilder,
    output: u32,
    block: &Block<'_>,
) -> Result<(), ReadError> {
    let leaf_count = block.number("num_leaves")?;
    if leaf_count == 0 {
        return Err(block.wrong("num_leaves", "0".to_owned(), "at least one".to_owned()));
    }
    let splits = splits(block, leaf_count - 1)?;
    let leaves = block.list("leaf_value", leaf_count)?;
    let added = if block.get("is_linear") == Some("1") {
        let linear = linear(block, leaf_count)?;
        forest.add_linear_tree(output, &splits, leaves.into_iter().zip(linear).collect())
    } else {
        forest.add_tree(output, &splits, &leaves)
    };
    added.map_err(crate::error::forest)
}

fn splits(block: &Block<'_>, count: usize) -> Result<Vec<Split>, ReadError> {
    let columns: Vec<u32> = block.list("split_feature", count)?;
    let thresholds: Vec<f64> = block.list("threshold", count)?;
    let decisions: Vec<u32> = block.list("decision_type", count)?;
    let left: Vec<i32> = block.list("left_child", count)?;
    let right: Vec<i32> = block.list("right_child", count)?;
    let sets = Sets::read(block)?;
    let mut splits = Vec::with_capacity(count);
    for number in 0..count {
        let decision = decisions[number];
        let categorical = decision & CATEGORICAL != 0;
        let missing = match decision >> 2 & 3 {
            // What is not a number is in no set, whatever the type.
            _ if categorical => Missing::Nan,
            0 => Missing::Never,
            1 => Missing::Zero,
            2 => Missing::Nan,
            _ => {
                let found = format!("{decision}");
                return Err(block.wrong(
                    "decision_type",
                    found,
                    "a missing type of 0 to 2".to_owned(),
                ));
            }
        };
        let test = if categorical {
            sets.test(block, thresholds[number])?
        } else {
            Test::AtMost(thresholds[number])
        };
        splits.push(Split {
            column: columns[number],
            reading: Reading { round: false, missing },
            test,
            missing_left: !categorical && decision & DEFAULT_LEFT != 0 && missing != Missing::Never,
            left: child(left[number]),
            right: child(right[number]),
        });
    }
    Ok(splits)
}

fn child(number: i32) -> Child {
    if number >= 0 { Child::Split(number as u32) } else { Child::Leaf(!number as u32) }
}

/// The sets of categories of a tree.
struct Sets {
    boundaries: Vec<usize>,
    words: Vec<u32>,
}

impl Sets {
    fn read(block: &Block<'_>) -> Result<Self, ReadError> {
        let count = if block.get("num_cat").is_some() { block.number("num_cat")? } else { 0 };
        if count == 0 {
            return Ok(Self { boundaries: Vec::new(), words: Vec::new() });
        }
        let boundaries: Vec<usize> = block.list("cat_boundaries", count.saturating_add(1))?;
        if !boundaries.is_sorted() {
            let found = format!("{boundaries:?}");
            return Err(block.wrong("cat_boundaries", found, "numbers that rise".to_owned()));
        }
        let words = block.list("cat_threshold", boundaries[count])?;
        Ok(Self { boundaries, words })
    }

    fn test(&self, block: &Block<'_>, number: f64) -> Result<Test, ReadError> {
        let count = self.boundaries.len().saturating_sub(1);
        if (0.0..count as f64).contains(&number) {
            let (first, end) =
                (self.boundaries[number as usize], self.boundaries[number as usize + 1]);
            return Ok(Test::In(self.words[first..end].to_vec()));
        }
        Err(block.wrong(
            "threshold",
            format!("the set {number}"),
            format!("the number of one of {count}"),
        ))
    }
}

fn linear(block: &Block<'_>, leaf_count: usize) -> Result<Vec<Linear>, ReadError> {
    let constants: Vec<f64> = block.list("leaf_const", leaf_count)?;
    let counts: Vec<usize> = block.list("num_features", leaf_count)?;
    let terms = counts.iter().try_fold(0_usize, |sum, count| sum.checked_add(*count));
    let terms = terms.ok_or_else(|| {
        block.wrong("num_features", "too many".to_owned(), "as many as leaf_features".to_owned())
    })?;
    let columns: Vec<u32> = block.list("leaf_features", terms)?;
    let coefficients: Vec<f64> = block.list("leaf_coeff", terms)?;
    let mut terms = columns.into_iter().zip(coefficients);
    let of_leaf = |(constant, count): (f64, usize)| Linear {
        constant,
        terms: terms.by_ref().take(count).collect(),
    };
    Ok(constants.into_iter().zip(counts).map(of_leaf).collect())
}
