//! Sums of products: linear models, and layers of nets.
//!
//! The order of a sum is fixed by the step and not by how many rows there are, so a row gives the same bits alone and among others.
//! It is not the order of any BLAS, which has several itself.

use serde::{Deserialize, Serialize};

use super::Shape;
use super::lanes::{LANES, Lanes};
use super::numbers::{Numbers, Real, expect, one_of_numbers};
use crate::block::{Block, ValueType};

/// So many outputs are better formed beside each other than one after the other.
const FEW: usize = 3;

/// For each output the sum of all columns times their weights, plus a bias.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Dense {
    inputs: u32,
    bias: Numbers,
    /// Few outputs: the weights of one after those of another. Otherwise panels of [`LANES`] outputs, filled up with zeros, and in a
    /// panel the weights of one input after those of another.
    weights: Numbers,
}

impl Dense {
    /// A step from weights that are given output after output, and biases. All are of one type.
    pub fn new(inputs: u32, weights: Numbers, bias: Numbers) -> Self {
        let weights = match weights {
            Numbers::F64(them) => Numbers::F64(panels(them, inputs as usize, bias.len())),
            Numbers::F32(them) => Numbers::F32(panels(them, inputs as usize, bias.len())),
        };
        Self { inputs, bias, weights }
    }

    pub(crate) fn check(&self, inputs: &[Shape]) -> Result<Shape, String> {
        let input = one_of_numbers("dense", inputs)?;
        let (width, outputs) = (self.inputs as usize, self.bias.len());
        if input.width != width {
            return Err(format!("dense takes {width} columns, found {}", input.width));
        }
        let count = if outputs <= FEW { outputs } else { outputs.next_multiple_of(LANES) };
        expect("dense", &self.weights, input, width * count)?;
        expect("dense", &self.bias, input, outputs)?;
        Ok(Shape { width: outputs, ..input })
    }

    pub(crate) fn run(&self, inputs: &[&Block], rows: usize) -> Block {
        match inputs[0].value_type() {
            ValueType::F32 => self.of::<f32>(inputs[0], rows),
            _ => self.of::<f64>(inputs[0], rows),
        }
    }

    fn of<T: Real>(&self, input: &Block, rows: usize) -> Block {
        let values = T::of(input).expect("invariant: checked");
        let weights = T::learnt(&self.weights).expect("invariant: checked");
        let bias = T::learnt(&self.bias).expect("invariant: checked");
        let (width, outputs) = (self.inputs as usize, bias.len());
        let mut sums = vec![T::ZERO; rows * outputs];
        let row = |at: usize| &values[at * width..][..width];
        if outputs <= FEW {
            for (at, sums) in sums.chunks_exact_mut(outputs.max(1)).enumerate() {
                for (output, (sum, bias)) in sums.iter_mut().zip(bias).enumerate() {
                    *sum = dot(row(at), &weights[output * width..][..width]) + *bias;
                }
            }
            return T::block(outputs, sums);
        }
        let first = match T::ROWS {
            4 => self.blocks::<T, 4>(values, &mut sums),
            _ => self.blocks::<T, 2>(values, &mut sums),
        };
        for at in first..rows {
            let (row, _) = row(at).as_chunks::<1>();
            self.panels(row, &mut sums[at * outputs..][..outputs]);
        }
        T::block(outputs, sums)
    }

    /// The sums of as many rows as make whole blocks. Returns how many that are.
    fn blocks<T: Real, const ROWS: usize>(&self, values: &[T], sums: &mut [T]) -> usize {
        let (width, outputs) = (self.inputs as usize, self.bias.len());
        let mut block = vec![[T::ZERO; ROWS]; width];
        let mut all = sums.chunks_exact_mut(ROWS * outputs);
        let mut first = 0;
        for sums in &mut all {
            side_by_side(&values[first * width..][..ROWS * width], &mut block);
            self.panels(&block, sums);
            first += ROWS;
        }
        first
    }

    /// All sums of some rows, panel after panel.
    fn panels<T: Real, const ROWS: usize>(&self, rows: &[[T; ROWS]], sums: &mut [T]) {
        let weights = T::learnt(&self.weights).expect("invariant: checked");
        let bias = T::learnt(&self.bias).expect("invariant: checked");
        let (width, outputs) = (self.inputs as usize, bias.len());
        for (panel, bias) in bias.chunks(LANES).enumerate() {
            let weights = &weights[panel * LANES * width..][..LANES * width];
            let (weights, _) = weights.as_chunks::<LANES>();
            let found = panel_of(rows, weights);
            for (row, found) in found.iter().enumerate() {
                let sums = &mut sums[row * outputs + panel * LANES..][..bias.len()];
                for ((sum, found), bias) in sums.iter_mut().zip(found).zip(bias) {
                    *sum = *found + *bias;
                }
            }
        }
    }
}

/// Weights as they are stored, from those of one output after those of another.
fn panels<T: Real>(weights: Vec<T>, inputs: usize, outputs: usize) -> Vec<T> {
    // What has not as many weights as it should is left to the check.
    if outputs <= FEW || weights.len() != inputs * outputs {
        return weights;
    }
    let mut stored = vec![T::ZERO; inputs * outputs.next_multiple_of(LANES)];
    for output in 0..outputs {
        let panel = output - output % LANES;
        for input in 0..inputs {
            stored[panel * inputs + input * LANES + output % LANES] =
                weights[output * inputs + input];
        }
    }
    stored
}

fn dot<T: Real>(row: &[T], weights: &[T]) -> T {
    let mut parts = T::Lanes::splat(T::ZERO);
    let (rows, row_rest) = row.as_chunks::<LANES>();
    let (weights, weights_rest) = weights.as_chunks::<LANES>();
    for (row, weights) in rows.iter().zip(weights) {
        parts = parts.plus_product(T::Lanes::of(row), T::Lanes::of(weights));
    }
    let mut parts = parts.array();
    let mut sum = T::ZERO;
    for (value, weight) in row_rest.iter().zip(weights_rest) {
        sum = sum + *value * *weight;
    }
    let mut count = LANES;
    while count > 1 {
        count /= 2;
        for lane in 0..count {
            parts[lane] = parts[lane] + parts[lane + count];
        }
    }
    parts[0] + sum
}

/// Puts rows, one after another, side by side: for each input the values of all of them.
pub(super) fn side_by_side<T: Real, const ROWS: usize>(rows: &[T], block: &mut [[T; ROWS]]) {
    let width = block.len();
    let rows: [&[T]; ROWS] = std::array::from_fn(|row| &rows[row * width..][..width]);
    for (input, values) in block.iter_mut().enumerate() {
        *values = rows.map(|row| row[input]);
    }
}

/// The sums of a panel for some rows, so that the weights are read once, and their sums fill the registers. Both are given input after
/// input.
#[inline(always)]
pub(super) fn panel_of<'a, T: Real + 'a, const ROWS: usize>(
    rows: &[[T; ROWS]],
    weights: impl IntoIterator<Item = &'a [T; LANES]>,
) -> [[T; LANES]; ROWS] {
    let mut sums = [T::Lanes::splat(T::ZERO); ROWS];
    for (values, weights) in rows.iter().zip(weights) {
        let weights = T::Lanes::of(weights);
        for row in 0..ROWS {
            sums[row] = sums[row].plus_product(T::Lanes::splat(values[row]), weights);
        }
    }
    sums.map(Lanes::array)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whole numbers, so that every order of a sum gives the same.
    fn check(inputs: usize, outputs: usize, rows: usize) {
        let weight = |output: usize, input: usize| ((output * 7 + input * 3) % 11) as f64 - 5.0;
        let value = |row: usize, input: usize| ((row * 5 + input) % 13) as f64 - 6.0;
        let weights =
            (0..outputs).flat_map(|output| (0..inputs).map(move |input| weight(output, input)));
        let bias: Vec<_> = (0..outputs).map(|output| output as f64).collect();
        let dense = Dense::new(inputs as u32, Numbers::F64(weights.collect()), Numbers::F64(bias));
        let shape = dense.check(&[Shape { values: ValueType::F64, width: inputs }]);
        assert_eq!(shape, Ok(Shape { values: ValueType::F64, width: outputs }));
        let values = (0..rows).flat_map(|row| (0..inputs).map(move |input| value(row, input)));
        let found = dense.run(&[&Block::f64(inputs, values.collect())], rows);
        let sum = |row: usize, output: usize| {
            (0..inputs).map(|input| value(row, input) * weight(output, input)).sum::<f64>()
                + output as f64
        };
        let expected = (0..rows).flat_map(|row| (0..outputs).map(move |output| sum(row, output)));
        assert_eq!(found, Block::f64(outputs, expected.collect()), "{inputs} by {outputs}");
    }

    #[test]
    fn sums_are_those_of_the_definition() {
        for (inputs, outputs) in [(0, 1), (1, 1), (7, 1), (8, 2), (35, 3), (3, 4), (17, 8), (5, 19)]
        {
            for rows in [1, 2, 5] {
                check(inputs, outputs, rows);
            }
        }
    }

    #[test]
    fn a_row_gives_the_same_bits_alone_and_among_others() {
        for outputs in [1, 5] {
            let weights = (0..outputs * 9).map(|at| 1.0 / (at + 3) as f32).collect();
            let bias = vec![0.1; outputs];
            let dense = Dense::new(9, Numbers::F32(weights), Numbers::F32(bias));
            let values: Vec<_> = (0..27).map(|at| (at as f32).sqrt()).collect();
            let together = dense.run(&[&Block::f32(9, values.clone())], 3);
            let alone = values
                .chunks(9)
                .flat_map(|row| match dense.run(&[&Block::f32(9, row.to_vec())], 1).values {
                    crate::block::Values::F32(values) => values,
                    _ => Vec::new(),
                })
                .collect();
            assert_eq!(together, Block::f32(outputs, alone));
        }
    }
}
