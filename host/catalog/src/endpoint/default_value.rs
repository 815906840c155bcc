//! The outputs of a default answer, as the file says them: `delayed = [0.2]`.

use std::fmt;

use schemars::JsonSchema;
use serde::de::{self, SeqAccess, Unexpected, Visitor};
use serde::{Deserialize, Deserializer};

/// The elements of one output of the default answer.
#[derive(Debug, Clone, PartialEq)]
pub enum DefaultValue {
    /// `[true, false]`
    Bools(Vec<bool>),
    /// `[1, 2]`
    Ints(Vec<i64>),
    /// `[0.2, 1]`
    Floats(Vec<f64>),
    /// `["late"]`
    Texts(Vec<String>),
}

/// The forms of [`DefaultValue`] in a file, for the schema.
#[derive(JsonSchema)]
#[serde(untagged)]
#[schemars(inline)]
#[expect(dead_code, reason = "only its schema is used")]
pub(super) enum DefaultForms {
    Bools(Vec<bool>),
    Numbers(Vec<f64>),
    Texts(Vec<String>),
}

impl<'de> Deserialize<'de> for DefaultValue {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_seq(DefaultVisitor)
    }
}

struct DefaultVisitor;

impl<'de> Visitor<'de> for DefaultVisitor {
    type Value = DefaultValue;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "an array of numbers, of texts, or of true and false, with one element at least",
        )
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<DefaultValue, A::Error> {
        let first = elements.next_element()?;
        let mut value = match first {
            None => return Err(de::Error::invalid_length(0, &self)),
            Some(Element::Bool(truth)) => DefaultValue::Bools(vec![truth]),
            Some(Element::Int(number)) => DefaultValue::Ints(vec![number]),
            Some(Element::Float(number)) => DefaultValue::Floats(vec![number]),
            Some(Element::Text(text)) => DefaultValue::Texts(vec![text]),
        };
        while let Some(element) = elements.next_element()? {
            value = value.with(element)?;
        }
        Ok(value)
    }
}

impl DefaultValue {
    /// How many elements there are.
    pub const fn len(&self) -> usize {
        match self {
            Self::Bools(them) => them.len(),
            Self::Ints(them) => them.len(),
            Self::Floats(them) => them.len(),
            Self::Texts(them) => them.len(),
        }
    }

    /// Whether there is no element; no file can say so.
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn with<E: de::Error>(mut self, element: Element) -> Result<Self, E> {
        match (&mut self, element) {
            (Self::Bools(them), Element::Bool(truth)) => them.push(truth),
            (Self::Ints(them), Element::Int(number)) => them.push(number),
            (Self::Ints(them), Element::Float(number)) => {
                let numbers = them.iter().map(|&whole| whole as f64);
                return Ok(Self::Floats(numbers.chain([number]).collect()));
            }
            (Self::Floats(them), Element::Float(number)) => them.push(number),
            (Self::Floats(them), Element::Int(number)) => them.push(number as f64),
            (Self::Texts(them), Element::Text(text)) => them.push(text),
            _ => {
                let mixed = Unexpected::Other("elements of different types");
                return Err(E::invalid_value(mixed, &DefaultVisitor));
            }
        }
        Ok(self)
    }
}

enum Element {
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(String),
}

impl<'de> Deserialize<'de> for Element {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(ElementVisitor)
    }
}

struct ElementVisitor;

impl Visitor<'_> for ElementVisitor {
    type Value = Element;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a finite number, a text, true or false")
    }

    fn visit_bool<E: de::Error>(self, truth: bool) -> Result<Element, E> {
        Ok(Element::Bool(truth))
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<Element, E> {
        Ok(Element::Int(number))
    }

    fn visit_f64<E: de::Error>(self, number: f64) -> Result<Element, E> {
        // A NaN equals nothing, so a configuration that held one would change with every scan.
        if number.is_finite() {
            Ok(Element::Float(number))
        } else {
            Err(E::invalid_value(Unexpected::Float(number), &self))
        }
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Element, E> {
        Ok(Element::Text(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::endpoint::EndpointConfig;

    fn check_default(array: &str, expected: Result<DefaultValue, &str>) {
        let text = format!("policy = {{ default = {{ y = {array} }} }}");
        let found = EndpointConfig::parse(Path::new("p"), &text)
            .map(|config| config.policy.default.unwrap().remove("y").unwrap())
            .map_err(|problem| problem.to_string());
        assert_eq!(found, expected.map_err(str::to_owned), "{array}");
    }

    #[test]
    fn a_default_takes_elements_of_one_type() {
        check_default("[true, false]", Ok(DefaultValue::Bools(vec![true, false])));
        check_default("[1, 2]", Ok(DefaultValue::Ints(vec![1, 2])));
        check_default("[1, 0.5, 2]", Ok(DefaultValue::Floats(vec![1.0, 0.5, 2.0])));
        check_default("['a']", Ok(DefaultValue::Texts(vec!["a".to_owned()])));
        let expected =
            "an array of numbers, of texts, or of true and false, with one element at least";
        check_default(
            "[]",
            Err(&format!("p:1: policy.default.y: found 0 elements, expected {expected}")),
        );
        check_default(
            "[1, true]",
            Err(&format!(
                "p:1: policy.default.y: found elements of different types, expected {expected}"
            )),
        );
        check_default(
            "0.2",
            Err(&format!("p:1: policy.default.y: found 0.2, expected {expected}")),
        );
        check_default(
            "[nan]",
            Err(
                "p:1: policy.default.y[0]: found NaN, expected a finite number, a text, true or false",
            ),
        );
    }
}
