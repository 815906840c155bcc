//! What operators for trees and linear models make of their scores: base values, links, and labels.

use serde::{Deserialize, Serialize};

use super::rows::softmax;
use super::{Constant, floats};
use crate::block::{Block, ValueType, Values};
use crate::ops::Shape;

/// Base values are added, then the link; the result is of single precision.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Scores {
    /// What is added to each score, or nothing.
    pub base: Vec<f64>,
    /// What two scores are made of one, or of two, before the link.
    pub second: Second,
    /// The link.
    pub transform: Transform,
}

/// How two scores are made for two classes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Second {
    /// The scores are as they are.
    Nothing,
    /// Of one score: what is missing to one, and the score. There is no link.
    Complement,
    /// Of one score: its opposite, and the score.
    Opposite,
    /// Of two scores with two base values: the first score with the second base value, and before it its opposite.
    OppositeOfFirst,
}

/// The link of an operator, by the name that ONNX has for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Transform {
    /// None.
    None,
    /// `1 / (1 + exp(-x))`, by the absolute value of `x`.
    Logistic,
    /// Exponentials that sum up to one.
    Softmax,
    /// The same, where scores that are nearly zero stay so.
    SoftmaxZero,
    /// The inverse of the normal distribution's integral, by the formula of onnxruntime.
    Probit,
}

impl Scores {
    pub(crate) fn check(&self, input: Shape) -> Result<Shape, String> {
        let width = match self.second {
            Second::Nothing | Second::OppositeOfFirst => input.width,
            Second::Complement | Second::Opposite => 2 * input.width,
        };
        let fits = match self.second {
            Second::Nothing => self.base.is_empty() || self.base.len() == input.width,
            Second::Complement | Second::Opposite => input.width == 1 && self.base.len() <= 1,
            Second::OppositeOfFirst => input.width == 2 && self.base.len() == 2,
        };
        if !fits || input.width == 0 {
            return Err(format!("{} base values for {} scores", self.base.len(), input.width));
        }
        floats("scores", input)?;
        Ok(Shape { values: ValueType::F32, width })
    }

    pub(crate) fn run(&self, input: &Block, rows: usize) -> Block {
        let width = match self.second {
            Second::Nothing | Second::OppositeOfFirst => input.width,
            Second::Complement | Second::Opposite => 2 * input.width,
        };
        let mut scores = Vec::with_capacity(rows * width);
        match &input.values {
            Values::F32(values) => {
                for row in values.chunks_exact(input.width) {
                    self.single(row, &mut scores);
                }
            }
            Values::F64(values) => {
                for row in values.chunks_exact(input.width) {
                    self.double(row, &mut scores);
                }
            }
            _ => unreachable!("checked: floating point"),
        }
        if self.second != Second::Complement {
            scores.chunks_exact_mut(width).for_each(|row| self.transform.apply(row));
        }
        Block::f32(width, scores)
    }

    fn single(&self, row: &[f32], scores: &mut Vec<f32>) {
        let base = |at: usize| self.base.get(at).map_or(0.0, |base| *base as f32);
        match self.second {
            Second::Nothing if self.base.is_empty() => scores.extend_from_slice(row),
            Second::Nothing => scores.extend(row.iter().enumerate().map(|(at, x)| x + base(at))),
            Second::Complement => scores.extend([1.0 - (row[0] + base(0)), row[0] + base(0)]),
            Second::Opposite => scores.extend([-(row[0] + base(0)), row[0] + base(0)]),
            Second::OppositeOfFirst => scores.extend([-(base(1) + row[0]), base(1) + row[0]]),
        }
    }

    fn double(&self, row: &[f64], scores: &mut Vec<f32>) {
        let base = |at: usize| self.base.get(at).copied().unwrap_or(0.0);
        match self.second {
            Second::Nothing => {
                scores.extend(row.iter().enumerate().map(|(at, x)| (x + base(at)) as f32));
            }
            Second::Complement => {
                scores.extend([(1.0 - (row[0] + base(0))) as f32, (row[0] + base(0)) as f32]);
            }
            Second::Opposite => {
                scores.extend([-(row[0] + base(0)) as f32, (row[0] + base(0)) as f32]);
            }
            Second::OppositeOfFirst => {
                scores.extend([-(base(1) + row[0]) as f32, (base(1) + row[0]) as f32]);
            }
        }
    }
}

impl Transform {
    fn apply(self, row: &mut [f32]) {
        match self {
            Self::None => {}
            // Of a score and its opposite, which is the usual case, the exponential is the same.
            Self::Logistic if matches!(row, [one, other] if *one == -*other) => {
                let positive = 1.0 / (1.0 + libm::expf(-row[0].abs()));
                let of = |x: f32| if x < 0.0 { 1.0 - positive } else { positive };
                row.iter_mut().for_each(|x| *x = of(*x));
            }
            Self::Logistic => row.iter_mut().for_each(|x| *x = logistic(*x)),
            Self::Softmax => softmax(row),
            Self::SoftmaxZero => softmax_zero(row),
            Self::Probit => row.iter_mut().for_each(|x| *x = probit(*x)),
        }
    }
}

fn logistic(x: f32) -> f32 {
    let positive = 1.0 / (1.0 + libm::expf(-x.abs()));
    if x < 0.0 { 1.0 - positive } else { positive }
}

fn softmax_zero(row: &mut [f32]) {
    const NEARLY: f32 = 1e-7;
    let greatest = row.iter().copied().fold(f32::MIN, f32::max);
    let of_zero = libm::expf(-greatest);
    let mut sum = 0.0;
    for value in row.iter_mut() {
        if *value > NEARLY || *value < -NEARLY {
            *value = libm::expf(*value - greatest);
            sum += *value;
        } else {
            *value *= of_zero;
        }
    }
    row.iter_mut().for_each(|value| *value /= sum);
}

/// Winitzki's approximation of the inverse error function, with the constants that onnxruntime has.
fn probit(x: f32) -> f32 {
    let x = 2.0 * x - 1.0;
    let log = libm::logf((1.0 - x) * (1.0 + x));
    #[allow(clippy::approx_constant, reason = "onnxruntime has five digits of it")]
    let first = 2.0 / (3.14159 * 0.147) + 0.5 * log;
    let second = 1.0 / 0.147 * log;
    let inverse = libm::sqrtf(-first + libm::sqrtf(first * first - second));
    std::f32::consts::SQRT_2 * if x < 0.0 { -inverse } else { inverse }
}

/// The label that goes with scores: those before their link.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Decide {
    /// The labels: as many as scores, or two for a rule by one score.
    pub labels: Constant,
    /// What decides.
    pub by: By,
}

/// What decides for a label.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub enum By {
    /// The greatest score; the first of equal ones.
    Greatest,
    /// One score, by its place: the second label where it is greater than this.
    Above {
        /// The place of the score.
        score: u32,
        /// What it is compared with.
        bound: f32,
    },
    /// The most votes, of scores for each pair of classes: above zero for the first of the two, else for the second.
    Votes,
}

impl Decide {
    pub(crate) fn check(&self, input: Shape) -> Result<Shape, String> {
        let fits = match self.by {
            By::Greatest => input.width == self.labels.len(),
            By::Above { score, .. } => (score as usize) < input.width && self.labels.len() == 2,
            By::Votes => input.width == pairs(self.labels.len()),
        };
        if !fits || self.labels.is_empty() {
            return Err(format!("{} labels for {} scores", self.labels.len(), input.width));
        }
        floats("labels", input)?;
        Ok(Shape { values: self.labels.value_type(), width: 1 })
    }

    pub(crate) fn run(&self, input: &Block, rows: usize) -> Block {
        let width = input.width;
        let chosen = |row: usize| match &input.values {
            Values::F32(values) => self.choose(&values[row * width..][..width]),
            Values::F64(values) => self.choose(&values[row * width..][..width]),
            _ => unreachable!("checked: floating point"),
        };
        let values = match &self.labels {
            Constant::F64(labels) => {
                Values::F64((0..rows).map(|row| labels[chosen(row)]).collect())
            }
            Constant::F32(labels) => {
                Values::F32((0..rows).map(|row| labels[chosen(row)]).collect())
            }
            Constant::I64(labels) => {
                Values::I64((0..rows).map(|row| labels[chosen(row)]).collect())
            }
            Constant::Text(labels) => {
                Values::Text((0..rows).map(|row| labels[chosen(row)].clone()).collect())
            }
        };
        Block { width: 1, values }
    }

    fn choose<T: Copy + PartialOrd + Into<f64>>(&self, scores: &[T]) -> usize {
        match self.by {
            By::Votes => {
                let classes = self.labels.len();
                let mut votes = vec![0_u32; classes];
                let pairs =
                    (0..classes).flat_map(|one| (one + 1..classes).map(move |it| (one, it)));
                for ((one, other), score) in pairs.zip(scores) {
                    votes[if (*score).into() > 0.0 { one } else { other }] += 1;
                }
                (1..classes).fold(0, |best, at| if votes[at] > votes[best] { at } else { best })
            }
            By::Above { score, bound } => {
                usize::from(scores[score as usize].into() > f64::from(bound))
            }
            By::Greatest => (1..scores.len())
                .fold(0, |best, at| if scores[at] > scores[best] { at } else { best }),
        }
    }
}

/// How many pairs of classes there are.
pub(super) fn pairs(classes: usize) -> usize {
    classes * classes.saturating_sub(1) / 2
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scores(second: Second, transform: Transform, base: Vec<f64>, row: Vec<f32>) -> Vec<f32> {
        match (Scores { base, second, transform }).run(&Block::f32(row.len(), row), 1).values {
            Values::F32(values) => values,
            _ => Vec::new(),
        }
    }

    #[test]
    fn scores_become_probabilities() {
        assert_eq!(
            scores(Second::Opposite, Transform::Logistic, vec![1.0], vec![-1.0]),
            [0.5, 0.5]
        );
        assert_eq!(
            scores(Second::Complement, Transform::Logistic, vec![], vec![0.25]),
            [0.75, 0.25]
        );
        assert_eq!(scores(Second::Nothing, Transform::Softmax, vec![], vec![2.0, 2.0]), [0.5, 0.5]);
        assert_eq!(
            scores(Second::OppositeOfFirst, Transform::None, vec![1.0, 2.0], vec![3.0, 9.0]),
            [-5.0, 5.0]
        );
        assert_eq!(
            scores(Second::Nothing, Transform::SoftmaxZero, vec![], vec![0.0, 1.0]),
            [0.0, 1.0]
        );
        let quartile = scores(Second::Nothing, Transform::Probit, vec![], vec![0.75])[0];
        assert!((quartile - 0.6745).abs() < 2e-3, "{quartile}");
    }

    #[test]
    fn a_label_goes_with_the_scores() {
        let labels = Constant::I64(vec![7, 8]);
        let run = |by, row: Vec<f32>| {
            (Decide { labels: labels.clone(), by }).run(&Block::f32(row.len(), row), 1).values
        };
        assert_eq!(run(By::Greatest, vec![1.0, 1.0]), Values::I64(vec![7]));
        assert_eq!(run(By::Above { score: 0, bound: 0.5 }, vec![0.75]), Values::I64(vec![8]));
        assert_eq!(run(By::Votes, vec![0.0]), Values::I64(vec![8]));
        let three = Decide { labels: Constant::I64(vec![1, 2, 3]), by: By::Votes };
        let run = |row: Vec<f32>| three.run(&Block::f32(3, row), 1).values;
        // Of the pairs (1, 2), (1, 3) and (2, 3).
        assert_eq!(run(vec![-1.0, 1.0, 1.0]), Values::I64(vec![2]));
        assert_eq!(run(vec![1.0, -1.0, 1.0]), Values::I64(vec![1]));
        assert_eq!(run(vec![f32::NAN; 3]), Values::I64(vec![3]));
    }
}
