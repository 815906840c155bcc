//! Forests against the plainest walk there is.

use super::*;

/// A linear congruential generator, so that a failure comes again.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (self.0 >> 33) % bound
    }
}

const VALUES: [f64; 14] = [
    0.0,
    -0.0,
    1.0,
    1.000_000_000_000_000_2,
    0.1,
    -3.5,
    7.9,
    40.0,
    1e-36,
    -1e300,
    f64::NAN,
    f64::INFINITY,
    f64::NEG_INFINITY,
    -0.5,
];

fn tree(random: &mut Random, width: u64, sets: bool) -> (Vec<Split>, Vec<f64>) {
    let count = random.below(12) as u32;
    let missing = [Missing::Nan, Missing::Never, Missing::Zero];
    let splits = (0..count)
        .map(|number| {
            let test = if sets && random.below(2) == 0 {
                Test::of_categories((0..random.below(6)).map(|_| random.below(70) as u32))
            } else {
                let threshold = VALUES[random.below(10) as usize];
                Test::AtMost(if random.below(9) == 0 { f64::INFINITY } else { threshold })
            };
            // A chain with leaves to the left, so that the depths differ.
            let next = number + 1;
            let leaf = Child::Leaf(number);
            let deeper = if next < count { Child::Split(next) } else { Child::Leaf(next) };
            let turn = random.below(2) == 0;
            Split {
                column: random.below(width) as u32,
                reading: Reading {
                    round: random.below(2) == 0,
                    missing: missing[random.below(3) as usize],
                },
                test,
                missing_left: random.below(2) == 0,
                left: if turn { leaf } else { deeper },
                right: if turn { deeper } else { leaf },
            }
        })
        .collect();
    (splits, (0..=count).map(|leaf| f64::from(leaf) * 0.1 + random.below(100) as f64).collect())
}

fn plain(splits: &[Split], row: &[f64]) -> u32 {
    let mut at = if splits.is_empty() { Child::Leaf(0) } else { Child::Split(0) };
    loop {
        let number = match at {
            Child::Leaf(leaf) => return leaf,
            Child::Split(number) => number,
        };
        let split = &splits[number as usize];
        let mut value = row[split.column as usize];
        if split.reading.round {
            value = f64::from(value as f32);
        }
        let missing = match split.reading.missing {
            Missing::Nan => value.is_nan(),
            Missing::Zero => value.is_nan() || value.abs() <= f64::from(1e-35_f32),
            Missing::Never => {
                value = if value.is_nan() { 0.0 } else { value };
                false
            }
        };
        let left = match &split.test {
            _ if missing => split.missing_left,
            Test::AtMost(threshold) => value <= *threshold,
            Test::In(words) => {
                let code = value.trunc() as i64;
                let word = words.get((code / 32) as usize).copied().unwrap_or(0);
                code >= 0 && word >> (code % 32) & 1 == 1
            }
        };
        at = if left { split.left } else { split.right };
    }
}

fn check(seed: u64, sets: bool, rows: usize) {
    let mut random = Random(seed);
    let (width, outputs) = (5, 3);
    let mut builder = ForestBuilder::new(width, vec![0.5, -1.0, 0.25]);
    let trees: Vec<_> = (0..30).map(|_| tree(&mut random, width as u64, sets)).collect();
    for (number, (splits, leaves)) in trees.iter().enumerate() {
        builder.add_tree((number % outputs) as u32, splits, leaves).unwrap();
    }
    let forest = builder.finish(ValueType::F64).unwrap();
    let shape = Shape { values: ValueType::F64, width };
    assert_eq!(forest.check(&[shape]), Ok(Shape { values: ValueType::F64, width: outputs }));

    let input: Vec<f64> = (0..rows * width).map(|_| VALUES[random.below(14) as usize]).collect();
    let sums = forest.run(&[&Block::f64(width, input.clone())], rows);
    let mut expected = Vec::new();
    for row in input.chunks_exact(width) {
        let mut sums = [0.5, -1.0, 0.25];
        for (number, (splits, leaves)) in trees.iter().enumerate() {
            sums[number % outputs] += leaves[plain(splits, row) as usize];
        }
        expected.extend(sums);
    }
    assert_eq!(sums, Block::f64(outputs, expected), "seed {seed}");

    let bytes = postcard::to_allocvec(&forest).unwrap();
    let read: Forest = postcard::from_bytes(&bytes).unwrap();
    assert_eq!(read.check(&[shape]), forest.check(&[shape]));
    assert_eq!(read.run(&[&Block::f64(width, input)], rows), sums);
}

#[test]
fn one_row_walks_as_the_plain_walk_does() {
    (0..300).for_each(|seed| check(seed, seed % 2 == 0, 1));
}

#[test]
fn many_rows_walk_as_the_plain_walk_does() {
    (0..60).for_each(|seed| check(seed, seed % 2 == 0, 7 + seed as usize * 5));
}

#[test]
fn sums_of_single_precision_are_rounded_tree_by_tree() {
    let mut builder = ForestBuilder::new(1, vec![0.0]);
    for leaf in [1.0, 1e-8, 1e-8, 1e-8] {
        builder.add_tree(0, &[], &[leaf]).unwrap();
    }
    let forest = builder.finish(ValueType::F32).unwrap();
    let rows = Block::f32(1, vec![0.0; 20]);
    assert_eq!(forest.run(&[&rows], 20), Block::f32(1, vec![1.0; 20]));
}

#[test]
fn a_leaf_may_hold_a_value_for_each_sum() {
    let split = Split {
        column: 0,
        reading: Reading { round: false, missing: Missing::Nan },
        test: Test::less_f64(0.0).unwrap(),
        missing_left: true,
        left: Child::Leaf(0),
        right: Child::Leaf(1),
    };
    let mut builder = ForestBuilder::new(1, vec![1.0, 2.0]);
    builder.add_vector_tree(&[split], &[10.0, 20.0, 30.0, 40.0]).unwrap();
    let forest = builder.finish(ValueType::F64).unwrap();
    let rows = Block::f64(1, vec![-0.0, -1e-300, f64::NAN]);
    let sums = Block::f64(2, vec![31.0, 42.0, 11.0, 22.0, 11.0, 22.0]);
    assert_eq!(forest.run(&[&rows], 3), sums);
}

#[test]
fn a_linear_leaf_has_its_plain_value_where_something_is_missing() {
    let linear = Linear { constant: 1.0, terms: vec![(1, 2.0), (0, 0.5)] };
    let mut builder = ForestBuilder::new(2, vec![0.0]);
    builder.add_tree(0, &[], &[100.0]).unwrap();
    builder.add_linear_tree(0, &[], vec![(-7.0, linear)]).unwrap();
    let forest = builder.finish(ValueType::F64).unwrap();
    let rows = Block::f64(2, vec![4.0, 3.0, f64::NAN, 3.0]);
    assert_eq!(forest.run(&[&rows], 2), Block::f64(1, vec![109.0, 93.0]));
}

#[test]
fn what_is_no_tree_is_refused() {
    let split = |left, right| Split {
        column: 0,
        reading: Reading { round: false, missing: Missing::Nan },
        test: Test::AtMost(0.0),
        missing_left: true,
        left,
        right,
    };
    let refused = |splits: &[Split]| {
        let why = ForestBuilder::new(1, vec![0.0]).add_tree(0, splits, &[1.0]).unwrap_err();
        why.to_string()
    };
    let leaf = Child::Leaf(0);
    assert_eq!(refused(&[split(leaf, Child::Leaf(1))]), "tree 0: leads to leaf 1 of 1");
    assert_eq!(refused(&[split(leaf, Child::Split(0))]), "tree 0: leads to split 0 twice");
    assert_eq!(refused(&[split(leaf, Child::Split(7))]), "tree 0: leads to split 7 of 1");
    let aside = Split { column: 1, ..split(leaf, leaf) };
    assert_eq!(refused(&[aside]), "tree 0: tests column 1 of 1");
}
