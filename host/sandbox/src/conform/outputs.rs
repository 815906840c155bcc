//! From what the guest returned to predictions.

use message::{Contents, Fault, FaultClass, Prediction, Refusal, Tensor};

use crate::contract::{Answered, GuestPrediction, GuestRefusal, GuestTensorReturned, own};
use crate::description::{Description, TensorType};
use crate::fault::fault;

/// How many notes of a prediction are kept.
const NOTES_LIMIT: usize = 32;
/// How much of a note or of the message of a refusal is kept.
const TEXT_BYTES_LIMIT: usize = 1024;

/// Checks what a guest returned for `expected` requests against what it promised.
pub(crate) fn predictions(
    description: &Description,
    expected: usize,
    answered: Vec<Answered>,
) -> Result<Vec<Result<Prediction, Refusal>>, Fault> {
    if answered.len() != expected {
        let found = answered.len();
        return Err(broken(format!("returned {found} results for {expected} requests")));
    }
    let result = |answered| match answered {
        Ok(prediction) => prediction_of(description, prediction).map(Ok),
        Err(refusal) => Ok(Err(refusal_of(refusal))),
    };
    answered.into_iter().map(result).collect()
}

fn prediction_of(
    description: &Description,
    prediction: GuestPrediction,
) -> Result<Prediction, Fault> {
    let GuestPrediction { mut outputs, notes } = prediction;
    if outputs.len() != description.outputs.len() {
        let (found, expected) = (outputs.len(), description.outputs.len());
        return Err(broken(format!("returned {found} outputs, expected {expected}")));
    }
    for (position, expected) in description.outputs.iter().enumerate() {
        let rest = &outputs[position..];
        let found = rest.iter().position(|tensor| tensor.name == expected.name);
        let found = found.ok_or_else(|| {
            broken(format!("did not return the output {:?}, expected {expected}", expected.name))
        })?;
        outputs.swap(position, position + found);
    }
    let outputs =
        description.outputs.iter().zip(outputs).map(|(expected, it)| tensor(expected, it));
    let note = |(name, text)| (shortened(name), shortened(text));
    Ok(Prediction {
        outputs: outputs.collect::<Result<_, _>>()?,
        notes: notes.into_iter().take(NOTES_LIMIT).map(note).collect(),
    })
}

fn tensor(expected: &TensorType, tensor: GuestTensorReturned) -> Result<Tensor, Fault> {
    let GuestTensorReturned { name, shape, contents } = tensor;
    let mut contents = own(contents);
    if contents.datatype() != expected.datatype || !expected.fits(&shape) {
        let found = format!("{}{shape:?}", contents.datatype());
        return Err(broken(format!("output {name:?} is {found}, expected {expected}")));
    }
    if Tensor::element_count(&shape) != Some(contents.len()) {
        let found = contents.len();
        return Err(broken(format!(
            "output {name:?} has {found} elements, expected those of {shape:?}"
        )));
    }
    canonicalize(&mut contents);
    Ok(Tensor::new(name, shape, contents))
}

/// Gives all NaNs the same bits: which ones a computation yields is up to the machine.
fn canonicalize(contents: &mut Contents) {
    const HALF_EXPONENT: u16 = 0x7c00;
    const BRAIN_EXPONENT: u16 = 0x7f80;
    match contents {
        Contents::F32s(numbers) => {
            let nan = f32::from_bits(0x7fc0_0000);
            numbers.iter_mut().filter(|number| number.is_nan()).for_each(|number| *number = nan);
        }
        Contents::F64s(numbers) => {
            let nan = f64::from_bits(0x7ff8_0000_0000_0000);
            numbers.iter_mut().filter(|number| number.is_nan()).for_each(|number| *number = nan);
        }
        Contents::F16s(bits) => canonicalize_bits(bits, HALF_EXPONENT),
        Contents::Bf16s(bits) => canonicalize_bits(bits, BRAIN_EXPONENT),
        _ => {}
    }
}

fn canonicalize_bits(numbers: &mut [u16], exponent: u16) {
    let quiet = exponent | ((!exponent & 0x7fff) + 1) >> 1;
    // Larger than infinity, which has the exponent alone.
    let nans = numbers.iter_mut().filter(|bits| **bits & 0x7fff > exponent);
    nans.for_each(|bits| *bits = quiet);
}

fn refusal_of(refusal: GuestRefusal) -> Refusal {
    match refusal {
        GuestRefusal::InvalidInput(message) => Refusal::InvalidInput(shortened(message)),
        GuestRefusal::Abstain(message) => Refusal::Abstain(shortened(message)),
        GuestRefusal::Failed(message) => Refusal::Failed(shortened(message)),
    }
}

fn shortened(mut text: String) -> String {
    text.truncate(text.floor_char_boundary(TEXT_BYTES_LIMIT));
    text
}

fn broken(message: String) -> Fault {
    fault(FaultClass::Contract, message)
}

#[cfg(test)]
mod tests {
    use message::Datatype;

    use super::*;
    use crate::contract::GuestContentsReturned;

    fn description() -> Description {
        let outputs = vec![
            TensorType::new("a", Datatype::Fp32, &[-1]).unwrap(),
            TensorType::new("b", Datatype::Fp32, &[1]).unwrap(),
        ];
        Description { inputs: Vec::new(), outputs, batch_limit: 0, stateless: true }
    }

    fn floats(name: &str, shape: &[u32], floats: &[f32]) -> GuestTensorReturned {
        let contents = GuestContentsReturned::F32s(floats.to_vec());
        GuestTensorReturned { name: name.to_owned(), shape: shape.to_vec(), contents }
    }

    fn check(outputs: Vec<GuestTensorReturned>) -> Result<Prediction, String> {
        let answered = vec![Ok(GuestPrediction { outputs, notes: Vec::new() })];
        let mut results = predictions(&description(), 1, answered).map_err(|fault| {
            assert_eq!(fault.class, FaultClass::Contract);
            fault.message
        })?;
        Ok(results.remove(0).unwrap())
    }

    #[test]
    fn outputs_come_in_the_order_of_the_description() {
        let outputs = vec![floats("b", &[1], &[1.0]), floats("a", &[2], &[2.0, 3.0])];
        let prediction = check(outputs).unwrap();
        assert_eq!(prediction.outputs[0].name, "a");
        assert_eq!(prediction.outputs[1].contents, Contents::F32s(vec![1.0]));
    }

    #[test]
    fn a_broken_promise_is_a_fault_that_says_which() {
        let a = || floats("a", &[1], &[1.0]);
        let broken = |b| check(vec![a(), b]).unwrap_err();
        assert_eq!(check(vec![a()]).unwrap_err(), "returned 1 outputs, expected 2");
        assert_eq!(broken(a()), "did not return the output \"b\", expected FP32[1]");
        let wrong = "output \"b\" is FP32[1, 1], expected FP32[1]";
        assert_eq!(broken(floats("b", &[1, 1], &[1.0])), wrong);
        let few = "output \"b\" has 2 elements, expected those of [1]";
        assert_eq!(broken(floats("b", &[1], &[1.0, 2.0])), few);
        let fault = predictions(&description(), 2, Vec::new()).unwrap_err();
        assert_eq!(fault.message, "returned 0 results for 2 requests");
    }

    #[test]
    fn all_nans_get_the_same_bits_and_nothing_else_changes() {
        let mut halves = Contents::F16s(vec![0x7c01, 0xfe00, 0x7c00, 0xfc00, 0x3c00]);
        canonicalize(&mut halves);
        assert_eq!(halves, Contents::F16s(vec![0x7e00, 0x7e00, 0x7c00, 0xfc00, 0x3c00]));
        let mut brains = Contents::Bf16s(vec![0x7f81, 0xffff, 0x7f80, 0x3f80]);
        canonicalize(&mut brains);
        assert_eq!(brains, Contents::Bf16s(vec![0x7fc0, 0x7fc0, 0x7f80, 0x3f80]));
        let mut singles = Contents::F32s(vec![f32::from_bits(0xffc0_1234), f32::INFINITY]);
        canonicalize(&mut singles);
        let Contents::F32s(singles) = singles else { unreachable!() };
        assert_eq!(singles[0].to_bits(), 0x7fc0_0000);
        assert_eq!(singles[1], f32::INFINITY);
        let mut doubles = Contents::F64s(vec![-f64::NAN]);
        canonicalize(&mut doubles);
        let Contents::F64s(doubles) = doubles else { unreachable!() };
        assert_eq!(doubles[0].to_bits(), 0x7ff8_0000_0000_0000);
    }

    #[test]
    fn what_a_guest_says_is_cut_at_a_character() {
        let text = shortened("ä".repeat(TEXT_BYTES_LIMIT) + "x");
        assert_eq!(text.len(), TEXT_BYTES_LIMIT);
        assert_eq!(shortened(format!("x{text}")).len(), TEXT_BYTES_LIMIT - 1);
    }
}
