//! When two answers are the same: to the last bit, but that every NaN is equal to every other.

use message::{Contents, Prediction, Refusal, Tensor};

/// Over what an answer came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wire {
    /// Over none: text and blob are told apart.
    None,
    /// Over the protocol, where both are `BYTES`.
    Protocol,
}

/// Says how an answer differs from the one that was expected, if it does.
pub fn difference(
    found: &Result<Prediction, Refusal>,
    expected: &Result<Prediction, Refusal>,
    wire: Wire,
) -> Option<String> {
    match (found, expected) {
        (Ok(found), Ok(expected)) => of_predictions(found, expected, wire),
        (Err(found), Err(expected)) if found == expected => None,
        _ => Some(format!("found {}, expected {}", shown(found), shown(expected))),
    }
}

fn shown(answer: &Result<Prediction, Refusal>) -> String {
    match answer {
        Ok(_) => "a prediction".to_owned(),
        Err(refusal) => format!("{refusal:?}"),
    }
}

fn of_predictions(found: &Prediction, expected: &Prediction, wire: Wire) -> Option<String> {
    if found.notes != expected.notes {
        return Some(format!("found the notes {:?}, expected {:?}", found.notes, expected.notes));
    }
    if found.outputs.len() != expected.outputs.len() {
        let (found, expected) = (found.outputs.len(), expected.outputs.len());
        return Some(format!("found {found} outputs, expected {expected}"));
    }
    let mut pairs = found.outputs.iter().zip(&expected.outputs);
    pairs.find_map(|(found, expected)| of_tensors(found, expected, wire))
}

fn of_tensors(found: &Tensor, expected: &Tensor, wire: Wire) -> Option<String> {
    let datatype = |tensor: &Tensor| match wire {
        Wire::None => format!("{:?}", tensor.contents.datatype()),
        Wire::Protocol => tensor.contents.datatype().wire_name().to_owned(),
    };
    let name = |tensor: &Tensor| format!("{} {}{:?}", tensor.name, datatype(tensor), tensor.shape);
    if name(found) != name(expected) {
        return Some(format!("found {}, expected {}", name(found), name(expected)));
    }
    let (found_bits, expected_bits) = (bits(&found.contents), bits(&expected.contents));
    let position =
        found_bits.iter().zip(&expected_bits).position(|(found, expected)| found != expected);
    let position = position.or_else(|| {
        // As many elements as the shape asks for are what the host has checked.
        (found_bits.len() != expected_bits.len()).then_some(found_bits.len())
    })?;
    let at = |bits: &[Vec<u8>]| bits.get(position).map(|element| short(element));
    Some(format!(
        "element {position} of {} is {:?}, expected {:?} (bytes, the least first)",
        name(found),
        at(&found_bits),
        at(&expected_bits)
    ))
}

fn short(element: &[u8]) -> String {
    const SHOWN_BYTES: usize = 64;
    let rest = if element.len() > SHOWN_BYTES { " …" } else { "" };
    let shown: Vec<_> =
        element.iter().take(SHOWN_BYTES).map(|byte| format!("{byte:02x}")).collect();
    shown.join(" ") + rest
}

/// The bytes of each element, with one NaN for all.
fn bits(contents: &Contents) -> Vec<Vec<u8>> {
    const HALF_INFINITY: u16 = 0x7c00;
    const BRAIN_INFINITY: u16 = 0x7f80;
    let half = |bits: u16, infinity: u16| if bits & 0x7fff > infinity { 0x7fff } else { bits };
    macro_rules! bytes {
        ($them:ident, |$it:ident| $number:expr) => {
            $them.iter().map(|$it| $number.to_le_bytes().to_vec()).collect()
        };
    }
    match contents {
        Contents::Bools(them) => bytes!(them, |it| u8::from(*it)),
        Contents::U8s(them) => bytes!(them, |it| it),
        Contents::U16s(them) => bytes!(them, |it| it),
        Contents::U32s(them) => bytes!(them, |it| it),
        Contents::U64s(them) => bytes!(them, |it| it),
        Contents::S8s(them) => bytes!(them, |it| it),
        Contents::S16s(them) => bytes!(them, |it| it),
        Contents::S32s(them) => bytes!(them, |it| it),
        Contents::S64s(them) => bytes!(them, |it| it),
        Contents::F16s(them) => bytes!(them, |it| half(*it, HALF_INFINITY)),
        Contents::Bf16s(them) => bytes!(them, |it| half(*it, BRAIN_INFINITY)),
        Contents::F32s(them) => bytes!(them, |it| if it.is_nan() { f32::NAN } else { *it }),
        Contents::F64s(them) => bytes!(them, |it| if it.is_nan() { f64::NAN } else { *it }),
        Contents::Texts(them) => them.iter().map(|it| it.as_bytes().to_vec()).collect(),
        Contents::Blobs(them) => them.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(found: Contents, expected: Contents, wire: Wire) -> Option<String> {
        let answer = |contents: Contents| {
            let shape = [contents.len() as u32];
            Ok(Prediction { outputs: vec![Tensor::new("x", shape, contents)], notes: vec![] })
        };
        difference(&answer(found), &answer(expected), wire)
    }

    #[test]
    fn every_nan_is_equal_to_every_other_and_zeros_are_not() {
        let quiet = Contents::F64s(vec![f64::NAN, 1.0]);
        let other = Contents::F64s(vec![f64::from_bits(0xfff0_0000_0000_0001), 1.0]);
        assert_eq!(check(quiet, other, Wire::None), None);
        assert_eq!(
            check(Contents::F16s(vec![0x7c01]), Contents::F16s(vec![0xfe00]), Wire::None),
            None
        );
        let zeros =
            check(Contents::F32s(vec![0.0]), Contents::F32s(vec![-0.0]), Wire::None).unwrap();
        assert!(zeros.starts_with("element 0 of x Fp32[1] is Some(\"00 00 00 00\")"), "{zeros}");
        assert!(
            check(Contents::F16s(vec![0x7c00]), Contents::F16s(vec![0x7e00]), Wire::None).is_some()
        );
    }

    #[test]
    fn text_and_blob_differ_but_not_on_the_wire() {
        let both = || (Contents::Texts(vec!["a".into()]), Contents::Blobs(vec![vec![0x61]]));
        let (text, blob) = both();
        assert!(check(text, blob, Wire::None).is_some());
        let (text, blob) = both();
        assert_eq!(check(text, blob, Wire::Protocol), None);
    }

    #[test]
    fn refusals_are_equal_where_kind_and_text_are() {
        let refusal = |text: &str| Err(Refusal::Abstain(text.to_owned()));
        assert_eq!(difference(&refusal("a"), &refusal("a"), Wire::None), None);
        let told = difference(&refusal("a"), &refusal("b"), Wire::None).unwrap();
        assert_eq!(told, "found Abstain(\"a\"), expected Abstain(\"b\")");
        assert!(difference(&refusal("a"), &Err(Refusal::Failed("a".into())), Wire::None).is_some());
    }
}
