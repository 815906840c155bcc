//! XGBoost's linear model, which leaves missing values out.

use serde::{Deserialize, Serialize};

use super::Shape;
use crate::block::{Block, ValueType, Values};

/// Weighted sums in single precision, in the order of the columns: each begins with its start, and goes past missing values.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SparseLinear {
    /// Where the sum of each output starts. There are as many outputs.
    #[serde(with = "crate::packed")]
    pub starts: Vec<f32>,
    /// The weights, column after column, each with one for each output.
    #[serde(with = "crate::packed")]
    pub weights: Vec<f32>,
}

impl SparseLinear {
    pub(crate) fn check(&self, inputs: &[Shape]) -> Result<Shape, String> {
        let outputs = self.starts.len();
        match inputs {
            [Shape { values: ValueType::F32, width }]
                if outputs > 0 && self.weights.len() == width * outputs =>
            {
                Ok(Shape { values: ValueType::F32, width: outputs })
            }
            _ => Err(format!(
                "{} weights for {outputs} outputs take one block of F32, found {inputs:?}",
                self.weights.len()
            )),
        }
    }

    pub(crate) fn run(&self, inputs: &[&Block], rows: usize) -> Block {
        let Values::F32(values) = &inputs[0].values else { unreachable!("checked: F32") };
        let (width, outputs) = (inputs[0].width, self.starts.len());
        let mut sums = Vec::with_capacity(rows * outputs);
        for row in 0..rows {
            sums.extend_from_slice(&self.starts);
            let sums = &mut sums[row * outputs..];
            let row = &values[row * width..][..width];
            for (value, weights) in row.iter().zip(self.weights.chunks_exact(outputs)) {
                if value.is_nan() {
                    continue;
                }
                for (sum, weight) in sums.iter_mut().zip(weights) {
                    *sum += value * weight;
                }
            }
        }
        Block::f32(outputs, sums)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_values_are_left_out_of_the_sums() {
        let linear = SparseLinear { starts: vec![1.0, -1.0], weights: vec![2.0, 0.5, 4.0, 0.25] };
        let shape = Shape { values: ValueType::F32, width: 2 };
        assert_eq!(linear.check(&[shape]).unwrap().width, 2);
        let block = Block::f32(2, vec![1.0, 2.0, f32::NAN, 2.0]);
        assert_eq!(linear.run(&[&block], 2), Block::f32(2, vec![11.0, 0.0, 9.0, -0.5]));
        assert_eq!(
            linear.check(&[Shape { width: 3, ..shape }]).unwrap_err(),
            "4 weights for 2 outputs take one block of F32, found [Shape { values: F32, width: 3 }]"
        );
    }
}
