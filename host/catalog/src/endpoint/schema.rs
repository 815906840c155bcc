//! The tensors that every model of an endpoint must take and give.

use std::collections::BTreeMap;
use std::fmt;

use message::Datatype;
use schemars::JsonSchema;
use serde::de::{self, SeqAccess, Unexpected, Visitor};
use serde::{Deserialize, Deserializer};
use thiserror::Error;

use crate::problem::one_of;

/// The tensors that every model of an endpoint must take and give.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct SchemaConfig {
    /// The inputs that requests carry, by name; a model need not use them all. Without any, models
    /// may ask for what they like.
    pub inputs: BTreeMap<String, TensorSchema>,
    /// The outputs that every model gives, by name; it may give more.
    pub outputs: BTreeMap<String, TensorSchema>,
}

/// What one tensor must be.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TensorSchema {
    /// The type of its elements, as the Open Inference Protocol names it: `FP64`, `BYTES`.
    #[serde(deserialize_with = "datatype")]
    #[schemars(with = "String")]
    pub datatype: Datatype,
    /// The length of each dimension, -1 where it may vary. Without it any shape is right.
    #[serde(default, deserialize_with = "shape")]
    #[schemars(with = "Option<Vec<i32>>")]
    pub shape: Option<Vec<Option<u32>>>,
}

/// What a model declares of one of its tensors.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TensorForm {
    /// Its name.
    pub name: String,
    /// The type of its elements.
    pub datatype: Datatype,
    /// The length of each dimension; `None` where it may vary.
    pub shape: Vec<Option<u32>>,
}

/// Why a model does not fit its endpoint.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SchemaError {
    /// Because it asks for what requests do not carry.
    #[error("input {name:?}: found no such input in the schema, expected {expected}")]
    UnknownInput {
        /// The input.
        name: String,
        /// The inputs that requests carry.
        expected: String,
    },
    /// Because it does not give what is promised.
    #[error("output {name:?}: found no such output of the model, expected one")]
    MissingOutput {
        /// The output.
        name: String,
    },
    /// Because a tensor is declared otherwise.
    #[error("{what} {name:?}: found {found}, expected {expected}")]
    Form {
        /// `input` or `output`.
        what: &'static str,
        /// The tensor.
        name: String,
        /// What the model declares.
        found: String,
        /// What the schema says.
        expected: String,
    },
}

impl SchemaConfig {
    /// Checks what a model declares against what its endpoint promises.
    ///
    /// A dimension that may vary in a request must be free in the model; one that is fixed in the
    /// schema's outputs must be fixed in the model.
    ///
    /// # Errors
    /// The first difference.
    pub fn check(&self, inputs: &[TensorForm], outputs: &[TensorForm]) -> Result<(), SchemaError> {
        if !self.inputs.is_empty() {
            inputs.iter().try_for_each(|form| self.check_input(form))?;
        }
        self.outputs.iter().try_for_each(|(name, schema)| {
            let form = outputs.iter().find(|form| form.name == *name);
            let form = form.ok_or_else(|| SchemaError::MissingOutput { name: name.clone() })?;
            schema.check("output", form, |promised, given| promised.is_none() || promised == given)
        })
    }

    fn check_input(&self, form: &TensorForm) -> Result<(), SchemaError> {
        let schema = self.inputs.get(&form.name).ok_or_else(|| SchemaError::UnknownInput {
            name: form.name.clone(),
            expected: one_of(&self.inputs.keys().collect::<Vec<_>>()),
        })?;
        schema.check("input", form, |carried, taken| taken.is_none() || carried == taken)
    }
}

impl TensorSchema {
    fn check(
        &self,
        what: &'static str,
        form: &TensorForm,
        fits: impl Fn(Option<u32>, Option<u32>) -> bool,
    ) -> Result<(), SchemaError> {
        let same_shape = self.shape.as_ref().is_none_or(|shape| {
            let mut lengths = shape.iter().zip(&form.shape);
            shape.len() == form.shape.len() && lengths.all(|(ours, theirs)| fits(*ours, *theirs))
        });
        // The wire does not tell texts from other bytes.
        if same_shape && self.datatype.wire_name() == form.datatype.wire_name() {
            return Ok(());
        }
        Err(SchemaError::Form {
            what,
            name: form.name.clone(),
            found: words(form.datatype, Some(&form.shape)),
            expected: words(self.datatype, self.shape.as_deref()),
        })
    }
}

fn words(datatype: Datatype, shape: Option<&[Option<u32>]>) -> String {
    let Some(shape) = shape else { return datatype.to_string() };
    let lengths: Vec<_> = shape
        .iter()
        .map(|length| length.map_or_else(|| "-1".to_owned(), |length| length.to_string()))
        .collect();
    format!("{datatype} of shape [{}]", lengths.join(", "))
}

fn datatype<'de, D: Deserializer<'de>>(from: D) -> Result<Datatype, D::Error> {
    let name = String::deserialize(from)?;
    Datatype::from_wire_name(&name).ok_or_else(|| {
        let expected = "a datatype such as \"BOOL\", \"INT64\", \"FP32\", \"FP64\" or \"BYTES\"";
        de::Error::invalid_value(Unexpected::Str(&name), &expected)
    })
}

fn shape<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Vec<Option<u32>>>, D::Error> {
    from.deserialize_seq(ShapeVisitor).map(Some)
}

struct ShapeVisitor;

impl<'de> Visitor<'de> for ShapeVisitor {
    type Value = Vec<Option<u32>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of lengths, -1 where a length may vary")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Self::Value, A::Error> {
        let mut shape = Vec::new();
        while let Some(length) = elements.next_element::<i64>()? {
            let known = u32::try_from(length);
            if known.is_err() && length != -1 {
                return Err(de::Error::invalid_value(Unexpected::Signed(length), &self));
            }
            shape.push(known.ok());
        }
        Ok(shape)
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::document::Document;

    const SCHEMA: &str = "
        [inputs]
        carrier = { datatype = 'BYTES', shape = [1] }
        weather = { datatype = 'FP64', shape = [-1] }
        [outputs]
        delayed = { datatype = 'FP64', shape = [1] }
        classes = { datatype = 'FP32' }";

    fn parse(text: &str) -> Result<SchemaConfig, String> {
        Document::parse(Path::new("s"), text)
            .and_then(|document| document.read())
            .map_err(|problem| problem.to_string())
    }

    fn form(name: &str, datatype: Datatype, shape: &[i64]) -> TensorForm {
        let shape = shape.iter().map(|length| u32::try_from(*length).ok()).collect();
        TensorForm { name: name.to_owned(), datatype, shape }
    }

    fn check(input: TensorForm, delayed: TensorForm, expected: Result<(), &str>) {
        let outputs = [delayed, form("classes", Datatype::Fp32, &[9, 9])];
        let found = parse(SCHEMA).unwrap().check(&[input], &outputs);
        assert_eq!(found.map_err(|error| error.to_string()), expected.map_err(str::to_owned));
    }

    #[test]
    fn a_model_fits_what_requests_carry_and_gives_what_is_promised() {
        let carrier = || form("carrier", Datatype::Blob, &[1]);
        let delayed = || form("delayed", Datatype::Fp64, &[1]);
        check(carrier(), delayed(), Ok(()));
        check(form("carrier", Datatype::Text, &[-1]), delayed(), Ok(()));
        check(
            form("weather", Datatype::Fp64, &[5]),
            delayed(),
            Err("input \"weather\": found FP64 of shape [5], expected FP64 of shape [-1]"),
        );
        check(
            form("wind", Datatype::Fp64, &[1]),
            delayed(),
            Err("input \"wind\": found no such input in the schema, expected one of \"carrier\", \
                 \"weather\""),
        );
        check(
            carrier(),
            form("delayed", Datatype::Fp32, &[1]),
            Err("output \"delayed\": found FP32 of shape [1], expected FP64 of shape [1]"),
        );
        check(
            carrier(),
            form("delayed", Datatype::Fp64, &[1, 1]),
            Err("output \"delayed\": found FP64 of shape [1, 1], expected FP64 of shape [1]"),
        );
        check(
            carrier(),
            form("late", Datatype::Fp64, &[1]),
            Err("output \"delayed\": found no such output of the model, expected one"),
        );
    }

    #[test]
    fn a_length_is_a_number_or_minus_one() {
        assert_eq!(
            parse("inputs = { a = { datatype = 'FP64', shape = [-2] } }").unwrap_err(),
            "s:1: inputs.a.shape: found -2, expected an array of lengths, -1 where a length may \
             vary"
        );
        assert_eq!(
            parse("inputs = { a = { datatype = 'DATE' } }").unwrap_err(),
            "s:1: inputs.a.datatype: found \"DATE\", expected a datatype such as \"BOOL\", \
             \"INT64\", \"FP32\", \"FP64\" or \"BYTES\""
        );
    }
}
