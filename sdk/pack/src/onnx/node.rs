//! Nodes: what they are called in errors, and their attributes.

use trained::ops::onnx::Constant;

use super::proto;
use super::tensor::{Tensor, texts};
use crate::ReadError;

impl proto::Node {
    /// The node as errors name it: its operator with the domain, and its name, or its first output where it has none.
    pub(super) fn place(&self) -> String {
        let name = match (&self.name[..], self.output.first()) {
            ("", Some(output)) => format!("that gives `{output}`"),
            (name, _) => format!("`{name}`"),
        };
        format!("node {name} ({})", self.operator())
    }

    /// The operator, with its domain.
    pub(super) fn operator(&self) -> String {
        match &self.domain[..] {
            "" | "ai.onnx" => self.op_type.clone(),
            domain => format!("{domain}.{}", self.op_type),
        }
    }

    /// Whether the operator is one of trees and linear models.
    pub(super) fn is_ml(&self) -> bool {
        self.domain == "ai.onnx.ml"
    }

    /// That this node, or something of it, is not supported.
    pub(super) fn unsupported(&self, what: impl Into<String>) -> ReadError {
        ReadError::Unsupported { place: self.place(), what: what.into(), hint: None }
    }

    /// That the node contradicts itself.
    pub(super) fn malformed(
        &self,
        found: impl Into<String>,
        expected: impl Into<String>,
    ) -> ReadError {
        ReadError::Malformed { place: self.place(), found: found.into(), expected: expected.into() }
    }

    pub(super) fn attribute(&self, name: &str) -> Option<&proto::Attribute> {
        self.attribute.iter().find(|attribute| attribute.name == name)
    }

    pub(super) fn int(&self, name: &str, default: i64) -> i64 {
        self.attribute(name).map_or(default, |attribute| attribute.i)
    }

    pub(super) fn float(&self, name: &str, default: f32) -> f32 {
        self.attribute(name).map_or(default, |attribute| attribute.f)
    }

    pub(super) fn text(&self, name: &str, default: &str) -> Result<String, ReadError> {
        let Some(attribute) = self.attribute(name) else { return Ok(default.to_owned()) };
        String::from_utf8(attribute.s.clone())
            .map_err(|_| self.malformed(format!("`{name}`, which is not UTF-8"), "a text"))
    }

    pub(super) fn ints(&self, name: &str) -> &[i64] {
        self.attribute(name).map_or(&[], |attribute| &attribute.ints)
    }

    pub(super) fn floats(&self, name: &str) -> &[f32] {
        self.attribute(name).map_or(&[], |attribute| &attribute.floats)
    }

    pub(super) fn texts(&self, name: &str) -> Result<Vec<String>, ReadError> {
        let bytes = self.attribute(name).map_or(&[][..], |attribute| &attribute.strings);
        texts(bytes)
            .ok_or_else(|| self.malformed(format!("a text of `{name}` that is not UTF-8"), "UTF-8"))
    }

    pub(super) fn tensor(&self, name: &str) -> Result<Option<Tensor>, ReadError> {
        let tensor = self.attribute(name).and_then(|attribute| attribute.t.as_ref());
        tensor.map(|tensor| Tensor::read(tensor, &self.place())).transpose()
    }

    /// Numbers of double precision: those of the tensor `NAME_as_tensor`, or the ones of the attribute.
    pub(super) fn doubles(&self, name: &str) -> Result<Vec<f64>, ReadError> {
        match self.tensor(&format!("{name}_as_tensor"))?.map(|tensor| tensor.values) {
            Some(Constant::F64(values)) => Ok(values),
            Some(Constant::F32(values)) => Ok(values.into_iter().map(f64::from).collect()),
            Some(_) => {
                Err(self
                    .malformed(format!("`{name}_as_tensor` without numbers"), "FLOAT or DOUBLE"))
            }
            None => Ok(self.floats(name).iter().map(|it| f64::from(*it)).collect()),
        }
    }
}
