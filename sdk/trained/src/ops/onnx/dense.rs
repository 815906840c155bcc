//! Sums of products: MatMul, Gemm, LinearClassifier and LinearRegressor.

use serde::{Deserialize, Serialize};

use super::single;
use crate::block::{Block, Values};
use crate::ops::Shape;
use crate::ops::dense::{panel_of, side_by_side};
use crate::ops::lanes::LANES;

/// For how many rows sums are formed at a time.
const ROWS: usize = 4;

/// Multiplies each row with a matrix, in single precision: products are added in the order of the inputs, the bias last.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Dense {
    /// How many outputs there are.
    pub outputs: u32,
    /// The matrix: for each input the weights of all outputs.
    #[serde(with = "crate::packed")]
    pub weights: Vec<f32>,
    /// What is added to each output.
    pub bias: Option<Vec<f32>>,
}

impl Dense {
    /// Of a matrix that has for each output the weights of all inputs.
    pub fn transposed(outputs: usize, weights: &[f32], bias: Option<Vec<f32>>) -> Self {
        let inputs = weights.len() / outputs.max(1);
        let by_input = (0..inputs)
            .flat_map(|input| (0..outputs).map(move |output| weights[output * inputs + input]));
        Self { outputs: outputs as u32, weights: by_input.collect(), bias }
    }

    pub(crate) fn check(&self, input: Shape) -> Result<Shape, String> {
        let outputs = self.outputs as usize;
        if outputs == 0 || input.width * outputs != self.weights.len() {
            return Err(format!(
                "a product of {} inputs with {} weights of {outputs} outputs",
                input.width,
                self.weights.len()
            ));
        }
        if self.bias.as_ref().is_some_and(|bias| bias.len() != outputs) {
            return Err(format!("a product has another bias than for {outputs} outputs"));
        }
        Ok(Shape { width: outputs, ..single("a product", input)? })
    }

    pub(crate) fn run(&self, input: &Block, rows: usize) -> Block {
        let Values::F32(values) = &input.values else { unreachable!("checked: F32") };
        let outputs = self.outputs as usize;
        let mut sums = vec![0.0_f32; rows * outputs];
        let width = self.weights.len() / outputs;
        let mut block = vec![[0.0; ROWS]; width];
        let whole = rows - rows % ROWS;
        let (blocks, rest) = sums.split_at_mut(whole * outputs);
        let (rows, row_rest) = values.split_at(whole * width);
        for (at, sums) in blocks.chunks_exact_mut(ROWS * outputs).enumerate() {
            side_by_side(&rows[at * ROWS * width..][..ROWS * width], &mut block);
            self.multiply(&block, sums);
        }
        for (at, sums) in rest.chunks_exact_mut(outputs).enumerate() {
            let (row, _) = row_rest[at * width..][..width].as_chunks::<1>();
            self.multiply(row, sums);
        }
        Block::f32(outputs, sums)
    }

    /// The sums of some rows, which are side by side. What is left of panels is formed output after output, of all these rows at a time.
    fn multiply<const N: usize>(&self, rows: &[[f32; N]], sums: &mut [f32]) {
        let outputs = self.outputs as usize;
        let whole = outputs - outputs % LANES;
        for from in (0..whole).step_by(LANES) {
            let weights = self.weights.get(from..).unwrap_or_default().chunks(outputs);
            let weights = weights
                .map(|weights| weights.first_chunk().expect("invariant: the panel is a whole one"));
            for (row, found) in panel_of(rows, weights).iter().enumerate() {
                let sums = &mut sums[row * outputs + from..][..LANES];
                match &self.bias {
                    Some(bias) => {
                        let found = found.iter().zip(&bias[from..][..LANES]);
                        sums.iter_mut()
                            .zip(found)
                            .for_each(|(sum, (found, bias))| *sum = found + bias);
                    }
                    None => sums.copy_from_slice(found),
                }
            }
        }
        for output in whole..outputs {
            let mut found = [0.0_f32; N];
            let weights = self.weights.iter().skip(output).step_by(outputs);
            for (values, weight) in rows.iter().zip(weights) {
                for row in 0..N {
                    found[row] += values[row] * weight;
                }
            }
            let bias = self.bias.as_ref().map(|bias| bias[output]);
            for (row, sum) in found.into_iter().enumerate() {
                sums[row * outputs + output] = bias.map_or(sum, |bias| sum + bias);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_gives_the_same_bits_alone_and_among_others() {
        for outputs in [1, 3, 8, 19] {
            let weights = (0..outputs * 9).map(|at| 1.0 / (at + 3) as f32).collect();
            let bias = (outputs != 3).then(|| vec![0.1; outputs]);
            let dense = Dense { outputs: outputs as u32, weights, bias };
            let values: Vec<f32> = (0..63).map(|at| (at as f32).sqrt()).collect();
            let run = |rows: &[f32]| dense.run(&Block::f32(9, rows.to_vec()), rows.len() / 9);
            let Values::F32(together) = run(&values).values else { panic!("no F32") };
            for (row, together) in values.chunks(9).zip(together.chunks(outputs)) {
                assert_eq!(run(row), Block::f32(outputs, together.to_vec()));
            }
        }
    }

    #[test]
    fn products_are_added_in_the_order_of_the_inputs() {
        let (inputs, outputs, rows) = (13, 21, 7);
        let weights: Vec<f32> = (0..inputs * outputs).map(|at| (at as f32).sin()).collect();
        let bias: Vec<f32> = (0..outputs).map(|at| (at as f32).cos()).collect();
        let values: Vec<f32> = (0..rows * inputs).map(|at| (at as f32 * 0.7).tan()).collect();
        let mut expected = Vec::new();
        for row in values.chunks(inputs) {
            for (output, bias) in bias.iter().enumerate() {
                let mut sum = 0.0;
                for (input, value) in row.iter().enumerate() {
                    sum += value * weights[input * outputs + output];
                }
                expected.push(sum + bias);
            }
        }
        let dense = Dense { outputs: outputs as u32, weights, bias: Some(bias) };
        let found = dense.run(&Block::f32(inputs, values), rows);
        assert_eq!(found, Block::f32(outputs, expected));
    }

    #[test]
    fn a_row_is_multiplied_with_a_matrix() {
        let weights: Vec<f32> = (0..20).map(|at| at as f32).collect();
        let dense = Dense { outputs: 10, weights, bias: Some(vec![0.5; 10]) };
        let result = dense.run(&Block::f32(2, vec![1.0, 2.0]), 1);
        let expected: Vec<f32> =
            (0..10).map(|at| at as f32 + 2.0 * (10 + at) as f32 + 0.5).collect();
        assert_eq!(result, Block::f32(10, expected));
        let one = Dense::transposed(1, &[2.0, 3.0], None);
        assert_eq!(
            one.run(&Block::f32(2, vec![1.0, 2.0, 0.5, -1.0]), 2),
            Block::f32(1, vec![8.0, -2.0])
        );
        let two = Dense::transposed(2, &[1.0, 2.0, 3.0, 4.0], None);
        assert_eq!(two.weights, [1.0, 3.0, 2.0, 4.0]);
    }
}
