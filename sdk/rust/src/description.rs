//! Descriptions: what a model takes and gives.

use std::fmt;

use crate::{Datatype, Description, Element, TensorType};

/// Stands in a shape for a dimension of any length.
pub const ANY_LENGTH: i32 = -1;

impl Description {
    /// The description of a stateless model with no tensors yet, which leaves the size of batches to the host.
    pub const fn new() -> Self {
        Self { inputs: Vec::new(), outputs: Vec::new(), batch_limit: 0, stateless: true }
    }

    /// Adds an input with elements of type `T`. A length of [`ANY_LENGTH`] fits any; `[]` is a scalar.
    #[must_use]
    pub fn input<T: Element>(mut self, name: &str, shape: impl Into<Vec<i32>>) -> Self {
        self.inputs.push(TensorType::of::<T>(name, shape));
        self
    }

    /// Adds an output that every prediction has, with elements of type `T`.
    #[must_use]
    pub fn output<T: Element>(mut self, name: &str, shape: impl Into<Vec<i32>>) -> Self {
        self.outputs.push(TensorType::of::<T>(name, shape));
        self
    }

    /// Sets how many requests one call may bring at most; 0 leaves it to the host.
    #[must_use]
    pub const fn batch_limit(mut self, requests: u32) -> Self {
        self.batch_limit = requests;
        self
    }

    /// Says that a prediction may depend on earlier requests. The host then runs one instance alone.
    #[must_use]
    pub const fn stateful(mut self) -> Self {
        self.stateless = false;
        self
    }
}

impl Default for Description {
    fn default() -> Self {
        Self::new()
    }
}

impl TensorType {
    /// The type of a tensor with elements of type `T`.
    pub fn of<T: Element>(name: &str, shape: impl Into<Vec<i32>>) -> Self {
        Self { name: name.to_owned(), datatype: T::DATATYPE, shape: shape.into() }
    }
}

impl fmt::Display for Datatype {
    /// Writes the name on the wire; the two kinds of `BYTES` are told apart.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Boolean => "BOOL",
            Self::Uint8 => "UINT8",
            Self::Uint16 => "UINT16",
            Self::Uint32 => "UINT32",
            Self::Uint64 => "UINT64",
            Self::Int8 => "INT8",
            Self::Int16 => "INT16",
            Self::Int32 => "INT32",
            Self::Int64 => "INT64",
            Self::Fp16 => "FP16",
            Self::Bf16 => "BF16",
            Self::Fp32 => "FP32",
            Self::Fp64 => "FP64",
            Self::Text => "BYTES (text)",
            Self::Blob => "BYTES (blob)",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_description_holds_what_was_added_in_order() {
        let description = Description::new()
            .input::<String>("carrier", [1])
            .input::<f32>("weather", [ANY_LENGTH, 4])
            .output::<f64>("delayed", [])
            .batch_limit(8)
            .stateful();
        let names: Vec<_> = description.inputs.iter().map(|input| input.name.as_str()).collect();
        assert_eq!(names, ["carrier", "weather"]);
        assert_eq!(description.inputs[1], TensorType::of::<f32>("weather", [-1, 4]));
        assert_eq!(description.outputs[0].datatype, Datatype::Fp64);
        assert!(description.outputs[0].shape.is_empty());
        assert_eq!((description.batch_limit, description.stateless), (8, false));
    }

    #[test]
    fn a_new_description_is_stateless_and_leaves_batches_to_the_host() {
        let description = Description::default();
        assert_eq!((description.batch_limit, description.stateless), (0, true));
    }
}
