//! Expressions in files: a problem says what was found and what was expected.

use std::fmt;

use serde::de::{self, Deserializer, Unexpected, Visitor};

use super::{Expression, ExpressionError, Kind};

/// Reads a condition that may be left out; to be used with `#[serde(default)]`.
pub(crate) fn condition<'de, D: Deserializer<'de>>(
    from: D,
) -> Result<Option<Expression>, D::Error> {
    from.deserialize_str(ExpressionVisitor { gives: Kind::Bool }).map(Some)
}

/// Reads an expression for a text that may be left out; to be used with `#[serde(default)]`.
pub(crate) fn term<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Expression>, D::Error> {
    from.deserialize_str(ExpressionVisitor { gives: Kind::Text }).map(Some)
}

struct ExpressionVisitor {
    gives: Kind,
}

impl Visitor<'_> for ExpressionVisitor {
    type Value = Expression;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.gives {
            Kind::Bool => "a condition such as \"key == 'HA' && inputs.distance > 1000.0\"",
            _ => "an expression for a text such as \"key\" or \"parameters.client\"",
        })
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Expression, E> {
        let expression = Expression::compile(text).and_then(|it| match it.kind() {
            kind if kind == self.gives || kind == Kind::Unknown => Ok(it),
            found => Err(ExpressionError::Gives { found }),
        });
        expression.map_err(|error| E::invalid_value(Unexpected::Other(&error.to_string()), &self))
    }
}
