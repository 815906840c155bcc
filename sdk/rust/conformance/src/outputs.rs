//! Every output, empty until a mode fills it.

use understudy_model::{Element, Prediction, Tensor, bf16, f16};

/// The outputs of a prediction in their order.
pub(crate) struct Outputs(Vec<Tensor>);

impl Outputs {
    /// Replaces an output by a vector.
    pub(crate) fn vector<T: Element>(&mut self, name: &str, elements: impl Into<Vec<T>>) {
        let elements = elements.into();
        self.tensor(name, [elements.len() as u32], elements);
    }

    /// Replaces an output.
    pub(crate) fn tensor<T: Element>(
        &mut self,
        name: &str,
        shape: impl Into<Vec<u32>>,
        elements: impl Into<Vec<T>>,
    ) {
        let output = self.0.iter_mut().find(|tensor| tensor.name == name);
        *output.expect("invariant: every output is there") = Tensor::new(name, shape, elements);
    }
}

impl Default for Outputs {
    fn default() -> Self {
        let mut tensors = Vec::new();
        macro_rules! vector {
            ($name:literal, $type:ty) => {
                tensors.push(Tensor::new::<$type>($name, [0], []));
            };
        }
        with_vectors!(vector);
        tensors.push(Tensor::new("scalar", [], [0.0_f64]));
        tensors.push(Tensor::new::<f32>("matrix", [0, 0], []));
        tensors.push(Tensor::new::<i32>("cube", [0, 0, 0], []));
        tensors.push(Tensor::new::<String>("report", [0], []));
        Self(tensors)
    }
}

impl From<Outputs> for Prediction {
    fn from(Outputs(outputs): Outputs) -> Self {
        Self { outputs, notes: Vec::new() }
    }
}
