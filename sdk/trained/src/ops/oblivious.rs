//! Oblivious trees, which are CatBoost's own: all nodes of one depth ask the same, so that the answers are the number of the leaf.

use serde::{Deserialize, Serialize};

use super::Shape;
use super::bins::{Bins, Split};
use crate::block::{Block, ValueType};

/// Sums of the leaves of oblivious trees, in double precision and in the order of the trees.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Oblivious {
    /// How rows become bins.
    pub bins: Bins,
    /// How deep each tree is.
    #[serde(with = "crate::packed")]
    pub depths: Vec<u8>,
    /// What the trees ask, from the lowest bit of a leaf's number to the highest.
    #[serde(with = "crate::packed")]
    pub splits: Vec<Split>,
    /// The leaves of all trees in their order, each with a value for each output.
    #[serde(with = "crate::packed")]
    pub leaves: Vec<f64>,
    /// What becomes of the sums.
    pub ends: Ends,
}

/// What becomes of the sums of trees: `scale * sum + bias`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Ends {
    /// What each sum is multiplied by.
    pub scale: f64,
    /// What is then added to each output. There are as many outputs.
    pub bias: Vec<f64>,
}

/// How many rows go through the trees side by side.
const ROWS: usize = 64;
/// From how many rows on that is worth it.
const SEVERAL: usize = 6;
/// The depth up to which the number of a leaf is a byte.
const SHALLOW: usize = 8;
/// How many trees of one depth are added at once.
const TOGETHER: usize = 4;
/// How deep a tree can be, as CatBoost has it.
const MAX_DEPTH: u8 = 16;

impl Ends {
    /// How many outputs there are.
    pub(super) fn outputs(&self) -> usize {
        self.bias.len()
    }

    /// Makes predictions of sums, row after row.
    pub(super) fn apply(&self, sums: &mut [f64]) {
        for row in sums.chunks_exact_mut(self.outputs()) {
            for (sum, bias) in row.iter_mut().zip(&self.bias) {
                *sum = self.scale * *sum + bias;
            }
        }
    }
}

impl Oblivious {
    pub(crate) fn check(&self, inputs: &[Shape]) -> Result<Shape, String> {
        let outputs = self.ends.outputs();
        let deep = self.depths.iter().any(|depth| *depth > MAX_DEPTH);
        let splits = self.depths.iter().map(|depth| usize::from(*depth)).sum::<usize>();
        let leaves =
            self.depths.iter().map(|depth| outputs << depth.min(&MAX_DEPTH)).sum::<usize>();
        if outputs == 0 || deep || splits != self.splits.len() || leaves != self.leaves.len() {
            return Err(format!(
                "oblivious trees have {} splits and {} leaves for {outputs} outputs, expected {splits} and {leaves}",
                self.splits.len(),
                self.leaves.len()
            ));
        }
        self.bins.check(inputs, &self.splits)?;
        Ok(Shape { values: ValueType::F64, width: outputs })
    }

    pub(crate) fn run(&self, inputs: &[&Block], rows: usize) -> Block {
        let outputs = self.ends.outputs();
        let mut sums = vec![0.0; rows * outputs];
        let mut first = 0;
        while rows - first >= SEVERAL {
            let some = ROWS.min(rows - first);
            self.add::<ROWS>(inputs, first, &mut sums[first * outputs..][..some * outputs]);
            first += some;
        }
        for row in first..rows {
            self.add::<1>(inputs, row, &mut sums[row * outputs..][..outputs]);
        }
        self.ends.apply(&mut sums);
        Block::f64(outputs, sums)
    }

    /// Adds the leaves of rows from `first` on, at most `N`, to their sums.
    fn add<const N: usize>(&self, inputs: &[&Block], first: usize, sums: &mut [f64]) {
        let outputs = self.ends.outputs();
        let mut bins = vec![[0; N]; self.bins.count()];
        self.bins.fill(inputs, first, sums.len() / outputs, &mut bins);
        let (mut splits, mut leaves) = (&self.splits[..], &self.leaves[..]);
        let mut depths = &self.depths[..];
        while let [depth, later @ ..] = depths {
            if outputs == 1 && N > 1 {
                let done = add_several(depths, &mut splits, &mut leaves, &bins, sums);
                if done > 0 {
                    depths = &depths[done..];
                    continue;
                }
            }
            depths = later;
            let depth = usize::from(*depth);
            let (these, later) = splits.split_at(depth);
            let (values, others) = leaves.split_at(outputs << depth);
            (splits, leaves) = (later, others);
            if depth <= SHALLOW {
                add_leaves(&numbers::<u8, N>(these, &bins), values, outputs, sums);
            } else {
                add_leaves(&numbers::<u16, N>(these, &bins), values, outputs, sums);
            }
        }
    }
}

/// Adds the leaves of the next trees, if they are as deep as each other and shallow, and returns how many they were.
fn add_several<const N: usize>(
    depths: &[u8],
    splits: &mut &[Split],
    leaves: &mut &[f64],
    bins: &[[u8; N]],
    sums: &mut [f64],
) -> usize {
    let Some(same) = depths.first_chunk::<TOGETHER>() else { return 0 };
    if same.iter().any(|depth| *depth != same[0]) {
        return 0;
    }
    match same[0] {
        2 => add_together::<4, N>(2, splits, leaves, bins, sums),
        3 => add_together::<8, N>(3, splits, leaves, bins, sums),
        4 => add_together::<16, N>(4, splits, leaves, bins, sums),
        5 => add_together::<32, N>(5, splits, leaves, bins, sums),
        6 => add_together::<64, N>(6, splits, leaves, bins, sums),
        7 => add_together::<128, N>(7, splits, leaves, bins, sums),
        8 => add_together::<256, N>(8, splits, leaves, bins, sums),
        _ => return 0,
    }
    TOGETHER
}

/// The same for a depth that is known, so that no leaf has to be looked for beyond its tree; the sum of a row stays in its register.
fn add_together<const LEAVES: usize, const N: usize>(
    depth: usize,
    splits: &mut &[Split],
    leaves: &mut &[f64],
    bins: &[[u8; N]],
    sums: &mut [f64],
) {
    let (these, later) = splits.split_at(TOGETHER * depth);
    let (values, others) = leaves.split_at(TOGETHER * LEAVES);
    (*splits, *leaves) = (later, others);
    let [a, b, c, d] =
        std::array::from_fn(|at| numbers::<u8, N>(&these[at * depth..][..depth], bins));
    let (values, _) = values.as_chunks::<LEAVES>();
    let [of_a, of_b, of_c, of_d] = values else { unreachable!("as many as trees") };
    let leaf = |number: u8| usize::from(number) % LEAVES;
    for ((((sum, a), b), c), d) in sums.iter_mut().zip(&a).zip(&b).zip(&c).zip(&d) {
        *sum = *sum + of_a[leaf(*a)] + of_b[leaf(*b)] + of_c[leaf(*c)] + of_d[leaf(*d)];
    }
}

/// The number of the leaf of each row, from the answers to the splits of a tree.
fn numbers<T, const N: usize>(splits: &[Split], bins: &[[u8; N]]) -> [T; N]
where
    T: Copy + From<bool> + From<u8> + std::ops::BitOrAssign + std::ops::Shl<usize, Output = T>,
{
    let mut numbers = [T::from(false); N];
    for (depth, split) in splits.iter().enumerate() {
        let bit = T::from(true) << depth;
        for (number, bin) in numbers.iter_mut().zip(&bins[usize::from(split.bin)]) {
            *number |= if *bin >= split.from { bit } else { T::from(false) };
        }
    }
    numbers
}

fn add_leaves<T: Copy + Into<usize>, const N: usize>(
    numbers: &[T; N],
    leaves: &[f64],
    outputs: usize,
    sums: &mut [f64],
) {
    if outputs == 1 {
        for (sum, number) in sums.iter_mut().zip(numbers) {
            let number: usize = (*number).into();
            *sum += leaves[number];
        }
        return;
    }
    for (sums, number) in sums.chunks_exact_mut(outputs).zip(numbers) {
        let number: usize = (*number).into();
        for (sum, leaf) in sums.iter_mut().zip(&leaves[number * outputs..][..outputs]) {
            *sum += leaf;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::bins::Borders;

    const DEEP: usize = 5;

    /// Trees over two numbers of two borders each: five of depth `depth`, and one that is a leaf.
    fn trees(depth: u8, outputs: usize) -> Oblivious {
        let borders =
            |column| Borders { column, missing_above: column == 1, borders: vec![0.0, 1.0] };
        let split = |level: u8| Split { bin: u16::from(level % 2), from: 1 + level / 2 % 2 };
        let leaves = (DEEP * outputs) << depth;
        Oblivious {
            bins: Bins { numbers: vec![borders(0), borders(1)], ..Bins::default() },
            depths: [[depth; DEEP].as_slice(), &[0]].concat(),
            splits: (0..DEEP as u8 * depth).map(split).collect(),
            leaves: (0..leaves + outputs).map(|leaf| leaf as f64).collect(),
            ends: Ends { scale: 0.5, bias: (0..outputs).map(|output| output as f64).collect() },
        }
    }

    fn expected(trees: &Oblivious, row: &[f32]) -> Vec<f64> {
        let outputs = trees.ends.bias.len();
        let depth = usize::from(trees.depths[0]);
        let mut sums = vec![0.0; outputs];
        let mut add = |leaf: usize| {
            let leaf = &trees.leaves[leaf * outputs..][..outputs];
            sums.iter_mut().zip(leaf).for_each(|(sum, leaf)| *sum += leaf);
        };
        for tree in 0..DEEP {
            let splits = &trees.splits[tree * depth..][..depth];
            let answer = |(at, split): (usize, &Split)| {
                let borders = &trees.bins.numbers[usize::from(split.bin)];
                let value = row[borders.column as usize];
                let above = value > borders.borders[usize::from(split.from) - 1];
                usize::from(above || (value.is_nan() && borders.missing_above)) << at
            };
            add((tree << depth) + splits.iter().enumerate().map(answer).sum::<usize>());
        }
        add(DEEP << depth);
        sums.iter().zip(&trees.ends.bias).map(|(sum, bias)| 0.5 * sum + bias).collect()
    }

    #[test]
    fn rows_find_their_leaves_alone_and_side_by_side() {
        let values = [-1.0, -0.0, 0.0, 0.5, 1.0, 2.0, f32::INFINITY, f32::NAN];
        let rows: Vec<f32> =
            (0..150).flat_map(|row| [values[row % 8], values[row / 8 % 8]]).collect();
        for (depth, outputs) in
            [(0, 1), (2, 1), (3, 1), (6, 1), (7, 1), (4, 1), (4, 3), (8, 1), (9, 2), (16, 1)]
        {
            let trees = trees(depth, outputs);
            let shape = Shape { values: ValueType::F32, width: 2 };
            assert_eq!(
                trees.check(&[shape]).unwrap(),
                Shape { values: ValueType::F64, width: outputs }
            );
            for count in [1, 5, 64, 70, 150] {
                let found = trees.run(&[&Block::f32(2, rows[..2 * count].to_vec())], count);
                let expected: Vec<f64> =
                    rows[..2 * count].chunks(2).flat_map(|row| expected(&trees, row)).collect();
                assert_eq!(found, Block::f64(outputs, expected), "{depth} {outputs} {count}");
            }
        }
    }

    #[test]
    fn trees_that_do_not_fit_are_refused() {
        let mut wrong = trees(2, 1);
        wrong.leaves.pop();
        let shape = Shape { values: ValueType::F32, width: 2 };
        assert_eq!(
            wrong.check(&[shape]).unwrap_err(),
            "oblivious trees have 10 splits and 20 leaves for 1 outputs, expected 10 and 21"
        );
    }
}
