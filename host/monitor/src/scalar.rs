//! The one number of a prediction that comparisons go by.

use half::{bf16, f16};
use message::{Contents, Tensor};

/// The single element of an output, as a number; of the only output where `name` is `None`.
///
/// There is none where the output is missing, has several elements, is text, or is not finite.
pub fn scalar(outputs: &[Tensor], name: Option<&str>) -> Option<f64> {
    let tensor = match (name, outputs) {
        (Some(name), outputs) => outputs.iter().find(|tensor| tensor.name == name)?,
        (None, [tensor]) => tensor,
        (None, _) => return None,
    };
    element(&tensor.contents).filter(|value| value.is_finite())
}

fn element(contents: &Contents) -> Option<f64> {
    Some(match contents {
        Contents::Bools(them) => f64::from(u8::from(*only(them)?)),
        Contents::U8s(them) => f64::from(*only(them)?),
        Contents::U16s(them) => f64::from(*only(them)?),
        Contents::U32s(them) => f64::from(*only(them)?),
        Contents::U64s(them) => *only(them)? as f64,
        Contents::S8s(them) => f64::from(*only(them)?),
        Contents::S16s(them) => f64::from(*only(them)?),
        Contents::S32s(them) => f64::from(*only(them)?),
        Contents::S64s(them) => *only(them)? as f64,
        Contents::F16s(them) => f16::from_bits(*only(them)?).to_f64(),
        Contents::Bf16s(them) => bf16::from_bits(*only(them)?).to_f64(),
        Contents::F32s(them) => f64::from(*only(them)?),
        Contents::F64s(them) => *only(them)?,
        Contents::Texts(_) | Contents::Blobs(_) => return None,
    })
}

fn only<T>(elements: &[T]) -> Option<&T> {
    match elements {
        [element] => Some(element),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(contents: Contents, expected: Option<f64>) {
        let outputs = [Tensor::new("p", [1], contents)];
        assert_eq!(scalar(&outputs, Some("p")), expected);
        assert_eq!(scalar(&outputs, None), expected);
        assert_eq!(scalar(&outputs, Some("q")), None);
    }

    #[test]
    fn every_kind_of_number_has_a_value() {
        check(Contents::Bools(vec![true]), Some(1.0));
        check(Contents::U8s(vec![255]), Some(255.0));
        check(Contents::S64s(vec![-3]), Some(-3.0));
        check(Contents::F32s(vec![0.5]), Some(0.5));
        check(Contents::F64s(vec![0.1]), Some(0.1));
        check(Contents::Bf16s(vec![0x3fc0]), Some(1.5));
    }

    #[test]
    fn halves_are_read_by_their_bits() {
        let cases =
            [(0x3c00, 1.0), (0xc000, -2.0), (0x3555, 0.333_251_953_125), (0x7bff, 65_504.0)];
        for (bits, expected) in cases {
            check(Contents::F16s(vec![bits]), Some(expected));
        }
        check(Contents::F16s(vec![0x0001]), Some(2_f64.powi(-24)));
        check(Contents::F16s(vec![0x7c00]), None);
    }

    #[test]
    fn texts_lists_and_what_is_not_finite_have_none() {
        check(Contents::F32s(vec![f32::NAN]), None);
        check(Contents::F64s(vec![f64::INFINITY]), None);
        check(Contents::F64s(vec![1.0, 2.0]), None);
        check(Contents::F64s(Vec::new()), None);
        check(Contents::Texts(vec!["1".to_owned()]), None);
    }

    #[test]
    fn without_a_name_there_must_be_one_output() {
        let output = Tensor::new("p", [1], Contents::F64s(vec![1.0]));
        assert_eq!(scalar(&[output.clone(), output], None), None);
        assert_eq!(scalar(&[], None), None);
    }
}
