//! Predictions: what a model gives back.

use crate::{Element, Prediction, Tensor};

impl Prediction {
    /// A prediction without outputs and notes.
    pub const fn new() -> Self {
        Self { outputs: Vec::new(), notes: Vec::new() }
    }

    /// Adds an output. The host takes a shape that does not fit the number of elements, or the description, for a fault.
    #[must_use]
    pub fn output<T: Element>(
        mut self,
        name: &str,
        shape: impl Into<Vec<u32>>,
        elements: impl Into<Vec<T>>,
    ) -> Self {
        self.outputs.push(Tensor::new(name, shape, elements));
        self
    }

    /// Adds a text as an output of shape `[1]`.
    #[must_use]
    pub fn text(self, name: &str, text: impl Into<String>) -> Self {
        self.output(name, [1], [text.into()])
    }

    /// Adds a remark for people, which is recorded with the score.
    #[must_use]
    pub fn note(mut self, name: &str, text: impl Into<String>) -> Self {
        self.notes.push((name.to_owned(), text.into()));
        self
    }

    /// The output with this name. For tests.
    pub fn tensor(&self, name: &str) -> Option<&Tensor> {
        self.outputs.iter().find(|tensor| tensor.name == name)
    }
}

impl Default for Prediction {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Contents;

    #[test]
    fn a_prediction_holds_what_was_added_in_order() {
        let prediction = Prediction::new()
            .output("delayed", [2], [0.25, 0.75])
            .text("label", "late")
            .note("branch", "winter");
        assert_eq!(prediction.outputs[0].contents, Contents::F64s(vec![0.25, 0.75]));
        assert_eq!(
            prediction.tensor("label").unwrap().contents,
            Contents::Texts(vec!["late".into()])
        );
        assert_eq!(prediction.notes, [("branch".to_owned(), "winter".to_owned())]);
        assert_eq!(prediction.tensor("lable"), None);
    }
}
