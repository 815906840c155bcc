//! What differs between the answer that was expected and the one that came.

use message::{Contents, Prediction, Refusal, Tensor};

use crate::commands::samples::Expected;

/// How many elements of one tensor are told.
const ELEMENTS_MAX: usize = 8;
/// How much of a text is told.
const TEXT_LETTERS: usize = 80;

/// Says what differs, a line each; nothing where all is as expected.
pub(super) fn differences(
    expected: &Expected,
    found: &Result<Prediction, Refusal>,
    tolerance: f64,
) -> Vec<String> {
    match (expected, found) {
        (Expected::Outputs(expected), Ok(found)) => outputs(expected, &found.outputs, tolerance),
        (Expected::Outputs(_), Err(found)) => {
            vec![format!(
                "expected a prediction, found a refusal ({}): {}",
                found.kind(),
                found.message()
            )]
        }
        (Expected::Refusal(expected), Ok(found)) => vec![format!(
            "expected a refusal ({}), found a prediction: {}",
            expected.kind(),
            found.outputs.iter().map(shown).collect::<Vec<_>>().join(", ")
        )],
        (Expected::Refusal(expected), Err(found)) if expected == found => Vec::new(),
        (Expected::Refusal(expected), Err(found)) => vec![
            format!("expected the refusal ({}): {}", expected.kind(), expected.message()),
            format!("found the refusal    ({}): {}", found.kind(), found.message()),
        ],
    }
}

fn outputs(expected: &[Tensor], found: &[Tensor], tolerance: f64) -> Vec<String> {
    let mut lines = Vec::new();
    for wanted in expected {
        match found.iter().find(|tensor| tensor.name == wanted.name) {
            None => lines.push(format!("{}: expected it, found no such output", wanted.name)),
            Some(tensor) => lines.extend(tensors(wanted, tensor, tolerance)),
        }
    }
    let is_new = |tensor: &&Tensor| expected.iter().all(|wanted| wanted.name != tensor.name);
    lines.extend(
        found
            .iter()
            .filter(is_new)
            .map(|it| format!("{}: found it, expected no such output", it.name)),
    );
    lines
}

fn tensors(expected: &Tensor, found: &Tensor, tolerance: f64) -> Vec<String> {
    let kind = |tensor: &Tensor| format!("{}{:?}", tensor.contents.datatype(), tensor.shape);
    let name = &expected.name;
    if kind(expected) != kind(found) {
        return vec![format!("{name}: expected {}, found {}", kind(expected), kind(found))];
    }
    let pairs = elements(&expected.contents).into_iter().zip(elements(&found.contents));
    let apart = pairs.enumerate().filter(|(_, (wanted, element))| !wanted.is(element, tolerance));
    let mut apart = apart.peekable();
    let mut lines = Vec::new();
    while lines.len() < ELEMENTS_MAX {
        let Some((place, (wanted, element))) = apart.next() else { return lines };
        let index = index_of(place, &expected.shape);
        let far = wanted
            .how_far(&element)
            .map_or(String::new(), |far| format!(" ({far:.1e} apart, relatively)"));
        lines.push(format!("{name}{index}: expected {wanted}, found {element}{far}"));
    }
    match apart.count() {
        0 => {}
        more => lines.push(format!("{name}: and {more} more elements")),
    }
    lines
}

/// One element, as it is compared and shown.
enum Element<'a> {
    Exact(String),
    Float(f64),
    Bytes(&'a [u8]),
}

impl Element<'_> {
    fn is(&self, other: &Self, tolerance: f64) -> bool {
        match (self, other) {
            (Self::Exact(one), Self::Exact(other)) => one == other,
            (Self::Bytes(one), Self::Bytes(other)) => one == other,
            (Self::Float(one), Self::Float(other)) => {
                let same = one.to_bits() == other.to_bits() || one.is_nan() && other.is_nan();
                let near = (one - other).abs() <= tolerance * one.abs().max(other.abs());
                same || tolerance > 0.0 && near && one.is_finite() && other.is_finite()
            }
            _ => false,
        }
    }

    /// The distance of two finite floats, relative to the larger.
    fn how_far(&self, other: &Self) -> Option<f64> {
        let (Self::Float(one), Self::Float(other)) = (self, other) else { return None };
        let far = (one - other).abs() / one.abs().max(other.abs());
        far.is_finite().then_some(far)
    }
}

impl std::fmt::Display for Element<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Exact(text) => f.write_str(text),
            Self::Float(float) => write!(f, "{float:?}"),
            Self::Bytes(bytes) => match std::str::from_utf8(bytes) {
                Ok(text) if text.chars().count() > TEXT_LETTERS => {
                    let start: String = text.chars().take(TEXT_LETTERS).collect();
                    write!(f, "{start:?}… ({} bytes)", bytes.len())
                }
                Ok(text) => write!(f, "{text:?}"),
                Err(_) => {
                    let hex = bytes.iter().take(TEXT_LETTERS / 2).map(|byte| format!("{byte:02x}"));
                    write!(f, "{} ({} bytes)", hex.collect::<String>(), bytes.len())
                }
            },
        }
    }
}

/// The elements of a tensor. Floats of all kinds are compared as FP64, which holds every one of them.
fn elements(contents: &Contents) -> Vec<Element<'_>> {
    fn exact<T: ToString>(them: &[T]) -> Vec<Element<'static>> {
        them.iter().map(|it| Element::Exact(it.to_string())).collect()
    }
    let floats = |them: &mut dyn Iterator<Item = f64>| them.map(Element::Float).collect();
    match contents {
        Contents::Bools(them) => exact(them),
        Contents::U8s(them) => exact(them),
        Contents::U16s(them) => exact(them),
        Contents::U32s(them) => exact(them),
        Contents::U64s(them) => exact(them),
        Contents::S8s(them) => exact(them),
        Contents::S16s(them) => exact(them),
        Contents::S32s(them) => exact(them),
        Contents::S64s(them) => exact(them),
        Contents::F16s(them) => floats(&mut them.iter().map(|bits| of_f16(*bits))),
        Contents::Bf16s(them) => floats(&mut them.iter().map(|bits| of_bf16(*bits))),
        Contents::F32s(them) => floats(&mut them.iter().map(|it| f64::from(*it))),
        Contents::F64s(them) => floats(&mut them.iter().copied()),
        Contents::Texts(them) => them.iter().map(|it| Element::Bytes(it.as_bytes())).collect(),
        Contents::Blobs(them) => them.iter().map(|it| Element::Bytes(it)).collect(),
    }
}

fn of_bf16(bits: u16) -> f64 {
    f64::from(f32::from_bits(u32::from(bits) << 16))
}

/// IEEE 754 binary16: a sign, 5 bits of exponent, 10 bits of fraction.
fn of_f16(bits: u16) -> f64 {
    let sign = if bits >> 15 == 0 { 1.0 } else { -1.0 };
    let fraction = f64::from(bits & 0x3ff);
    let exponent = i32::from(bits >> 10 & 0x1f);
    sign * match exponent {
        0x1f if fraction > 0.0 => f64::NAN,
        0x1f => f64::INFINITY,
        0 => fraction * 2_f64.powi(-24),
        _ => (1024.0 + fraction) * 2_f64.powi(exponent - 25),
    }
}

/// The place of an element in each dimension, as `[2, 0]`.
fn index_of(place: usize, shape: &[u32]) -> String {
    let mut rest = place;
    let mut index: Vec<usize> = shape
        .iter()
        .rev()
        .map(|length| {
            let length = (*length as usize).max(1);
            let here = rest % length;
            rest /= length;
            here
        })
        .collect();
    index.reverse();
    if index.is_empty() { String::new() } else { format!("{index:?}") }
}

fn shown(tensor: &Tensor) -> String {
    let first: Vec<_> =
        elements(&tensor.contents).iter().take(ELEMENTS_MAX).map(ToString::to_string).collect();
    let more = if tensor.contents.len() > ELEMENTS_MAX { ", …" } else { "" };
    format!(
        "{} {}{:?} [{}{more}]",
        tensor.name,
        tensor.contents.datatype(),
        tensor.shape,
        first.join(", ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(expected: Contents, found: Contents, tolerance: f64, lines: &[&str]) {
        let tensor = |contents: Contents| {
            let length = u32::try_from(contents.len()).unwrap();
            Tensor::new("p", [length], contents)
        };
        let found = Prediction { outputs: vec![tensor(found)], notes: Vec::new() };
        let expected = Expected::Outputs(vec![tensor(expected)]);
        assert_eq!(differences(&expected, &Ok(found), tolerance), lines);
    }

    #[test]
    fn what_is_equal_to_the_bit_does_not_differ() {
        let floats = || Contents::F64s(vec![0.1, f64::NAN, f64::INFINITY, -0.0]);
        check(floats(), floats(), 0.0, &[]);
        let payload = Contents::F64s(vec![f64::from_bits(0x7ff8_0000_0000_0001)]);
        check(payload, Contents::F64s(vec![f64::NAN]), 0.0, &[]);
        check(Contents::Texts(vec!["é".into()]), Contents::Blobs(vec![vec![0xc3, 0xa9]]), 0.0, &[]);
    }

    #[test]
    fn a_zero_of_the_other_sign_differs_and_a_tolerance_allows_it() {
        let pair = || (Contents::F64s(vec![0.0]), Contents::F64s(vec![-0.0]));
        let (expected, found) = pair();
        check(expected, found, 0.0, &["p[0]: expected 0.0, found -0.0"]);
        let (expected, found) = pair();
        check(expected, found, 1e-12, &[]);
    }

    #[test]
    fn a_tolerance_is_relative_to_the_larger() {
        let pair = || (Contents::F32s(vec![100.0]), Contents::F32s(vec![101.0]));
        let (expected, found) = pair();
        check(expected, found, 0.01, &[]);
        let (expected, found) = pair();
        check(
            expected,
            found,
            0.009,
            &["p[0]: expected 100.0, found 101.0 (9.9e-3 apart, relatively)"],
        );
        let infinite = Contents::F64s(vec![f64::INFINITY]);
        check(Contents::F64s(vec![1.0]), infinite, 1.0, &["p[0]: expected 1.0, found inf"]);
    }

    #[test]
    fn halves_are_read_as_what_they_are() {
        for (bits, value) in
            [(0x3c00, 1.0), (0xc000, -2.0), (0x0001, 2_f64.powi(-24)), (0x7bff, 65504.0)]
        {
            assert_eq!(of_f16(bits), value);
        }
        assert_eq!(of_f16(0xfc00), f64::NEG_INFINITY);
        assert!(of_f16(0x7e00).is_nan());
        assert_eq!(of_bf16(0x3f80), 1.0);
    }

    #[test]
    fn other_types_shapes_and_names_are_told() {
        check(
            Contents::F64s(vec![1.0]),
            Contents::F32s(vec![1.0]),
            0.0,
            &["p: expected FP64[1], found FP32[1]"],
        );
        let expected = Expected::Outputs(vec![Tensor::new("p", [], Contents::S8s(vec![1]))]);
        let outputs = vec![Tensor::new("q", [], Contents::S8s(vec![1]))];
        let found = Ok(Prediction { outputs, notes: Vec::new() });
        assert_eq!(
            differences(&expected, &found, 0.0),
            ["p: expected it, found no such output", "q: found it, expected no such output"]
        );
    }

    #[test]
    fn only_the_first_elements_of_many_are_told() {
        let expected =
            Expected::Outputs(vec![Tensor::new("m", [4, 5], Contents::S8s(vec![0; 20]))]);
        let outputs = vec![Tensor::new("m", [4, 5], Contents::S8s(vec![1; 20]))];
        let lines = differences(&expected, &Ok(Prediction { outputs, notes: Vec::new() }), 0.0);
        assert_eq!(lines[7], "m[1, 2]: expected 0, found 1");
        assert_eq!(lines[8], "m: and 12 more elements");
    }

    #[test]
    fn a_refusal_is_equal_to_itself_alone() {
        let expected = Expected::Refusal(Refusal::Abstain("why".into()));
        assert_eq!(differences(&expected, &Err(Refusal::Abstain("why".into())), 0.0), [""; 0]);
        assert_eq!(differences(&expected, &Err(Refusal::Failed("why".into())), 0.0).len(), 2);
        let outputs = vec![Tensor::new("p", [1], Contents::F64s(vec![0.5]))];
        let lines = differences(&expected, &Ok(Prediction { outputs, notes: Vec::new() }), 0.0);
        assert_eq!(lines, ["expected a refusal (abstain), found a prediction: p FP64[1] [0.5]"]);
    }
}
