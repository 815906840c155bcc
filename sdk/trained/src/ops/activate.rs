//! Activations: functions of each value by itself.

use serde::{Deserialize, Serialize};

use super::Shape;
use super::numbers::{Real, one_of_numbers};
use crate::block::{Block, ValueType};

/// Applies a function to every value, in its own precision.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Activate {
    /// The hyperbolic tangent.
    Tanh,
    /// What is below 0 becomes 0. A missing value stays.
    Relu,
    /// 1 where the value is above it by no more than 1e-5, as calibrated classifiers have it.
    AtMostOne,
}

impl Activate {
    pub(crate) fn check(self, inputs: &[Shape]) -> Result<Shape, String> {
        one_of_numbers("activate", inputs)
    }

    pub(crate) fn run(self, inputs: &[&Block]) -> Block {
        match inputs[0].value_type() {
            ValueType::F32 => self.of::<f32>(inputs[0], 1.0 + 1e-5),
            _ => self.of::<f64>(inputs[0], 1.0 + 1e-5),
        }
    }

    fn of<T: Real>(self, input: &Block, slightly_above_one: T) -> Block {
        let values = T::of(input).expect("invariant: checked").iter();
        let values = match self {
            Self::Tanh => values.map(|x| x.tanh()).collect(),
            Self::Relu => values.map(|x| if *x < T::ZERO { T::ZERO } else { *x }).collect(),
            Self::AtMostOne => values
                .map(|x| if *x > T::ONE && *x <= slightly_above_one { T::ONE } else { *x })
                .collect(),
        };
        T::block(input.width, values)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_those_of_the_function() {
        let block = Block::f64(4, vec![-1.0, 0.5, 1.000_005, 1.1]);
        assert_eq!(Activate::Relu.run(&[&block]), Block::f64(4, vec![0.0, 0.5, 1.000_005, 1.1]));
        assert_eq!(Activate::AtMostOne.run(&[&block]), Block::f64(4, vec![-1.0, 0.5, 1.0, 1.1]));
        let tanh = Activate::Tanh.run(&[&Block::f32(2, vec![0.0, f32::INFINITY])]);
        assert_eq!(tanh, Block::f32(2, vec![0.0, 1.0]));
    }
}
