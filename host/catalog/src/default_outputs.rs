//! The default answer as tensors.
//!
//! A file says `delayed = [0.2]` and nothing of a datatype; what the models declare decides it.

use std::collections::BTreeMap;

use message::{Contents, Datatype, Tensor};
use thiserror::Error;

use crate::endpoint::{DefaultValue, TensorForm};

/// Why a default cannot be what the models declare.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum DefaultError {
    /// Because an element is no value of the datatype.
    #[error("policy.default.{name}: found {found}, expected elements of {datatype}")]
    Datatype {
        /// The output.
        name: String,
        /// The element.
        found: String,
        /// What the models declare.
        datatype: Datatype,
    },
    /// Because the number of elements fits no shape that the models allow.
    #[error("policy.default.{name}: found {found} elements, expected shape {expected:?}")]
    Shape {
        /// The output.
        name: String,
        /// How many elements there are.
        found: usize,
        /// What the models declare, -1 where it may vary.
        expected: Vec<i64>,
    },
}

/// Makes tensors of the default of a policy, in the order of their names.
///
/// An output that no model declares becomes a row of `BOOL`, `FP64` or `BYTES`, by what its
/// elements are.
///
/// # Errors
/// When a default contradicts what is declared.
pub fn default_outputs(
    default: &BTreeMap<String, DefaultValue>,
    declared: &[TensorForm],
) -> Result<Vec<Tensor>, DefaultError> {
    let tensor = |(name, value): (&String, &DefaultValue)| {
        let declared = declared.iter().find(|output| output.name == *name);
        let datatype = declared.map_or_else(|| undeclared(value), |output| output.datatype);
        let shape = match declared {
            None => vec![dimension(value.len())],
            Some(output) => shape(value.len(), &output.shape).ok_or_else(|| {
                let expected = output.shape.iter().map(|length| length.map_or(-1, i64::from));
                let (found, expected) = (value.len(), expected.collect());
                DefaultError::Shape { name: name.clone(), found, expected }
            })?,
        };
        let contents = contents(value, datatype).map_err(|found| DefaultError::Datatype {
            name: name.clone(),
            found,
            datatype,
        })?;
        Ok(Tensor::new(name.as_str(), shape, contents))
    };
    default.iter().map(tensor).collect()
}

const fn undeclared(value: &DefaultValue) -> Datatype {
    match value {
        DefaultValue::Bools(_) => Datatype::Bool,
        DefaultValue::Ints(_) | DefaultValue::Floats(_) => Datatype::Fp64,
        DefaultValue::Texts(_) => Datatype::Text,
    }
}

/// Fits a number of elements into the declared dimensions. Of several that vary, the first takes
/// all and the others are 1.
fn shape(count: usize, declared: &[Option<u32>]) -> Option<Vec<u32>> {
    let fixed: Vec<u32> = declared.iter().copied().flatten().collect();
    let fixed = Tensor::element_count(&fixed)?;
    let mut varying = count.checked_div(fixed)?;
    let length = |length: &Option<u32>| {
        length.unwrap_or_else(|| dimension(std::mem::replace(&mut varying, 1)))
    };
    let shape: Vec<u32> = declared.iter().map(length).collect();
    (Tensor::element_count(&shape) == Some(count)).then_some(shape)
}

fn dimension(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}

/// Converts the elements; fails with the first that is no value of `datatype`.
fn contents(value: &DefaultValue, datatype: Datatype) -> Result<Contents, String> {
    Ok(match datatype {
        Datatype::Bool => Contents::Bools(bools(value)?),
        Datatype::Uint8 => Contents::U8s(wholes(value)?),
        Datatype::Uint16 => Contents::U16s(wholes(value)?),
        Datatype::Uint32 => Contents::U32s(wholes(value)?),
        Datatype::Uint64 => Contents::U64s(wholes(value)?),
        Datatype::Int8 => Contents::S8s(wholes(value)?),
        Datatype::Int16 => Contents::S16s(wholes(value)?),
        Datatype::Int32 => Contents::S32s(wholes(value)?),
        Datatype::Int64 => Contents::S64s(wholes(value)?),
        Datatype::Fp16 => Contents::F16s(halves(value)?),
        Datatype::Bf16 => Contents::Bf16s(brain_halves(value)?),
        Datatype::Fp32 => {
            Contents::F32s(numbers(value)?.into_iter().map(|number| number as f32).collect())
        }
        Datatype::Fp64 => Contents::F64s(numbers(value)?),
        Datatype::Text => Contents::Texts(texts(value)?.to_vec()),
        Datatype::Blob => {
            Contents::Blobs(texts(value)?.iter().map(|text| text.clone().into_bytes()).collect())
        }
    })
}

fn bools(value: &DefaultValue) -> Result<Vec<bool>, String> {
    match value {
        DefaultValue::Bools(them) => Ok(them.clone()),
        other => Err(first(other)),
    }
}

fn texts(value: &DefaultValue) -> Result<&[String], String> {
    match value {
        DefaultValue::Texts(them) => Ok(them),
        other => Err(first(other)),
    }
}

fn wholes<T: TryFrom<i64>>(value: &DefaultValue) -> Result<Vec<T>, String> {
    match value {
        DefaultValue::Ints(them) => {
            them.iter().map(|&number| T::try_from(number).map_err(|_| number.to_string())).collect()
        }
        other => Err(first(other)),
    }
}

fn numbers(value: &DefaultValue) -> Result<Vec<f64>, String> {
    match value {
        DefaultValue::Ints(them) => Ok(them.iter().map(|&number| number as f64).collect()),
        DefaultValue::Floats(them) => Ok(them.clone()),
        other => Err(first(other)),
    }
}

fn halves(value: &DefaultValue) -> Result<Vec<u16>, String> {
    Ok(numbers(value)?.into_iter().map(|number| half::f16::from_f64(number).to_bits()).collect())
}

fn brain_halves(value: &DefaultValue) -> Result<Vec<u16>, String> {
    Ok(numbers(value)?.into_iter().map(|number| half::bf16::from_f64(number).to_bits()).collect())
}

fn first(value: &DefaultValue) -> String {
    match value {
        DefaultValue::Bools(them) => them.first().map(ToString::to_string),
        DefaultValue::Ints(them) => them.first().map(ToString::to_string),
        DefaultValue::Floats(them) => them.first().map(ToString::to_string),
        DefaultValue::Texts(them) => them.first().map(|text| format!("{text:?}")),
    }
    .unwrap_or_else(|| "nothing".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(
        value: DefaultValue,
        declared: Option<(Datatype, &[i64])>,
        expected: Result<(&[u32], Contents), &str>,
    ) {
        let default = BTreeMap::from([("y".to_owned(), value)]);
        let declared: Vec<_> = declared
            .into_iter()
            .map(|(datatype, shape)| TensorForm {
                name: "y".to_owned(),
                datatype,
                shape: shape.iter().map(|length| u32::try_from(*length).ok()).collect(),
            })
            .collect();
        let found = default_outputs(&default, &declared).map_err(|error| error.to_string());
        let expected = expected
            .map(|(shape, contents)| vec![Tensor::new("y", shape, contents)])
            .map_err(str::to_owned);
        assert_eq!(found, expected);
    }

    #[test]
    fn an_undeclared_output_is_a_row_of_what_its_elements_are() {
        let floats = DefaultValue::Floats(vec![0.2, 0.8]);
        check(floats, None, Ok((&[2], Contents::F64s(vec![0.2, 0.8]))));
        check(DefaultValue::Ints(vec![1]), None, Ok((&[1], Contents::F64s(vec![1.0]))));
        check(DefaultValue::Bools(vec![true]), None, Ok((&[1], Contents::Bools(vec![true]))));
    }

    #[test]
    fn a_declared_output_has_the_declared_datatype_and_shape() {
        let ints = |them: &[i64]| DefaultValue::Ints(them.to_vec());
        check(
            ints(&[1, 2]),
            Some((Datatype::Fp32, &[1, -1])),
            Ok((&[1, 2], Contents::F32s(vec![1.0, 2.0]))),
        );
        check(ints(&[7]), Some((Datatype::Uint8, &[])), Ok((&[], Contents::U8s(vec![7]))));
        check(
            ints(&[1, 2, 3, 4]),
            Some((Datatype::Int64, &[-1, 2, -1])),
            Ok((&[2, 2, 1], Contents::S64s(vec![1, 2, 3, 4]))),
        );
        check(
            DefaultValue::Floats(vec![1.5]),
            Some((Datatype::Fp16, &[1])),
            Ok((&[1], Contents::F16s(vec![0x3e00]))),
        );
        check(
            DefaultValue::Texts(vec!["ab".to_owned()]),
            Some((Datatype::Blob, &[1])),
            Ok((&[1], Contents::Blobs(vec![b"ab".to_vec()]))),
        );
    }

    #[test]
    fn a_default_that_contradicts_what_is_declared_is_refused() {
        check(
            DefaultValue::Ints(vec![300]),
            Some((Datatype::Uint8, &[1])),
            Err("policy.default.y: found 300, expected elements of UINT8"),
        );
        check(
            DefaultValue::Texts(vec!["late".to_owned()]),
            Some((Datatype::Fp64, &[1])),
            Err("policy.default.y: found \"late\", expected elements of FP64"),
        );
        check(
            DefaultValue::Floats(vec![0.1, 0.2, 0.7]),
            Some((Datatype::Fp64, &[-1, 2])),
            Err("policy.default.y: found 3 elements, expected shape [-1, 2]"),
        );
        check(
            DefaultValue::Floats(vec![0.1]),
            Some((Datatype::Fp64, &[0])),
            Err("policy.default.y: found 1 elements, expected shape [0]"),
        );
    }
}
