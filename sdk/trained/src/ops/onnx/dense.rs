//! Sums of products: MatMul, Gemm, LinearClassifier and LinearRegressor.

use serde::{Deserialize, Serialize};

use super::single;
use crate::block::{Block, Values};
use crate::ops::Shape;

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
        for (row, sums) in sums.chunks_exact_mut(outputs).enumerate() {
            let row = &values[row * input.width..][..input.width];
            match outputs {
                1 => {
                    let products = row.iter().zip(&self.weights);
                    sums[0] = products.fold(0.0, |sum, (x, weight)| sum + x * weight);
                }
                _ => self.multiply(row, sums),
            }
            if let Some(bias) = &self.bias {
                sums.iter_mut().zip(bias).for_each(|(sum, bias)| *sum += bias);
            }
        }
        Block::f32(outputs, sums)
    }

    /// Eight outputs at a time, so that their sums stay in registers.
    fn multiply(&self, row: &[f32], sums: &mut [f32]) {
        let outputs = sums.len();
        let mut from = 0;
        while from + 8 <= outputs {
            let mut eight = [0.0_f32; 8];
            for (x, weights) in row.iter().zip(self.weights.chunks_exact(outputs)) {
                let weights: &[f32; 8] =
                    weights[from..from + 8].try_into().expect("invariant: eight of them");
                for (sum, weight) in eight.iter_mut().zip(weights) {
                    *sum += x * weight;
                }
            }
            sums[from..from + 8].copy_from_slice(&eight);
            from += 8;
        }
        for (x, weights) in row.iter().zip(self.weights.chunks_exact(outputs)) {
            for (sum, weight) in sums[from..].iter_mut().zip(&weights[from..]) {
                *sum += x * weight;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
