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
    fn policies_and_routes_refer_to_policies() {
        let endpoint = schema(Kind::Endpoint);
        let definitions = &endpoint["$defs"];
        let policy = &definitions["PolicyConfig"]["properties"];
        for key in
            ["kind", "order", "seed", "shadow", "arm", "combine", "members", "quorum", "default"]
        {
            assert!(policy.get(key).is_some(), "{key}");
        }
        for nested in ["Arm", "Route"] {
            let policy = &definitions[nested]["properties"]["policy"]["anyOf"][0]["$ref"];
            assert_eq!(policy, "#/$defs/PolicyConfig", "{nested}");
        }
        let kinds: Vec<&Value> =
            definitions["PolicyKind"]["oneOf"].as_array().into_iter().flatten().collect();
        assert_eq!(kinds.len(), 3);
        let starts = &definitions["Ramp"]["properties"]["starts"];
        assert_eq!((&starts["type"], &starts["format"]), (&"string".into(), &"date-time".into()));
        let combine = &definitions["Combine"]["oneOf"][1]["const"];
        assert_eq!(combine, "weighted-mean");
        let weight = &definitions["Arm"]["properties"]["weight"];
        assert_eq!((&weight["minimum"], &weight["maximum"]), (&0.0.into(), &1e9.into()));
    }

    #[test]
    fn a_duration_is_a_text_with_a_unit() {
        let deadline = &schema(Kind::Endpoint)["properties"]["deadline"];
        assert_eq!(deadline["type"], "string");
        assert_eq!(deadline["pattern"], "^[0-9]+ ?(us|ms|s|min|h|d)$");
    }
}
