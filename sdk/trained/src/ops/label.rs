//! Labels: the class that a model decides for, by the name that it had in training.

use serde::{Deserialize, Serialize};

use super::Shape;
use crate::block::{Block, ValueType, Values};

/// Names the class that a row of scores or probabilities decides for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Label {
    /// The classes, in their order of training.
    pub classes: Classes,
    /// How the row decides.
    pub choice: Choice,
}

/// The names of classes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Classes {
    /// Names.
    Text(Vec<String>),
    /// Whole numbers.
    I64(Vec<i64>),
}

/// How a row decides for a class.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub enum Choice {
    /// By the greatest of as many values as there are classes; the first of equal ones. A missing value is greater than all.
    Greatest,
    /// By one value: the second class where it is greater than this, else the first.
    Above(f64),
}

impl Classes {
    fn count(&self) -> usize {
        match self {
            Self::Text(names) => names.len(),
            Self::I64(numbers) => numbers.len(),
        }
    }
}

impl Label {
    pub(crate) fn check(&self, inputs: &[Shape]) -> Result<Shape, String> {
        let [input] = inputs else {
            return Err(format!("label takes one block, found {}", inputs.len()));
        };
        if !matches!(input.values, ValueType::F64 | ValueType::F32) {
            return Err(format!("label takes F64 or F32, found {:?}", input.values));
        }
        let expected = match self.choice {
            Choice::Greatest => (self.classes.count(), self.classes.count()),
            Choice::Above(_) => (1, 2),
        };
        if (input.width, self.classes.count()) != expected || input.width == 0 {
            return Err(format!(
                "label by {:?} takes {} values for {} classes, found {} for {}",
                self.choice,
                expected.0,
                expected.1,
                input.width,
                self.classes.count()
            ));
        }
        let values = match self.classes {
            Classes::Text(_) => ValueType::Text,
            Classes::I64(_) => ValueType::I64,
        };
        Ok(Shape { values, width: 1 })
    }

    pub(crate) fn run(&self, inputs: &[&Block], rows: usize) -> Block {
        let width = inputs[0].width;
        let chosen = |row: usize| match &inputs[0].values {
            Values::F64(values) => self.choose(values[row * width..][..width].iter().copied()),
            Values::F32(values) => {
                self.choose(values[row * width..][..width].iter().map(|it| f64::from(*it)))
            }
            _ => unreachable!("checked: numbers"),
        };
        let values = match &self.classes {
            Classes::Text(names) => {
                Values::Text((0..rows).map(|row| names[chosen(row)].clone()).collect())
            }
            Classes::I64(numbers) => {
                Values::I64((0..rows).map(|row| numbers[chosen(row)]).collect())
            }
        };
        Block { width: 1, values }
    }

    fn choose(&self, values: impl Iterator<Item = f64>) -> usize {
        match self.choice {
            Choice::Above(bound) => usize::from(values.last().is_some_and(|value| value > bound)),
            Choice::Greatest => {
                let mut best = (0, f64::NEG_INFINITY);
                for (class, value) in values.enumerate() {
                    if value.is_nan() {
                        return class;
                    }
                    if value > best.1 {
                        best = (class, value);
                    }
                }
                best.0
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_greatest_value_decides_and_the_first_of_equal_ones() {
        let label = Label {
            classes: Classes::Text(vec!["early".into(), "late".into(), "never".into()]),
            choice: Choice::Greatest,
        };
        let block = Block::f64(3, vec![0.2, 0.4, 0.4, 1.0, f64::NAN, 2.0]);
        let names = ["late", "late"].map(String::from).to_vec();
        assert_eq!(label.run(&[&block], 2), Block { width: 1, values: Values::Text(names) });
    }

    #[test]
    fn one_value_decides_by_where_it_lies() {
        let label = Label { classes: Classes::I64(vec![-1, 1]), choice: Choice::Above(0.5) };
        let block = Block::f32(1, vec![0.5, 0.75, f32::NAN]);
        let chosen = Block { width: 1, values: Values::I64(vec![-1, 1, -1]) };
        assert_eq!(label.run(&[&block], 3), chosen);
        let two = Shape { values: ValueType::F32, width: 2 };
        assert_eq!(
            label.check(&[two]).unwrap_err(),
            "label by Above(0.5) takes 1 values for 2 classes, found 2 for 2"
        );
    }
}
