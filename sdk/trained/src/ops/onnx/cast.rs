//! Cast: values of another type.

use serde::{Deserialize, Serialize};

use crate::block::{Block, ValueType, Values};
use crate::ops::Shape;

/// Makes values of another type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Cast {
    /// To double precision.
    F64,
    /// To single precision.
    F32,
    /// To whole numbers of 64 bits: what is behind the point is cut off, and what does not fit is the least number, as on x86.
    I64,
    /// To whole numbers of 32 bits, the same way.
    I32,
    /// To truth values: whatever is not zero is true.
    Bool,
    /// To texts, from whole numbers.
    Text,
}

impl Cast {
    pub(crate) fn check(self, input: Shape) -> Result<Shape, String> {
        let values = match self {
            Self::F64 => ValueType::F64,
            Self::F32 => ValueType::F32,
            Self::I64 | Self::I32 | Self::Bool => ValueType::I64,
            Self::Text if input.values == ValueType::I64 => ValueType::Text,
            Self::Text => return Err(format!("Cast makes texts of I64, found {:?}", input.values)),
        };
        match input.values {
            ValueType::Text => Err("Cast takes numbers, found Text".to_owned()),
            _ => Ok(Shape { values, width: input.width }),
        }
    }

    pub(crate) fn run(self, input: &Block) -> Block {
        let values = match &input.values {
            Values::F64(values) => self.each(values, |x| x, |x| x as f32, truncated, |x| x != 0.0),
            Values::F32(values) => {
                self.each(values, f64::from, |x| x, |x| truncated(f64::from(x)), |x| x != 0.0)
            }
            Values::I64(values) if self == Self::Text => {
                Values::Text(values.iter().map(ToString::to_string).collect())
            }
            Values::I64(values) => self.each(values, |x| x as f64, |x| x as f32, |x| x, |x| x != 0),
            Values::Text(_) => unreachable!("checked: numbers"),
        };
        Block { width: input.width, values }
    }

    fn each<T: Copy>(
        self,
        values: &[T],
        double: impl Fn(T) -> f64,
        single: impl Fn(T) -> f32,
        whole: impl Fn(T) -> i64,
        truth: impl Fn(T) -> bool,
    ) -> Values {
        match self {
            Self::F64 => Values::F64(values.iter().map(|x| double(*x)).collect()),
            Self::F32 => Values::F32(values.iter().map(|x| single(*x)).collect()),
            Self::I64 => Values::I64(values.iter().map(|x| whole(*x)).collect()),
            Self::I32 => Values::I64(values.iter().map(|x| narrowed(whole(*x))).collect()),
            Self::Bool => Values::I64(values.iter().map(|x| i64::from(truth(*x))).collect()),
            Self::Text => unreachable!("checked: of whole numbers"),
        }
    }
}

/// The whole part of a number, or the least of all numbers where it does not fit.
pub(super) fn truncated(x: f64) -> i64 {
    const BOUND: f64 = 9_223_372_036_854_775_808.0;
    if (-BOUND..BOUND).contains(&x) { x as i64 } else { i64::MIN }
}

fn narrowed(x: i64) -> i64 {
    i64::from(if x == i64::MIN { i32::MIN } else { x as i32 })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_cut_off_as_on_x86() {
        let block = Block::f32(1, vec![1.9, -1.9, f32::NAN, 1e30, -0.0]);
        let whole = Values::I64(vec![1, -1, i64::MIN, i64::MIN, 0]);
        assert_eq!(Cast::I64.run(&block).values, whole);
        assert_eq!(Cast::Bool.run(&block).values, Values::I64(vec![1, 1, 1, 1, 0]));
        assert_eq!(
            Cast::Text.run(&Block { width: 1, values: Values::I64(vec![-7]) }).values,
            Values::Text(vec!["-7".into()])
        );
    }
}
