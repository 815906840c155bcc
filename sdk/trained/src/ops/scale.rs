//! Arithmetic on each column by itself: what scalers do.

use serde::{Deserialize, Serialize};

use super::Shape;
use super::numbers::{Numbers, Real, expect, one_of_numbers};
use crate::block::{Block, ValueType};

/// Applies stages to every value, one after the other. Each rounds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Scale {
    /// What is done, in this order.
    pub stages: Vec<Stage>,
}

/// One operation, with a number for each column.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Stage {
    /// Adds.
    Add(Numbers),
    /// Subtracts.
    Subtract(Numbers),
    /// Multiplies.
    Multiply(Numbers),
    /// Divides.
    Divide(Numbers),
    /// Raises what is below the first of two numbers to it, and lowers what is above the second. A missing value stays.
    Clip(Numbers),
}

impl Stage {
    fn numbers(&self) -> &Numbers {
        match self {
            Self::Add(them)
            | Self::Subtract(them)
            | Self::Multiply(them)
            | Self::Divide(them)
            | Self::Clip(them) => them,
        }
    }
}

impl Scale {
    pub(crate) fn check(&self, inputs: &[Shape]) -> Result<Shape, String> {
        let input = one_of_numbers("scale", inputs)?;
        for stage in &self.stages {
            let count = if matches!(stage, Stage::Clip(_)) { 2 } else { input.width };
            expect("scale", stage.numbers(), input, count)?;
        }
        Ok(input)
    }

    pub(crate) fn run(&self, inputs: &[&Block]) -> Block {
        match inputs[0].value_type() {
            ValueType::F32 => self.of::<f32>(inputs[0]),
            _ => self.of::<f64>(inputs[0]),
        }
    }

    fn of<T: Real>(&self, input: &Block) -> Block {
        let mut values = T::of(input).expect("invariant: checked").to_vec();
        for stage in &self.stages {
            let by = T::learnt(stage.numbers()).expect("invariant: checked");
            match stage {
                Stage::Add(_) => each(&mut values, by, |x, by| x + by),
                Stage::Subtract(_) => each(&mut values, by, |x, by| x - by),
                Stage::Multiply(_) => each(&mut values, by, |x, by| x * by),
                Stage::Divide(_) => each(&mut values, by, |x, by| x / by),
                Stage::Clip(_) => values.iter_mut().for_each(|x| *x = clip(*x, by[0], by[1])),
            }
        }
        T::block(input.width, values)
    }
}

fn each<T: Real>(values: &mut [T], by: &[T], operation: impl Fn(T, T) -> T) {
    // No columns, no rows to look at.
    for row in values.chunks_exact_mut(by.len().max(1)) {
        for (value, by) in row.iter_mut().zip(by) {
            *value = operation(*value, *by);
        }
    }
}

fn clip<T: Real>(value: T, least: T, greatest: T) -> T {
    if value < least {
        least
    } else if value > greatest {
        greatest
    } else {
        value
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stages_are_applied_in_their_order() {
        let scale = Scale {
            stages: vec![
                Stage::Subtract(Numbers::F64(vec![1.0, 2.0])),
                Stage::Divide(Numbers::F64(vec![2.0, 4.0])),
                Stage::Clip(Numbers::F64(vec![-1.0, 1.0])),
            ],
        };
        let block = Block::f64(2, vec![2.0, 2.0, -9.0, 99.0]);
        assert_eq!(scale.run(&[&block]), Block::f64(2, vec![0.5, 0.0, -1.0, 1.0]));
        let Some([nan, _]) =
            f64::of(&scale.run(&[&Block::f64(2, vec![f64::NAN, 0.0])])).map(|it| [it[0], it[1]])
        else {
            panic!("two numbers")
        };
        assert!(nan.is_nan());
        let three = Shape { values: ValueType::F64, width: 3 };
        assert_eq!(
            scale.check(&[three]).unwrap_err(),
            "scale has learnt 2 numbers of F64, and needs 3 of F64"
        );
    }
}
