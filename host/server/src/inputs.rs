//! What an endpoint's requests have to look like, told from what its models say that they read.
//!
//! Only models that may answer count: a staged model that wants more than the others is refused
//! its own inputs, never the caller.

use std::collections::BTreeMap;
use std::fmt;

use catalog::TensorForm;
use message::{Datatype, Tensor};
use sandbox::TensorType;
use thiserror::Error;

/// The inputs that requests are checked against.
#[derive(Debug, Clone, Default)]
pub(crate) struct Inputs {
    known: BTreeMap<String, Known>,
}

#[derive(Debug, Clone)]
struct Known {
    tensor: TensorType,
    required: bool,
}

/// What is wrong with the inputs of a request.
#[derive(Debug, Error, PartialEq, Eq)]
pub(crate) enum InputError {
    /// Because a tensor is not there.
    #[error("inputs: found no {name:?}, expected {expected}")]
    Missing {
        /// The name of the tensor.
        name: String,
        /// Its type.
        expected: String,
    },
    /// Because a tensor has another type or shape.
    #[error("inputs[{index}] ({name:?}): found {found}, expected {expected}")]
    Mismatch {
        /// Its place among the inputs.
        index: usize,
        /// The name of the tensor.
        name: String,
        /// The type and shape that it has.
        found: String,
        /// The type and shape that it should have.
        expected: String,
    },
}

impl Inputs {
    /// The inputs of those models that may answer. What all of `firsts` read, those that have the first
    /// word on some course, is required of every request.
    ///
    /// Where two models disagree about a tensor it is not checked here: each model checks its own.
    pub(crate) fn of<'a>(
        firsts: &[&[TensorType]],
        models: impl IntoIterator<Item = &'a [TensorType]>,
    ) -> Self {
        let mut known: BTreeMap<String, Known> = BTreeMap::new();
        let mut disputed = Vec::new();
        for tensor in models.into_iter().flatten() {
            match known.get(&tensor.name) {
                Some(other) if other.tensor != *tensor => disputed.push(tensor.name.clone()),
                Some(_) => {}
                None => {
                    let all_read = |name: &str| {
                        let reads =
                            |inputs: &&[TensorType]| inputs.iter().any(|it| it.name == name);
                        !firsts.is_empty() && firsts.iter().all(reads)
                    };
                    let required = all_read(&tensor.name);
                    let entry = Known { tensor: tensor.clone(), required };
                    known.insert(tensor.name.clone(), entry);
                }
            }
        }
        for name in disputed {
            known.remove(&name);
        }
        Self { known }
    }

    /// The inputs that are known, in the order of their names.
    pub(crate) fn tensors(&self) -> impl Iterator<Item = &TensorType> {
        self.known.values().map(|known| &known.tensor)
    }

    /// Refuses inputs that the first model could not read.
    pub(crate) fn check(&self, inputs: &[Tensor]) -> Result<(), InputError> {
        for (index, input) in inputs.iter().enumerate() {
            if let Some(known) = self.known.get(&input.name) {
                check_one(index, input, &known.tensor)?;
            }
        }
        let missing = self.known.values().find(|known| {
            known.required && !inputs.iter().any(|input| input.name == known.tensor.name)
        });
        match missing {
            Some(known) => Err(InputError::Missing {
                name: known.tensor.name.clone(),
                expected: Shown(known.tensor.datatype, Dimensions::Declared(&known.tensor.shape))
                    .to_string(),
            }),
            None => Ok(()),
        }
    }
}

/// Tensors as the catalog knows them.
pub(crate) fn forms(tensors: &[TensorType]) -> Vec<TensorForm> {
    let form = |tensor: &TensorType| TensorForm {
        name: tensor.name.clone(),
        datatype: tensor.datatype,
        shape: tensor.shape.clone(),
    };
    tensors.iter().map(form).collect()
}

fn check_one(index: usize, input: &Tensor, expected: &TensorType) -> Result<(), InputError> {
    let found = input.contents.datatype();
    let same_type = found.wire_name() == expected.datatype.wire_name();
    if same_type && fits(&input.shape, &expected.shape) {
        return Ok(());
    }
    Err(InputError::Mismatch {
        index,
        name: input.name.clone(),
        found: Shown(found, Dimensions::Actual(&input.shape)).to_string(),
        expected: Shown(expected.datatype, Dimensions::Declared(&expected.shape)).to_string(),
    })
}

fn fits(shape: &[u32], declared: &[Option<u32>]) -> bool {
    let fits_one =
        |(length, declared): (&u32, &Option<u32>)| declared.is_none_or(|only| only == *length);
    shape.len() == declared.len() && shape.iter().zip(declared).all(fits_one)
}

struct Shown<'a>(Datatype, Dimensions<'a>);

enum Dimensions<'a> {
    Actual(&'a [u32]),
    Declared(&'a [Option<u32>]),
}

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.1 {
            Dimensions::Actual(shape) => write!(f, "{} {shape:?}", self.0),
            Dimensions::Declared(shape) => {
                // -1 is how the protocol writes a length that varies.
                let shown: Vec<i64> =
                    shape.iter().map(|length| length.map_or(-1, i64::from)).collect();
                write!(f, "{} {shown:?}", self.0)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use message::Contents;

    use super::*;

    fn number(name: &str) -> TensorType {
        TensorType { name: name.into(), datatype: Datatype::Fp32, shape: vec![None] }
    }

    fn check(inputs: &[Tensor], expected: &str) {
        let declared = [number("distance")];
        let other = [number("altitude")];
        let checked = Inputs::of(&[&declared[..]], [&declared[..], &other[..]]).check(inputs);
        let text = checked.map_or_else(|error| error.to_string(), |()| "fine".to_owned());
        assert_eq!(text, expected);
    }

    #[test]
    fn the_first_model_decides_what_is_required() {
        let good = Tensor::new("distance", [2], Contents::F32s(vec![1.0, 2.0]));
        check(&[good], "fine");
        check(&[], "inputs: found no \"distance\", expected FP32 [-1]");
    }

    #[test]
    fn only_what_every_first_model_reads_is_required() {
        let both = [number("distance"), number("altitude")];
        let one = [number("altitude")];
        let inputs = Inputs::of(&[&both[..], &one[..]], [&both[..], &one[..]]);
        let error = inputs.check(&[]).unwrap_err();
        assert_eq!(error.to_string(), "inputs: found no \"altitude\", expected FP32 [-1]");
        let altitude = Tensor::new("altitude", [1], Contents::F32s(vec![1.0]));
        assert_eq!(inputs.check(&[altitude]), Ok(()));
        assert_eq!(Inputs::of(&[], [&one[..]]).check(&[]), Ok(()));
    }

    #[test]
    fn another_type_or_rank_is_refused_with_both() {
        let integer = Tensor::new("distance", [1], Contents::S32s(vec![1]));
        check(&[integer], "inputs[0] (\"distance\"): found INT32 [1], expected FP32 [-1]");
        let scalar = Tensor::new("distance", [], Contents::F32s(vec![1.0]));
        check(&[scalar], "inputs[0] (\"distance\"): found FP32 [], expected FP32 [-1]");
    }

    #[test]
    fn what_models_disagree_about_is_left_to_them() {
        let one = [number("distance")];
        let other = [TensorType {
            name: "distance".into(),
            datatype: Datatype::Int32,
            shape: vec![Some(1)],
        }];
        assert_eq!(Inputs::of(&[&one[..]], [&one[..], &other[..]]).check(&[]), Ok(()));
    }
}
