//! Support vectors: how near a row is to each of them, and the weighted sums of that.

use serde::{Deserialize, Serialize};

use super::single;
use crate::block::{Block, Values};
use crate::ops::Shape;

/// How near a row is to each support vector, in single precision. Columns are added in their order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Kernels {
    /// What is made of a row and a vector.
    pub kernel: Kernel,
    /// How many vectors there are.
    pub count: u32,
    /// For each column the values of all vectors.
    #[serde(with = "crate::packed")]
    pub vectors: Vec<f32>,
}

/// What is made of a row and a support vector.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the names are those of the operator's attributes")]
pub enum Kernel {
    /// Their product.
    Linear,
    /// A power of their product.
    Poly { gamma: f32, coef0: f32, degree: f32 },
    /// The exponential of the square of their distance.
    Rbf { gamma: f32 },
    /// The hyperbolic tangent of their product.
    Sigmoid { gamma: f32, coef0: f32 },
}

/// Weighted sums of what [`Kernels`] gives, in double precision: one for each machine.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Machines {
    /// The weights of support vectors.
    #[serde(with = "crate::packed")]
    pub coefficients: Vec<f32>,
    /// The machines.
    pub machines: Vec<Machine>,
}

/// A sum over some support vectors.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Machine {
    /// Runs of vectors: the first weight, the first vector, and how many there are.
    pub runs: Vec<(u32, u32, u32)>,
    /// What is added.
    pub rho: f32,
}

impl Kernels {
    /// Of vectors one after the other, of so many columns.
    pub fn new(kernel: Kernel, vectors: &[f32], width: usize) -> Self {
        let count = vectors.len() / width.max(1);
        let by_column =
            (0..width).flat_map(|column| (0..count).map(move |at| vectors[at * width + column]));
        Self { kernel, count: count as u32, vectors: by_column.collect() }
    }

    pub(crate) fn check(&self, input: Shape) -> Result<Shape, String> {
        let count = self.count as usize;
        if count == 0 || input.width == 0 || input.width * count != self.vectors.len() {
            return Err(format!(
                "{count} support vectors of {} values for {} columns",
                self.vectors.len(),
                input.width
            ));
        }
        Ok(Shape { width: count, ..single("support vectors", input)? })
    }

    pub(crate) fn run(&self, input: &Block, rows: usize) -> Block {
        let Values::F32(values) = &input.values else { unreachable!("checked: F32") };
        let count = self.count as usize;
        let mut sums = vec![0.0_f32; rows * count];
        for (row, sums) in values.chunks_exact(input.width).zip(sums.chunks_exact_mut(count)) {
            let columns = row.iter().zip(self.vectors.chunks_exact(count));
            match self.kernel {
                Kernel::Rbf { .. } => columns.for_each(|(x, vectors)| {
                    sums.iter_mut().zip(vectors).for_each(|(sum, vector)| {
                        let far = x - vector;
                        *sum += far * far;
                    });
                }),
                _ => columns.for_each(|(x, vectors)| {
                    sums.iter_mut().zip(vectors).for_each(|(sum, vector)| *sum += x * vector);
                }),
            }
        }
        self.kernel.apply(&mut sums);
        Block::f32(count, sums)
    }
}

impl Kernel {
    fn apply(self, sums: &mut [f32]) {
        let each = |f: &dyn Fn(f32) -> f32, sums: &mut [f32]| {
            sums.iter_mut().for_each(|sum| *sum = f(*sum));
        };
        match self {
            Self::Linear => {}
            Self::Poly { gamma, coef0, degree: 2.0 } => {
                each(&|sum| square(gamma * sum + coef0), sums);
            }
            Self::Poly { gamma, coef0, degree: 3.0 } => each(
                &|sum| {
                    let sum = gamma * sum + coef0;
                    square(sum) * sum
                },
                sums,
            ),
            Self::Poly { gamma, coef0, degree } => {
                each(&|sum| libm::powf(gamma * sum + coef0, degree), sums);
            }
            // By way of double precision the result is the nearest number, as it mostly is in C libraries.
            Self::Rbf { gamma } => {
                each(&|sum| libm::exp(f64::from(-gamma * sum)) as f32, sums);
            }
            Self::Sigmoid { gamma, coef0 } => {
                each(&|sum| libm::tanhf(gamma * sum + coef0), sums);
            }
        }
    }
}

fn square(x: f32) -> f32 {
    x * x
}

impl Machines {
    pub(crate) fn check(&self, input: Shape) -> Result<Shape, String> {
        let within = |from: u32, length: u32, end: usize| {
            (from as usize).checked_add(length as usize).is_some_and(|last| last <= end)
        };
        let fits = |&(weight, vector, length): &(u32, u32, u32)| {
            within(weight, length, self.coefficients.len()) && within(vector, length, input.width)
        };
        if self.machines.is_empty() || !self.machines.iter().flat_map(|it| &it.runs).all(fits) {
            return Err(format!(
                "machines of {} weights for other than {} support vectors",
                self.coefficients.len(),
                input.width
            ));
        }
        Ok(Shape { width: self.machines.len(), ..single("support vectors", input)? })
    }

    pub(crate) fn run(&self, input: &Block, rows: usize) -> Block {
        let Values::F32(values) = &input.values else { unreachable!("checked: F32") };
        let mut sums = Vec::with_capacity(rows * self.machines.len());
        for row in values.chunks_exact(input.width) {
            sums.extend(self.machines.iter().map(|machine| self.sum(machine, row)));
        }
        Block::f32(self.machines.len(), sums)
    }

    fn sum(&self, machine: &Machine, row: &[f32]) -> f32 {
        let mut sum = 0.0_f64;
        for (weight, vector, length) in &machine.runs {
            let weights = &self.coefficients[*weight as usize..][..*length as usize];
            let near = &row[*vector as usize..][..*length as usize];
            for (weight, near) in weights.iter().zip(near) {
                sum += f64::from(weight * near);
            }
        }
        (sum + f64::from(machine.rho)) as f32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kernels(kernel: Kernel) -> Vec<f32> {
        let kernels = Kernels::new(kernel, &[1.0, 2.0, 3.0, 4.0, 0.0, -1.0], 2);
        assert_eq!(kernels.vectors, [1.0, 3.0, 0.0, 2.0, 4.0, -1.0]);
        match kernels.run(&Block::f32(2, vec![1.0, 0.5]), 1).values {
            Values::F32(values) => values,
            _ => Vec::new(),
        }
    }

    #[test]
    fn a_row_is_near_to_vectors_by_a_kernel() {
        assert_eq!(kernels(Kernel::Linear), [2.0, 5.0, -0.5]);
        let poly = |degree| kernels(Kernel::Poly { gamma: 2.0, coef0: 1.0, degree });
        assert_eq!(poly(2.0), [25.0, 121.0, 0.0]);
        assert_eq!(poly(3.0), [125.0, 1331.0, 0.0]);
        assert_eq!(poly(4.0), [625.0, 14641.0, 0.0]);
        let [near, ..] = kernels(Kernel::Rbf { gamma: 0.5 })[..] else { panic!("three") };
        assert_eq!(near, (-1.125_f64).exp() as f32);
        let last = kernels(Kernel::Sigmoid { gamma: 2.0, coef0: 1.0 })[2];
        assert_eq!(last, 0.0);
    }

    #[test]
    fn machines_sum_up_what_is_near() {
        let machine = |runs, rho| Machine { runs, rho };
        let machines = Machines {
            coefficients: vec![1.0, -1.0, 0.5],
            machines: vec![
                machine(vec![(0, 0, 2)], 0.25),
                machine(vec![(2, 1, 1), (1, 2, 1)], 0.0),
            ],
        };
        let shape = Shape { values: crate::ValueType::F32, width: 3 };
        assert_eq!(machines.check(shape), Ok(Shape { width: 2, ..shape }));
        assert!(machines.check(Shape { width: 2, ..shape }).is_err());
        let sums = machines.run(&Block::f32(3, vec![4.0, 2.0, 1.0]), 1);
        assert_eq!(sums, Block::f32(2, vec![2.25, 0.0]));
    }
}
