//! What a model says about itself: the tensors it takes and gives.

use std::collections::HashSet;
use std::fmt;

use message::Datatype;

/// What a model takes, gives, and allows the host to do with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Description {
    /// The inputs that the model reads.
    pub inputs: Vec<TensorType>,
    /// The outputs that every prediction has.
    pub outputs: Vec<TensorType>,
    /// How many requests one call may bring; 0 leaves it to the host.
    pub batch_limit: u32,
    /// Whether a prediction depends on its request alone.
    pub stateless: bool,
}

/// What a tensor has to look like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TensorType {
    /// The name of the tensor.
    pub name: String,
    /// The type of its elements.
    pub datatype: Datatype,
    /// The length of each dimension, `None` where any length will do. Empty for a scalar.
    pub shape: Vec<Option<u32>>,
}

/// Why a description is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DescriptionError {
    /// Because there is nothing that the model would answer.
    #[error("it promises no output, expected at least one")]
    NoOutputs,
    /// Because there are too many tensors.
    #[error("it names {found} tensors, expected at most {TENSORS_LIMIT}")]
    TooManyTensors {
        /// How many there are.
        found: usize,
    },
    /// Because a name is empty or too long.
    #[error("a tensor has a name of {length} bytes, expected 1 to {NAME_BYTES_LIMIT}")]
    Name {
        /// How long it is.
        length: usize,
    },
    /// Because two tensors share a name.
    #[error("the {side} tensor {name:?} is named twice, expected different names")]
    Duplicate {
        /// `input` or `output`
        side: &'static str,
        /// The name.
        name: String,
    },
    /// Because a dimension is negative and not -1.
    #[error("tensor {name:?} has the dimension {found}, expected -1 or a length")]
    Dimension {
        /// The name of the tensor.
        name: String,
        /// The dimension.
        found: i32,
    },
    /// Because a tensor has too many dimensions.
    #[error("tensor {name:?} has {found} dimensions, expected at most {RANK_LIMIT}")]
    Rank {
        /// The name of the tensor.
        name: String,
        /// How many there are.
        found: usize,
    },
}

const TENSORS_LIMIT: usize = 4096;
const NAME_BYTES_LIMIT: usize = 256;
const RANK_LIMIT: usize = 16;

impl Description {
    /// Checks what the types of the fields cannot promise.
    pub(crate) fn check(self) -> Result<Self, DescriptionError> {
        if self.outputs.is_empty() {
            return Err(DescriptionError::NoOutputs);
        }
        let found = self.inputs.len() + self.outputs.len();
        if found > TENSORS_LIMIT {
            return Err(DescriptionError::TooManyTensors { found });
        }
        unique("input", &self.inputs)?;
        unique("output", &self.outputs)?;
        Ok(self)
    }
}

fn unique(side: &'static str, tensors: &[TensorType]) -> Result<(), DescriptionError> {
    let mut seen = HashSet::with_capacity(tensors.len());
    for TensorType { name, .. } in tensors {
        if !seen.insert(name) {
            return Err(DescriptionError::Duplicate { side, name: name.clone() });
        }
    }
    Ok(())
}

impl TensorType {
    /// The type with this name and these dimensions, -1 where any length will do.
    ///
    /// # Errors
    ///
    /// If the name or a dimension is none.
    pub fn new(name: &str, datatype: Datatype, shape: &[i32]) -> Result<Self, DescriptionError> {
        if name.is_empty() || name.len() > NAME_BYTES_LIMIT {
            return Err(DescriptionError::Name { length: name.len() });
        }
        if shape.len() > RANK_LIMIT {
            return Err(DescriptionError::Rank { name: name.to_owned(), found: shape.len() });
        }
        let dimension = |&length: &i32| match length {
            -1 => Ok(None),
            _ => u32::try_from(length).map(Some).map_err(|_negative| DescriptionError::Dimension {
                name: name.to_owned(),
                found: length,
            }),
        };
        let shape = shape.iter().map(dimension).collect::<Result<_, _>>()?;
        Ok(Self { name: name.to_owned(), datatype, shape })
    }

    /// Returns whether a tensor of this shape fits.
    pub(crate) fn fits(&self, shape: &[u32]) -> bool {
        self.shape.len() == shape.len()
            && self
                .shape
                .iter()
                .zip(shape)
                .all(|(promised, length)| promised.is_none_or(|promised| promised == *length))
    }
}

impl fmt::Display for TensorType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.datatype, Dimensions(&self.shape))
    }
}

/// The dimensions of a shape as people write them: `[-1, 4]`.
struct Dimensions<'a>(&'a [Option<u32>]);

impl fmt::Display for Dimensions<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lengths: Vec<i64> = self.0.iter().map(|length| length.map_or(-1, i64::from)).collect();
        write!(f, "{lengths:?}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(inputs: &[&str], outputs: &[&str]) -> Result<Description, DescriptionError> {
        let named = |names: &[&str]| {
            names
                .iter()
                .map(|name| TensorType::new(name, Datatype::Fp32, &[-1, 4]).unwrap())
                .collect()
        };
        let (inputs, outputs) = (named(inputs), named(outputs));
        Description { inputs, outputs, batch_limit: 0, stateless: true }.check()
    }

    #[test]
    fn a_description_needs_an_output() {
        assert_eq!(check(&["a"], &[]), Err(DescriptionError::NoOutputs));
        assert!(check(&[], &["a"]).is_ok());
    }

    #[test]
    fn a_name_may_stand_on_both_sides_but_once_on_each() {
        assert!(check(&["a", "b"], &["a", "b"]).is_ok());
        let duplicate = DescriptionError::Duplicate { side: "input", name: "a".to_owned() };
        assert_eq!(check(&["a", "a"], &["b"]), Err(duplicate));
    }

    #[test]
    fn a_dimension_is_a_length_or_minus_one() {
        let error = TensorType::new("a", Datatype::Bool, &[3, -2]).unwrap_err();
        assert_eq!(error.to_string(), "tensor \"a\" has the dimension -2, expected -1 or a length");
    }

    #[test]
    fn a_type_reads_as_people_write_it() {
        let tensor_type = TensorType::new("a", Datatype::Fp64, &[-1, 4]).unwrap();
        assert_eq!(tensor_type.to_string(), "FP64[-1, 4]");
        assert!(tensor_type.fits(&[7, 4]) && !tensor_type.fits(&[7, 5]));
        assert!(!tensor_type.fits(&[4]));
    }
}
