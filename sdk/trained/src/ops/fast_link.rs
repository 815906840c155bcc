//! Links of CatBoost that use an exponential of its own, which is fast and off by some units in the last place.

use std::sync::OnceLock;

use serde::{Deserialize, Serialize};

use super::Shape;
use crate::block::{Block, ValueType, Values};

/// Turns the raw scores of a row into predictions, in double precision.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum FastLink {
    /// Exponentials of the row, divided by their sum. The greatest is subtracted first.
    Softmax,
    /// `exp(x)`.
    Exp,
}

impl FastLink {
    pub(crate) fn check(self, inputs: &[Shape]) -> Result<Shape, String> {
        match inputs {
            [input] if input.values == ValueType::F64 && input.width > 0 => Ok(*input),
            _ => Err(format!("{self:?} takes one block of F64, found {inputs:?}")),
        }
    }

    pub(crate) fn run(self, inputs: &[&Block]) -> Block {
        let Values::F64(values) = &inputs[0].values else { unreachable!("checked: F64") };
        let width = inputs[0].width;
        let mut values = values.clone();
        match self {
            Self::Exp => values.iter_mut().for_each(|value| *value = exp(*value)),
            Self::Softmax => values.chunks_exact_mut(width).for_each(softmax),
        }
        Block::f64(width, values)
    }
}

fn softmax(row: &mut [f64]) {
    let greatest = row.iter().copied().fold(row[0], f64::max);
    let mut sum = 0.0;
    for value in row.iter_mut() {
        *value = exp(*value - greatest);
        sum += *value;
    }
    for value in row {
        *value /= sum;
    }
}

/// Into how many parts an octave is divided, as a power of 2.
const BITS: u32 = 11;
const PARTS: usize = 1 << BITS;
const MANTISSA: u64 = (1 << 52) - 1;

/// `exp(x)` as `2^k 2^(i/2048) exp(t)`: the second from a table, the third by a polynomial of the third degree.
fn exp(x: f64) -> f64 {
    let x = x.clamp(-708.396_418_532_264_1, 709.782_712_893_384);
    let parts = PARTS as f64;
    // Adding this makes a whole number of it, which then stands in the lowest bits.
    let shift = (3_u64 << 51) as f64;
    let shifted = x * (parts / std::f64::consts::LN_2) + shift;
    let bits = shifted.to_bits();
    let t = (shifted - shift) * (std::f64::consts::LN_2 / parts) - x;
    let exponent = bits.wrapping_add((1 << (BITS + 10)) - (1 << BITS)) >> BITS << 52;
    let rest = (3.000_000_002_795_539_4 - t) * (t * t) * 0.166_666_666_852_278_35 - t + 1.0;
    rest * f64::from_bits(exponent | table()[bits as usize % PARTS])
}

/// The mantissas of `2^(i/2048)`, each rounded once.
fn table() -> &'static [u64; PARTS] {
    static TABLE: OnceLock<[u64; PARTS]> = OnceLock::new();
    TABLE.get_or_init(|| {
        let mut powers = vec![Twofold(1.0, 0.0)];
        let mut root = Twofold(2.0, 0.0);
        let mut roots = [root; BITS as usize];
        for place in &mut roots {
            root = root.sqrt();
            *place = root;
        }
        for root in roots.into_iter().rev() {
            let upper: Vec<_> = powers.iter().map(|power| power.times(root)).collect();
            powers.extend(upper);
        }
        std::array::from_fn(|at| powers[at].0.to_bits() & MANTISSA)
    })
}

/// A number as the sum of two, of which the second is what the first lacks.
#[derive(Clone, Copy)]
struct Twofold(f64, f64);

impl Twofold {
    fn times(self, other: Self) -> Self {
        let Self(product, lost) = exact(self.0, other.0);
        let lost = lost + (self.0 * other.1 + self.1 * other.0);
        let sum = product + lost;
        Self(sum, lost - (sum - product))
    }

    fn sqrt(self) -> Self {
        let root = libm::sqrt(self.0);
        let Self(square, lost) = exact(root, root);
        let rest = ((self.0 - square) - lost + self.1) / (2.0 * root);
        let sum = root + rest;
        Self(sum, rest - (sum - root))
    }
}

/// A product without loss: each factor is cut into two halves, whose products are exact.
fn exact(a: f64, b: f64) -> Twofold {
    let cut = |x: f64| {
        let high = 134_217_729.0 * x;
        let high = high - (high - x);
        (high, x - high)
    };
    let ((a_high, a_low), (b_high, b_low)) = (cut(a), cut(b));
    let product = a * b;
    let lost = a_high * b_high - product + a_high * b_low + a_low * b_high + a_low * b_low;
    Twofold(product, lost)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_exponential_is_near_the_right_one() {
        for step in -7000..7000 {
            let x = f64::from(step) / 10.0;
            let far = (exp(x) - x.exp()).abs() / x.exp();
            assert!(far < 1e-15 * (5.0 + x.abs()), "{x}: {far}");
        }
        assert_eq!(exp(0.0), 1.0);
        assert_eq!(table()[PARTS / 2], std::f64::consts::SQRT_2.to_bits() & MANTISSA);
    }

    #[test]
    fn scores_become_predictions() {
        let row = Block::f64(2, vec![900.0, 900.0]);
        assert_eq!(FastLink::Softmax.run(&[&row]), Block::f64(2, vec![0.5, 0.5]));
    }
}
