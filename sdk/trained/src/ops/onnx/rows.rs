//! Concat, Softmax and Normalizer: what is done to a row as a whole.

use serde::{Deserialize, Serialize};

use crate::block::{Block, ValueType, Values};
use crate::ops::Shape;

use super::{floats, single};

/// Puts tensors beside each other, in chunks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Concat {
    /// For each block the length of a chunk: a row holds as many chunks of one block as of another.
    pub chunks: Vec<u32>,
}

impl Concat {
    pub(crate) fn check(&self, inputs: &[Shape]) -> Result<Shape, String> {
        let first = *inputs.first().ok_or("Concat takes blocks, found none")?;
        if inputs.len() != self.chunks.len() {
            return Err(format!(
                "Concat has {} chunks for {} blocks",
                self.chunks.len(),
                inputs.len()
            ));
        }
        let many = first.width / (self.chunks[0] as usize).max(1);
        for (input, chunk) in inputs.iter().zip(&self.chunks) {
            if input.values != first.values || input.width != many * *chunk as usize {
                return Err(format!(
                    "Concat of {:?}[{}] in chunks of {chunk}, {many} in a row",
                    input.values, input.width
                ));
            }
        }
        Ok(Shape { values: first.values, width: inputs.iter().map(|input| input.width).sum() })
    }

    pub(crate) fn run(&self, inputs: &[&Block], rows: usize) -> Block {
        let width = inputs.iter().map(|input| input.width).sum();
        let many = rows * (inputs[0].width / (self.chunks[0] as usize).max(1));
        macro_rules! join {
            ($kind:ident) => {{
                let mut values = Vec::with_capacity(rows * width);
                for number in 0..many {
                    for (input, chunk) in inputs.iter().zip(&self.chunks) {
                        let Values::$kind(from) = &input.values else {
                            unreachable!("checked: one type")
                        };
                        let chunk = *chunk as usize;
                        values.extend_from_slice(&from[number * chunk..][..chunk]);
                    }
                }
                Values::$kind(values)
            }};
        }
        let values = match inputs[0].value_type() {
            ValueType::F64 => join!(F64),
            ValueType::F32 => join!(F32),
            ValueType::I64 => join!(I64),
            ValueType::Text => join!(Text),
        };
        Block { width, values }
    }
}

/// Exponentials of some values, divided by their sum; the greatest value is subtracted first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Softmax {
    /// How many values sum up to one; a row holds one or several such groups.
    pub group: u32,
    /// Whether it is the logarithms that are given.
    pub log: bool,
}

impl Softmax {
    pub(crate) fn check(self, input: Shape) -> Result<Shape, String> {
        match self.group as usize {
            0 => Err("Softmax of no values".to_owned()),
            group if input.width.is_multiple_of(group) => floats("Softmax", input),
            group => Err(format!("Softmax of {group} values in a row of {}", input.width)),
        }
    }

    pub(crate) fn run(self, input: &Block) -> Block {
        let group = self.group as usize;
        let values = match &input.values {
            Values::F32(values) => {
                let mut values = values.clone();
                values.chunks_exact_mut(group).for_each(|row| match self.log {
                    true => log_softmax(row),
                    false => softmax(row),
                });
                Values::F32(values)
            }
            Values::F64(values) => {
                let mut values = values.clone();
                values.chunks_exact_mut(group).for_each(|row| softmax_double(row, self.log));
                Values::F64(values)
            }
            _ => unreachable!("checked: floating point"),
        };
        Block { width: input.width, values }
    }
}

/// The greatest value, the exponentials of the differences to it, and their sum.
pub(super) fn softmax(row: &mut [f32]) {
    let greatest = row.iter().copied().fold(f32::MIN, f32::max);
    let mut sum = 0.0;
    for value in row.iter_mut() {
        *value = libm::expf(*value - greatest);
        sum += *value;
    }
    row.iter_mut().for_each(|value| *value /= sum);
}

fn log_softmax(row: &mut [f32]) {
    let greatest = row.iter().copied().fold(f32::MIN, f32::max);
    let sum: f32 = row.iter().map(|value| libm::expf(*value - greatest)).sum();
    let shift = libm::logf(sum);
    row.iter_mut().for_each(|value| *value = *value - greatest - shift);
}

fn softmax_double(row: &mut [f64], log: bool) {
    let greatest = row.iter().copied().fold(f64::MIN, f64::max);
    let sum: f64 = row.iter().map(|value| libm::exp(*value - greatest)).sum();
    for value in row {
        *value = match log {
            true => *value - greatest - libm::log(sum),
            false => libm::exp(*value - greatest) / sum,
        };
    }
}

/// Normalizer: each row divided by its length, unless that is zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Normalize {
    /// The greatest value.
    Max,
    /// The sum of the absolute values.
    L1,
    /// The root of the sum of squares. A value is the root of the share that its square has.
    L2,
}

impl Normalize {
    pub(crate) fn check(self, input: Shape) -> Result<Shape, String> {
        match input.width {
            0 => Err("Normalizer of no values".to_owned()),
            _ => single("Normalizer", input),
        }
    }

    pub(crate) fn run(self, input: &Block) -> Block {
        let Values::F32(values) = &input.values else { unreachable!("checked: F32") };
        let mut values = values.clone();
        values.chunks_exact_mut(input.width).for_each(|row| self.normalize(row));
        Block::f32(input.width, values)
    }

    fn normalize(self, row: &mut [f32]) {
        let length = match self {
            Self::Max => row.iter().fold(f32::MIN, |max, x| if max < *x { *x } else { max }),
            Self::L1 => row.iter().fold(0.0, |sum, x| sum + x.abs()),
            Self::L2 => row.iter().fold(0.0, |sum, x| sum + x * x),
        };
        if length == 0.0 {
            return;
        }
        for value in row {
            *value = match self {
                Self::L2 if *value < 0.0 => -libm::sqrtf(*value * *value / length),
                Self::L2 => libm::sqrtf(*value * *value / length),
                Self::Max | Self::L1 => *value / length,
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tensors_are_put_beside_each_other_in_chunks() {
        let concat = Concat { chunks: vec![2, 1] };
        let (a, b) = (Block::f32(4, vec![1.0, 2.0, 3.0, 4.0]), Block::f32(2, vec![5.0, 6.0]));
        let shape = concat.check(&[
            Shape { values: ValueType::F32, width: 4 },
            Shape { values: ValueType::F32, width: 2 },
        ]);
        assert_eq!(shape, Ok(Shape { values: ValueType::F32, width: 6 }));
        assert_eq!(concat.run(&[&a, &b], 1), Block::f32(6, vec![1.0, 2.0, 5.0, 3.0, 4.0, 6.0]));
    }

    #[test]
    fn a_row_is_made_to_sum_up_to_one() {
        let run = |group, log| match (Softmax { group, log })
            .run(&Block::f32(2, vec![900.0, 900.0]))
            .values
        {
            Values::F32(values) => values,
            _ => Vec::new(),
        };
        assert_eq!(run(2, false), [0.5, 0.5]);
        assert_eq!(run(1, false), [1.0, 1.0]);
        assert_eq!(run(2, true), [-std::f32::consts::LN_2; 2]);
    }

    #[test]
    fn a_row_is_divided_by_its_length() {
        let run = |normalize: Normalize, row: [f32; 2]| match normalize
            .run(&Block::f32(2, row.to_vec()))
            .values
        {
            Values::F32(values) => values,
            _ => Vec::new(),
        };
        assert_eq!(run(Normalize::L2, [-3.0, 4.0]), [-0.6, 0.8]);
        assert_eq!(run(Normalize::L1, [-1.0, 3.0]), [-0.25, 0.75]);
        assert_eq!(run(Normalize::Max, [-1.0, 4.0]), [-0.25, 1.0]);
        assert_eq!(run(Normalize::L2, [0.0, 0.0]), [0.0, 0.0]);
    }
}
