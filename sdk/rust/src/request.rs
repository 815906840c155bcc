//! Requests: what a model is asked.

use crate::{Element, Refusal, Request, Tensor};

impl Request {
    /// A request without inputs, made at the beginning of 1970. For tests.
    pub fn new(id: &str) -> Self {
        Self { id: id.to_owned(), time_us: 0, inputs: Vec::new() }
    }

    /// Adds an input. For tests.
    #[must_use]
    pub fn with_input<T: Element>(
        mut self,
        name: &str,
        shape: impl Into<Vec<u32>>,
        elements: impl Into<Vec<T>>,
    ) -> Self {
        self.inputs.push(Tensor::new(name, shape, elements));
        self
    }

    /// Adds a text as an input of shape `[1]`. For tests.
    #[must_use]
    pub fn with_text(self, name: &str, text: impl Into<String>) -> Self {
        self.with_input(name, [1], [text.into()])
    }

    /// The input with this name.
    ///
    /// # Errors
    ///
    /// [`Refusal::InvalidInput`] where there is none; it lists the inputs that there are. The host hands over every input
    /// that the model describes, so this one is missing from the description.
    pub fn input(&self, name: &str) -> Result<&Tensor, Refusal> {
        self.inputs.iter().find(|tensor| tensor.name == name).ok_or_else(|| self.missing(name))
    }

    fn missing(&self, name: &str) -> Refusal {
        let found: Vec<_> = self.inputs.iter().map(|tensor| format!("`{}`", tensor.name)).collect();
        let found = if found.is_empty() { "none".to_owned() } else { found.join(", ") };
        Refusal::invalid_input(format!("input `{name}` is missing; the inputs are: {found}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_input_is_found_by_its_name() {
        let request =
            Request::new("7").with_text("carrier", "HA").with_input("distance", [1], [2.0_f32]);
        assert_eq!(request.input("distance").unwrap().scalar::<f32>(), Ok(2.0));
        assert_eq!(request.input("carrier").unwrap().text(), Ok("HA"));
    }

    #[test]
    fn a_missing_input_is_refused_with_the_names_that_there_are() {
        let request = Request::new("7").with_text("carrier", "HA").with_input("hour", [1], [9_i32]);
        assert_eq!(
            request.input("distance").unwrap_err().to_string(),
            "invalid input: input `distance` is missing; the inputs are: `carrier`, `hour`"
        );
        assert_eq!(
            Request::new("7").input("distance").unwrap_err().to_string(),
            "invalid input: input `distance` is missing; the inputs are: none"
        );
    }
}
