//! Probabilities of several classes, from those of each pair of them.
//!
//! The second method of T.-F. Wu, C.-J. Lin and R. C. Weng, *Probability Estimates for Multi-class Classification by Pairwise Coupling*
//! (2004), which LIBSVM has: the probabilities that contradict those of the pairs least. It goes nearer step by step, in single precision
//! as onnxruntime does it, and stops at the same nearness.

use serde::{Deserialize, Serialize};

use super::scores::pairs;
use super::single;
use crate::block::{Block, Values};
use crate::ops::Shape;

/// How often probabilities are made better at most.
const ROUNDS_MAX: usize = 100;
/// How near a pair's probability may be to 0 and to 1.
const LEAST: f32 = 1e-7;

/// Makes probabilities of the scores of each pair of classes, by a sigmoid of its own for each pair.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Coupling {
    /// How many classes there are.
    pub classes: u32,
    /// The factor of each pair.
    pub a: Vec<f32>,
    /// The summand of each pair.
    pub b: Vec<f32>,
}

impl Coupling {
    pub(crate) fn check(&self, input: Shape) -> Result<Shape, String> {
        let classes = self.classes as usize;
        if classes < 2 || [self.a.len(), self.b.len(), input.width] != [pairs(classes); 3] {
            return Err(format!("probabilities of {classes} classes of {} scores", input.width));
        }
        Ok(Shape { width: classes, ..single("probabilities", input)? })
    }

    pub(crate) fn run(&self, input: &Block) -> Block {
        let Values::F32(values) = &input.values else { unreachable!("checked: F32") };
        let classes = self.classes as usize;
        let of_row = |row: &[f32]| coupled(classes, &self.of_pairs(row));
        Block::f32(classes, values.chunks_exact(input.width).flat_map(of_row).collect())
    }

    /// For each class, the probabilities that it is the one of it and another.
    fn of_pairs(&self, scores: &[f32]) -> Vec<f32> {
        let classes = self.classes as usize;
        let mut of_pairs = vec![0.0; classes * classes];
        let pairs = (0..classes).flat_map(|one| (one + 1..classes).map(move |it| (one, it)));
        for (at, (one, other)) in pairs.enumerate() {
            let first = 1.0 - logistic(scores[at] * self.a[at] + self.b[at]);
            let first = first.clamp(LEAST, 1.0 - LEAST);
            of_pairs[one * classes + other] = first;
            of_pairs[other * classes + one] = 1.0 - first;
        }
        of_pairs
    }
}

fn logistic(x: f32) -> f32 {
    let positive = 1.0 / (1.0 + libm::exp(-f64::from(x.abs())) as f32);
    if x < 0.0 { 1.0 - positive } else { positive }
}

fn coupled(classes: usize, of_pairs: &[f32]) -> Vec<f32> {
    let matrix = contradictions(classes, of_pairs);
    let at = |one: usize, other: usize| matrix[one * classes + other];
    let mut them = vec![1.0 / classes as f32; classes];
    let mut slopes = vec![0.0_f32; classes];
    let enough = 0.005 / classes as f32;
    for _ in 0..ROUNDS_MAX {
        let mut all = 0.0;
        for one in 0..classes {
            slopes[one] = (0..classes).fold(0.0, |sum, other| sum + at(one, other) * them[other]);
            all += them[one] * slopes[one];
        }
        // What is missing is not far.
        let farthest = slopes.iter().map(|slope| (slope - all).abs());
        let farthest = farthest.fold(0.0_f32, |far, it| if it > far { it } else { far });
        if farthest < enough {
            break;
        }
        for one in 0..classes {
            let more = (-slopes[one] + all) / at(one, one);
            them[one] += more;
            let grown = 1.0 + more;
            all = (all + more * (more * at(one, one) + 2.0 * slopes[one])) / grown / grown;
            for other in 0..classes {
                slopes[other] = (slopes[other] + more * at(one, other)) / grown;
                them[other] /= grown;
            }
        }
    }
    them
}

/// The matrix whose quadratic form says how far probabilities contradict those of pairs.
fn contradictions(classes: usize, of_pairs: &[f32]) -> Vec<f32> {
    let of = |one: usize, other: usize| of_pairs[one * classes + other];
    let mut matrix = vec![0.0; classes * classes];
    for one in 0..classes {
        for other in (0..classes).filter(|other| *other != one) {
            matrix[one * classes + one] += of(other, one) * of(other, one);
            matrix[one * classes + other] = -of(other, one) * of(one, other);
        }
    }
    matrix
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_classes_have_the_probability_of_their_pair() {
        let coupling = Coupling { classes: 2, a: vec![-1.0], b: vec![0.0] };
        let Values::F32(them) = coupling.run(&Block::f32(1, vec![2.0])).values else {
            panic!("F32")
        };
        let sigmoid = 1.0 / (1.0 + (-2.0_f32).exp());
        assert!((them[0] - sigmoid).abs() < 1e-3, "{them:?}");
        assert!((them[0] + them[1] - 1.0).abs() < 1e-6, "{them:?}");
    }

    #[test]
    fn the_class_that_wins_its_pairs_is_the_most_probable() {
        let coupling = Coupling { classes: 3, a: vec![-1.0; 3], b: vec![0.0; 3] };
        let Values::F32(them) = coupling.run(&Block::f32(3, vec![-2.0, 0.5, 2.0])).values else {
            panic!("F32")
        };
        assert!(them[1] > them[0] && them[0] > them[2], "{them:?}");
        let Values::F32(lost) = coupling.run(&Block::f32(3, vec![f32::NAN; 3])).values else {
            panic!("F32")
        };
        assert_eq!(lost, [1.0 / 3.0; 3]);
    }
}
