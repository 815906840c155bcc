//! Comparisons: how near a prediction is to that of the library.

use message::{Contents, Tensor};

use crate::{Golden, Near};

/// Compares all rows, and says how near the farthest of each output is.
///
/// # Errors
///
/// Where a row is not near enough; names the first of them.
pub fn all(golden: &Golden, answers: &[Vec<Tensor>]) -> Result<String, String> {
    let mut said = Vec::new();
    for (at, expected) in golden.outputs.iter().enumerate() {
        let (mut farthest, mut far) = (Distance::default(), Vec::new());
        for (row, outputs) in answers.iter().enumerate() {
            let found = outputs
                .get(at)
                .filter(|found| found.name == expected.name)
                .ok_or_else(|| format!("has no output {at} that is called `{}`", expected.name))?;
            let distance = Distance::between(&expected.row(row), &found.contents)?;
            farthest = farthest.max(distance);
            if !distance.is_within(expected.near) {
                far.push((row, found.contents.clone()));
            }
        }
        if !far.is_empty() {
            return Err(far_rows(golden, at, &far, farthest));
        }
        said.push(format!("{} {farthest}", expected.name));
    }
    Ok(said.join(", "))
}

fn far_rows(golden: &Golden, at: usize, far: &[(usize, Contents)], farthest: Distance) -> String {
    let expected = &golden.outputs[at];
    let mut text = format!(
        "`{}` is too far in {} of {} rows ({farthest}, expected {:?})",
        expected.name,
        far.len(),
        golden.rows,
        expected.near
    );
    for (row, found) in far.iter().take(3) {
        let inputs: Vec<_> = golden.inputs.iter().map(|input| input.row(*row)).collect();
        text += &format!(
            "\n  row {row}: found {found:?}, expected {:?} for {inputs:?}",
            expected.row(*row)
        );
    }
    text
}

/// Whether the outputs of two calls are the same to the bit.
pub(crate) fn is_same(one: &[Tensor], other: &[Tensor]) -> bool {
    one.len() == other.len()
        && one.iter().zip(other).all(|(one, other)| {
            one.name == other.name
                && Distance::between(&one.contents, &other.contents).is_ok_and(|distance| {
                    distance.is_within(Near { ulp: Some(0), ..Near::default() })
                })
        })
}

/// How far two numbers are from each other.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct Distance {
    ulp: u64,
    relative: f64,
    absolute: f64,
}

impl Distance {
    fn between(expected: &Contents, found: &Contents) -> Result<Self, String> {
        let misfit = || format!("found {found:?}, expected {expected:?}");
        match (expected, found) {
            (Contents::F64s(expected), Contents::F64s(found)) if expected.len() == found.len() => {
                let far = |(a, b): (&f64, &f64)| Self::of(*a, *b, places(*a).abs_diff(places(*b)));
                Ok(expected.iter().zip(found).map(far).fold(Self::default(), Self::max))
            }
            (Contents::F32s(expected), Contents::F32s(found)) if expected.len() == found.len() => {
                let far = |(a, b): (&f32, &f32)| {
                    let ulp = places_single(*a).abs_diff(places_single(*b));
                    Self::of(f64::from(*a), f64::from(*b), u64::from(ulp))
                };
                Ok(expected.iter().zip(found).map(far).fold(Self::default(), Self::max))
            }
            (Contents::F64s(_) | Contents::F32s(_), _) => Err(misfit()),
            (expected, found) if expected == found => Ok(Self::default()),
            (expected, found) if expected.datatype() == found.datatype() => {
                Ok(Self { ulp: u64::MAX, relative: f64::INFINITY, absolute: f64::INFINITY })
            }
            _ => Err(misfit()),
        }
    }

    fn of(expected: f64, found: f64, ulp: u64) -> Self {
        if ulp == 0 || (expected.is_nan() && found.is_nan()) {
            return Self::default();
        }
        let absolute = (expected - found).abs();
        if absolute.is_nan() {
            return Self { ulp: u64::MAX, relative: f64::INFINITY, absolute: f64::INFINITY };
        }
        Self { ulp, relative: absolute / expected.abs(), absolute }
    }

    fn max(self, other: Self) -> Self {
        Self {
            ulp: self.ulp.max(other.ulp),
            relative: self.relative.max(other.relative),
            absolute: self.absolute.max(other.absolute),
        }
    }

    fn is_within(self, near: Near) -> bool {
        if near == Near::default() {
            return self == Self::default();
        }
        near.ulp.is_some_and(|bound| self.ulp <= bound)
            || near.relative.is_some_and(|bound| self.relative <= bound)
            || near.absolute.is_some_and(|bound| self.absolute <= bound)
    }
}

impl std::fmt::Display for Distance {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match *self {
            Self { ulp: 0, .. } => write!(f, "equal"),
            Self { ulp, .. } if ulp < 1000 => write!(f, "within {ulp} ulp"),
            Self { relative, absolute, .. } => {
                write!(f, "within {relative:.1e} of it or {absolute:.1e}")
            }
        }
    }
}

/// Numbers in their order, the zeros one beside the other.
fn places(value: f64) -> i64 {
    let bits = value.to_bits() as i64;
    if bits < 0 { i64::MIN - bits - 1 } else { bits }
}

fn places_single(value: f32) -> i32 {
    let bits = value.to_bits() as i32;
    if bits < 0 { i32::MIN - bits - 1 } else { bits }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_are_counted_in_numbers_between() {
        let far = |a: f64, b: f64| {
            Distance::between(&Contents::F64s(vec![a]), &Contents::F64s(vec![b])).unwrap()
        };
        assert_eq!(far(1.0, 1.0), Distance::default());
        assert_eq!(far(f64::NAN, -f64::NAN), Distance::default());
        assert_eq!(far(1.0, 1.0_f64.next_up().next_up()).ulp, 2);
        assert_eq!(far(0.0, -0.0).ulp, 1);
        assert_eq!(far(-1.0, (-1.0_f64).next_up()).ulp, 1);
        assert_eq!(far(1.0, f64::NAN).ulp, u64::MAX);
        assert!(!far(1.0, 1.1).is_within(Near {
            ulp: Some(2),
            relative: Some(0.01),
            absolute: None
        }));
        assert!(far(1.0, 1.1).is_within(Near { absolute: Some(0.11), ..Near::default() }));
    }
}
