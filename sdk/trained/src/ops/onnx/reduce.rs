//! Reductions: one value for several, and the place of the greatest.

use serde::{Deserialize, Serialize};

use super::floats;
use crate::block::{Block, ValueType, Values};
use crate::ops::Shape;

/// Which values of a row belong together: of a row of `outer * length * inner`, those that differ in the middle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Span {
    /// How many groups of groups there are.
    pub outer: u32,
    /// How many values belong together.
    pub length: u32,
    /// How far apart they lie.
    pub inner: u32,
}

/// One value for all that belong together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reduce {
    /// What is made of them.
    pub reduction: Reduction,
    /// Which ones belong together.
    pub span: Span,
}

/// What is made of several values, by the name that ONNX has for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the names are those of the operators")]
pub enum Reduction {
    Sum,
    Mean,
    Max,
    Min,
    Prod,
    L1,
    L2,
    SumSquare,
    LogSum,
    LogSumExp,
}

/// The place of the greatest or the least of values that belong together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Extreme {
    /// Whether it is the greatest.
    pub greatest: bool,
    /// Whether it is the last of equal ones.
    pub last: bool,
    /// Which ones belong together.
    pub span: Span,
}

impl Span {
    fn check(self, width: usize) -> Result<usize, String> {
        let [outer, length, inner] = [self.outer, self.length, self.inner].map(|it| it as usize);
        if length == 0 || outer * length * inner != width {
            return Err(format!(
                "a reduction of {outer} * {length} * {inner} values in a row of {width}"
            ));
        }
        Ok(outer * inner)
    }

    /// Calls `visit` for each group with the places of its values.
    fn each(self, rows: usize, mut visit: impl FnMut(&mut dyn Iterator<Item = usize>)) {
        let [outer, length, inner] = [self.outer, self.length, self.inner].map(|it| it as usize);
        for outer in 0..rows * outer {
            for at in 0..inner {
                visit(&mut (0..length).map(|number| (outer * length + number) * inner + at));
            }
        }
    }
}

impl Reduce {
    pub(crate) fn check(self, input: Shape) -> Result<Shape, String> {
        Ok(Shape { width: self.span.check(input.width)?, ..floats("a reduction", input)? })
    }

    pub(crate) fn run(self, input: &Block, rows: usize) -> Block {
        let width = (self.span.outer * self.span.inner) as usize;
        let length = self.span.length;
        match &input.values {
            Values::F32(values) => {
                let mut reduced = Vec::with_capacity(rows * width);
                self.span.each(rows, |places| {
                    reduced.push(
                        self.reduction.single(&mut places.map(|at| values[at]), length as f32),
                    );
                });
                Block::f32(width, reduced)
            }
            Values::F64(values) => {
                let mut reduced = Vec::with_capacity(rows * width);
                self.span.each(rows, |places| {
                    reduced.push(
                        self.reduction.double(&mut places.map(|at| values[at]), f64::from(length)),
                    );
                });
                Block::f64(width, reduced)
            }
            _ => unreachable!("checked: floating point"),
        }
    }
}

macro_rules! reduction {
    ($name:ident, $type:ty, $sqrt:path, $exp:path, $log:path) => {
        fn $name(self, values: &mut dyn Iterator<Item = $type>, count: $type) -> $type {
            match self {
                Self::Sum => values.fold(0.0, |sum, x| sum + x),
                Self::Mean => values.fold(0.0, |sum, x| sum + x) / count,
                Self::Max => {
                    values.fold(
                        <$type>::NEG_INFINITY,
                        |max, x| if x > max || x.is_nan() { x } else { max },
                    )
                }
                Self::Min => values
                    .fold(<$type>::INFINITY, |min, x| if x < min || x.is_nan() { x } else { min }),
                Self::Prod => values.fold(1.0, |product, x| product * x),
                Self::L1 => values.fold(0.0, |sum, x| sum + x.abs()),
                Self::L2 => $sqrt(values.fold(0.0, |sum, x| sum + x * x)),
                Self::SumSquare => values.fold(0.0, |sum, x| sum + x * x),
                Self::LogSum => $log(values.fold(0.0, |sum, x| sum + x)),
                Self::LogSumExp => {
                    let values: Vec<$type> = values.collect();
                    let greatest = values.iter().copied().fold(<$type>::NEG_INFINITY, <$type>::max);
                    let shift = if greatest.is_finite() { greatest } else { 0.0 };
                    $log(values.iter().fold(0.0, |sum, x| sum + $exp(x - shift))) + shift
                }
            }
        }
    };
}

impl Reduction {
    reduction!(single, f32, libm::sqrtf, libm::expf, libm::logf);
    reduction!(double, f64, libm::sqrt, libm::exp, libm::log);
}

impl Extreme {
    pub(crate) fn check(self, input: Shape) -> Result<Shape, String> {
        match input.values {
            ValueType::Text => Err("ArgMax takes numbers, found Text".to_owned()),
            _ => Ok(Shape { values: ValueType::I64, width: self.span.check(input.width)? }),
        }
    }

    pub(crate) fn run(self, input: &Block, rows: usize) -> Block {
        let width = (self.span.outer * self.span.inner) as usize;
        let mut chosen = Vec::with_capacity(rows * width);
        self.span.each(rows, |places| {
            chosen.push(match &input.values {
                Values::F32(values) => self.choose(places.map(|at| values[at])),
                Values::F64(values) => self.choose(places.map(|at| values[at])),
                Values::I64(values) => self.choose(places.map(|at| values[at])),
                Values::Text(_) => unreachable!("checked: numbers"),
            });
        });
        Block { width, values: Values::I64(chosen) }
    }

    fn choose<T: PartialOrd>(self, values: impl Iterator<Item = T>) -> i64 {
        let mut best: Option<(i64, T)> = None;
        for (number, value) in (0..).zip(values) {
            let better = best.as_ref().is_none_or(|(_, known)| match (self.greatest, self.last) {
                (true, false) => value > *known,
                (true, true) => value >= *known,
                (false, false) => value < *known,
                (false, true) => value <= *known,
            });
            if better {
                best = Some((number, value));
            }
        }
        best.map_or(0, |(number, _)| number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_that_belong_together_become_one() {
        let block = Block::f32(6, vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
        let reduce = |outer, length, inner| {
            let reduce = Reduce { reduction: Reduction::Sum, span: Span { outer, length, inner } };
            match reduce.run(&block, 1).values {
                Values::F32(values) => values,
                _ => Vec::new(),
            }
        };
        assert_eq!(reduce(1, 6, 1), [21.0]);
        assert_eq!(reduce(2, 3, 1), [6.0, 15.0]);
        assert_eq!(reduce(1, 2, 3), [5.0, 7.0, 9.0]);
    }

    #[test]
    fn the_first_of_equal_values_is_chosen_unless_the_last_is_wanted() {
        let block = Block::f32(3, vec![1.0, 2.0, 2.0]);
        let span = Span { outer: 1, length: 3, inner: 1 };
        let run = |greatest, last| Extreme { greatest, last, span }.run(&block, 1).values;
        assert_eq!(run(true, false), Values::I64(vec![1]));
        assert_eq!(run(true, true), Values::I64(vec![2]));
        assert_eq!(run(false, false), Values::I64(vec![0]));
    }
}
