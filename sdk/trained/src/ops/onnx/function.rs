//! Functions of one value.

use serde::{Deserialize, Serialize};

use crate::block::{Block, ValueType, Values};
use crate::ops::Shape;

/// A function of each value, by the name that ONNX has for it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the names are those of the operators")]
pub enum Function {
    Abs,
    Ceil,
    Elu {
        alpha: f32,
    },
    Erf,
    Exp,
    Floor,
    Gelu,
    HardSigmoid {
        alpha: f32,
        beta: f32,
    },
    HardSwish,
    LeakyRelu {
        alpha: f32,
    },
    Log,
    Neg,
    Reciprocal,
    Relu,
    Round,
    Selu {
        alpha: f32,
        gamma: f32,
    },
    Sigmoid,
    Sign,
    Softplus,
    Softsign,
    Sqrt,
    Tanh,
    ThresholdedRelu {
        alpha: f32,
    },
    /// Binarizer: whether the value is greater, as a number.
    Above {
        threshold: f32,
    },
    /// Clip.
    Within {
        least: f64,
        greatest: f64,
    },
    /// IsNaN: whether the value is missing.
    IsNan,
    /// Not: of a truth value.
    Not,
}

impl Function {
    pub(crate) fn check(self, input: Shape) -> Result<Shape, String> {
        match (self, input.values) {
            (Self::Not, ValueType::I64) => Ok(input),
            (Self::IsNan, ValueType::F32 | ValueType::F64) => {
                Ok(Shape { values: ValueType::I64, ..input })
            }
            (Self::Abs | Self::Neg | Self::Sign | Self::Within { .. }, ValueType::I64) => Ok(input),
            (Self::Not, found) => Err(format!("Not takes truth values, found {found:?}")),
            (_, ValueType::F32 | ValueType::F64) => Ok(input),
            (function, found) => Err(format!("{function:?} takes F32 or F64, found {found:?}")),
        }
    }

    pub(crate) fn run(self, input: &Block) -> Block {
        let values = match (&input.values, self) {
            (Values::F32(values), Self::IsNan) => {
                Values::I64(values.iter().map(|x| i64::from(x.is_nan())).collect())
            }
            (Values::F64(values), Self::IsNan) => {
                Values::I64(values.iter().map(|x| i64::from(x.is_nan())).collect())
            }
            (Values::F32(values), _) => Values::F32(self.single(values)),
            (Values::F64(values), _) => {
                Values::F64(values.iter().map(|x| self.double(*x)).collect())
            }
            (Values::I64(values), _) => {
                Values::I64(values.iter().map(|x| self.whole(*x)).collect())
            }
            (Values::Text(_), _) => unreachable!("checked: numbers"),
        };
        Block { width: input.width, values }
    }

    fn single(self, values: &[f32]) -> Vec<f32> {
        fn each(values: &[f32], function: impl Fn(f32) -> f32) -> Vec<f32> {
            values.iter().map(|x| function(*x)).collect()
        }
        match self {
            Self::Abs => each(values, f32::abs),
            Self::Ceil => each(values, libm::ceilf),
            Self::Elu { alpha } => {
                each(values, |x| if x < 0.0 { alpha * (libm::expf(x) - 1.0) } else { x })
            }
            Self::Erf => each(values, libm::erff),
            Self::Exp => each(values, libm::expf),
            Self::Floor => each(values, libm::floorf),
            Self::Gelu => {
                each(values, |x| 0.5 * x * (1.0 + libm::erff(x * std::f32::consts::FRAC_1_SQRT_2)))
            }
            Self::HardSigmoid { alpha, beta } => {
                each(values, |x| (alpha * x + beta).clamp(0.0, 1.0))
            }
            Self::HardSwish => each(values, |x| x * (x / 6.0 + 0.5).clamp(0.0, 1.0)),
            Self::LeakyRelu { alpha } => each(values, |x| if x >= 0.0 { x } else { alpha * x }),
            Self::Log => each(values, libm::logf),
            Self::Neg => each(values, |x| -x),
            Self::Reciprocal => each(values, |x| 1.0 / x),
            Self::Relu => each(values, |x| if x < 0.0 { 0.0 } else { x }),
            Self::Round => each(values, libm::rintf),
            Self::Selu { alpha, gamma } => {
                each(values, |x| gamma * if x > 0.0 { x } else { alpha * libm::expf(x) - alpha })
            }
            Self::Sigmoid => each(values, sigmoid),
            Self::Sign => each(values, |x| if x == 0.0 || x.is_nan() { x } else { x.signum() }),
            Self::Softplus => each(values, |x| x.max(0.0) + libm::log1pf(libm::expf(-x.abs()))),
            Self::Softsign => each(values, |x| x / (1.0 + x.abs())),
            Self::Sqrt => each(values, libm::sqrtf),
            Self::Tanh => each(values, libm::tanhf),
            Self::ThresholdedRelu { alpha } => each(values, |x| if x > alpha { x } else { 0.0 }),
            Self::Above { threshold } => each(values, |x| if x > threshold { 1.0 } else { 0.0 }),
            Self::Within { least, greatest } => {
                each(values, |x| within(x, least as f32, greatest as f32))
            }
            Self::IsNan | Self::Not => unreachable!("checked: other types"),
        }
    }

    fn double(self, x: f64) -> f64 {
        match self {
            Self::Abs => x.abs(),
            Self::Ceil => libm::ceil(x),
            Self::Elu { alpha } => {
                if x < 0.0 {
                    f64::from(alpha) * (libm::exp(x) - 1.0)
                } else {
                    x
                }
            }
            Self::Erf => libm::erf(x),
            Self::Exp => libm::exp(x),
            Self::Floor => libm::floor(x),
            Self::Gelu => 0.5 * x * (1.0 + libm::erf(x * std::f64::consts::FRAC_1_SQRT_2)),
            Self::HardSigmoid { alpha, beta } => {
                (f64::from(alpha) * x + f64::from(beta)).clamp(0.0, 1.0)
            }
            Self::HardSwish => x * (x / 6.0 + 0.5).clamp(0.0, 1.0),
            Self::LeakyRelu { alpha } => {
                if x >= 0.0 {
                    x
                } else {
                    f64::from(alpha) * x
                }
            }
            Self::Log => libm::log(x),
            Self::Neg => -x,
            Self::Reciprocal => 1.0 / x,
            Self::Relu => {
                if x < 0.0 {
                    0.0
                } else {
                    x
                }
            }
            Self::Round => libm::rint(x),
            Self::Selu { alpha, gamma } => selu(x, f64::from(alpha), f64::from(gamma)),
            Self::Sigmoid => 1.0 / (1.0 + libm::exp(-x)),
            Self::Sign => {
                if x == 0.0 || x.is_nan() {
                    x
                } else {
                    x.signum()
                }
            }
            Self::Softplus => x.max(0.0) + libm::log1p(libm::exp(-x.abs())),
            Self::Softsign => x / (1.0 + x.abs()),
            Self::Sqrt => libm::sqrt(x),
            Self::Tanh => libm::tanh(x),
            Self::ThresholdedRelu { alpha } => {
                if x > f64::from(alpha) {
                    x
                } else {
                    0.0
                }
            }
            Self::Above { threshold } => {
                if x > f64::from(threshold) {
                    1.0
                } else {
                    0.0
                }
            }
            Self::Within { least, greatest } => within(x, least, greatest),
            Self::IsNan | Self::Not => unreachable!("checked: other types"),
        }
    }

    fn whole(self, x: i64) -> i64 {
        match self {
            Self::Abs => x.wrapping_abs(),
            Self::Neg => x.wrapping_neg(),
            Self::Sign => x.signum(),
            Self::Within { least, greatest } => {
                x.max(super::cast::truncated(least)).min(greatest as i64)
            }
            Self::Not => i64::from(x == 0),
            _ => unreachable!("checked: floating point"),
        }
    }
}

fn selu(x: f64, alpha: f64, gamma: f64) -> f64 {
    gamma * if x > 0.0 { x } else { alpha * libm::exp(x) - alpha }
}

/// `1 / (1 + exp(-x))`.
pub(super) fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + libm::expf(-x))
}

/// The value, or the bound that it lies beyond. A missing value stays one.
fn within<T: PartialOrd>(x: T, least: T, greatest: T) -> T {
    if x < least {
        least
    } else if x > greatest {
        greatest
    } else {
        x
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_function_is_taken_of_each_value() {
        let block = Block::f32(2, vec![-2.0, 0.5, f32::NAN, -0.0]);
        let run = |function: Function| match function.run(&block).values {
            Values::F32(values) => format!("{values:?}"),
            other => format!("{other:?}"),
        };
        assert_eq!(run(Function::Relu), "[0.0, 0.5, NaN, -0.0]");
        assert_eq!(
            run(Function::Within { least: -1.0, greatest: 0.25 }),
            "[-1.0, 0.25, NaN, -0.0]"
        );
        assert_eq!(run(Function::IsNan), "I64([0, 0, 1, 0])");
        assert_eq!(run(Function::LeakyRelu { alpha: 0.5 }), "[-1.0, 0.5, NaN, -0.0]");
        assert_eq!(run(Function::Round), "[-2.0, 0.0, NaN, -0.0]");
    }
}
