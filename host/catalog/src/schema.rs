//! The JSON Schemas of the configuration files, made from the types that read them.

use schemars::schema_for;
use serde_json::Value;

use crate::access::AccessConfig;
use crate::endpoint::EndpointConfig;
use crate::host::HostConfig;
use crate::manifest::ModelManifest;

/// The kinds of configuration file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// `endpoint.toml`
    Endpoint,
    /// `<model>.toml`
    Model,
    /// `understudy.toml`
    Host,
    /// The file of tokens that `understudy.toml` names
    Tokens,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 4] = [Self::Endpoint, Self::Model, Self::Host, Self::Tokens];

    /// The name on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Endpoint => "endpoint",
            Self::Model => "model",
            Self::Host => "host",
            Self::Tokens => "tokens",
        }
    }
}

/// The JSON Schema (draft 2020-12) of a kind of file, its descriptions taken from our docs.
pub fn schema(kind: Kind) -> Value {
    match kind {
        Kind::Endpoint => schema_for!(EndpointConfig),
        Kind::Model => schema_for!(ModelManifest),
        Kind::Host => schema_for!(HostConfig),
        Kind::Tokens => schema_for!(AccessConfig),
    }
    .into()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every object of our own must be described and closed, as the reader refuses what it does
    /// not know.
    fn check(kind: Kind, schema: &Value, path: &str) {
        if let Some(properties) = schema.get("properties").and_then(Value::as_object) {
            assert_eq!(schema["additionalProperties"], false, "{kind:?} {path}");
            for (name, property) in properties {
                let documented = property.get("description").is_some();
                assert!(documented, "{kind:?} {path}.{name} has no description");
                check(kind, property, &format!("{path}.{name}"));
            }
        }
        for definition in schema.get("$defs").and_then(Value::as_object).into_iter().flatten() {
            check(kind, definition.1, definition.0);
        }
    }

    #[test]
    fn every_key_of_every_file_is_described() {
        for kind in Kind::ALL {
            check(kind, &schema(kind), kind.name());
        }
    }

    #[test]
    fn a_duration_is_a_text_with_a_unit() {
        let deadline = &schema(Kind::Endpoint)["properties"]["deadline"];
        assert_eq!(deadline["type"], "string");
        assert_eq!(deadline["pattern"], "^[0-9]+ ?(us|ms|s|min|h|d)$");
    }
}
