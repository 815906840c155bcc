//! CatBoost's other trees, which it calls non-symmetric: every node asks for itself.

use serde::{Deserialize, Serialize};

use super::Shape;
use super::bins::{Bins, Split};
use super::oblivious::Ends;
use crate::block::{Block, ValueType};

/// Sums of the leaves of trees over bins, in double precision and in the order of the trees.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Asymmetric {
    /// How rows become bins.
    pub bins: Bins,
    /// Where each tree begins.
    #[serde(with = "crate::packed")]
    pub roots: Vec<Child>,
    /// What the nodes ask.
    #[serde(with = "crate::packed")]
    pub splits: Vec<Split>,
    /// Where it goes on, if the answer is no, and if it is yes. A node comes before its children.
    #[serde(with = "crate::packed")]
    pub children: Vec<[Child; 2]>,
    /// The leaves of all trees, each with a value for each output.
    #[serde(with = "crate::packed")]
    pub leaves: Vec<f64>,
    /// What becomes of the sums.
    pub ends: Ends,
}

/// The number of a node, or `!number` of a leaf.
pub type Child = i32;

/// How many rows have their bins made at once.
const ROWS: usize = 64;

impl Asymmetric {
    pub(crate) fn check(&self, inputs: &[Shape]) -> Result<Shape, String> {
        let outputs = self.ends.outputs();
        if outputs == 0 || self.children.len() != self.splits.len() {
            return Err(format!(
                "trees have {} splits and {} pairs of children for {outputs} outputs",
                self.splits.len(),
                self.children.len()
            ));
        }
        let leaves = self.leaves.len() / outputs;
        let is_there = |child: Child, after: usize| match usize::try_from(child) {
            Ok(node) => node >= after && node < self.splits.len(),
            Err(_) => (!child) as usize >= leaves,
        };
        let lost = |child: Child, after: usize| match usize::try_from(child) {
            Ok(_) => !is_there(child, after),
            Err(_) => is_there(child, after),
        };
        let mut pairs = self.children.iter().enumerate();
        let wrong = self.roots.iter().find(|root| lost(**root, 0)).or_else(|| {
            pairs.find_map(|(node, pair)| pair.iter().find(|child| lost(**child, node + 1)))
        });
        if let Some(child) = wrong {
            return Err(format!("a tree goes on at {child}, which does not come later"));
        }
        self.bins.check(inputs, &self.splits)?;
        Ok(Shape { values: ValueType::F64, width: outputs })
    }

    pub(crate) fn run(&self, inputs: &[&Block], rows: usize) -> Block {
        let outputs = self.ends.outputs();
        let mut sums = vec![0.0; rows * outputs];
        if rows == 1 {
            self.add::<1>(inputs, 0, &mut sums);
        } else {
            for (block, sums) in sums.chunks_mut(ROWS * outputs).enumerate() {
                self.add::<ROWS>(inputs, block * ROWS, sums);
            }
        }
        self.ends.apply(&mut sums);
        Block::f64(outputs, sums)
    }

    /// Adds the leaves of rows from `first` on, at most `N`, to their sums.
    fn add<const N: usize>(&self, inputs: &[&Block], first: usize, sums: &mut [f64]) {
        let outputs = self.ends.outputs();
        let mut bins = vec![[0; N]; self.bins.count()];
        self.bins.fill(inputs, first, sums.len() / outputs, &mut bins);
        for root in &self.roots {
            for (row, sums) in sums.chunks_exact_mut(outputs).enumerate() {
                let leaf = self.leaf(*root, row, &bins);
                for (sum, value) in sums.iter_mut().zip(&self.leaves[leaf * outputs..][..outputs]) {
                    *sum += value;
                }
            }
        }
    }

    fn leaf<const N: usize>(&self, root: Child, row: usize, bins: &[[u8; N]]) -> usize {
        let mut child = root;
        while let Ok(node) = usize::try_from(child) {
            let split = self.splits[node];
            let yes = bins[usize::from(split.bin)][row] >= split.from;
            let [no_child, yes_child] = self.children[node];
            child = if yes { yes_child } else { no_child };
        }
        (!child) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::bins::Borders;

    fn trees() -> Asymmetric {
        let borders = Borders { column: 0, missing_above: false, borders: vec![0.0, 1.0] };
        Asymmetric {
            bins: Bins { numbers: vec![borders], ..Bins::default() },
            roots: vec![0, !3],
            splits: vec![Split { bin: 0, from: 1 }, Split { bin: 0, from: 2 }],
            children: vec![[!0, 1], [!1, !2]],
            leaves: vec![1.0, 2.0, 3.0, 10.0],
            ends: Ends { scale: 1.0, bias: vec![0.5] },
        }
    }

    #[test]
    fn rows_find_their_leaves() {
        let trees = trees();
        let shape = Shape { values: ValueType::F32, width: 1 };
        assert_eq!(trees.check(&[shape]).unwrap().width, 1);
        let run = |values: &[f32]| trees.run(&[&Block::f32(1, values.to_vec())], values.len());
        assert_eq!(run(&[2.0]), Block::f64(1, vec![13.5]));
        let values = [0.0, 0.5, 1.0, 1.5, f32::NAN];
        assert_eq!(run(&values), Block::f64(1, vec![11.5, 12.5, 12.5, 13.5, 11.5]));
        assert_eq!(run(&[0.5; 200]), Block::f64(1, vec![12.5; 200]));
    }

    #[test]
    fn trees_that_lead_nowhere_are_refused() {
        let shape = Shape { values: ValueType::F32, width: 1 };
        for (node, children) in [(1, [!1, 1]), (1, [!1, 0]), (0, [!0, 2]), (0, [!4, 1])] {
            let mut wrong = trees();
            wrong.children[node] = children;
            let error = wrong.check(&[shape]).unwrap_err();
            assert!(error.ends_with("which does not come later"), "{error}");
        }
    }
}
