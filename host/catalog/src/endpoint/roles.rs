//! Which models play which part at an endpoint.

use std::fmt;

use message::{ModelName, Role};
use schemars::JsonSchema;
use serde::de::{self, Unexpected, Visitor};
use serde::{Deserialize, Deserializer};

use crate::document::KeyPath;
use crate::units::{self, Name, Text};

/// Which models play which part. No model plays two.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Roles {
    /// The model that answers unless the policy says otherwise.
    #[serde(deserialize_with = "units::optional::<Name, _>")]
    #[schemars(with = "Option<Name>")]
    pub champion: Option<ModelName>,
    /// The models that want to be champion.
    #[serde(deserialize_with = "units::list::<Name, _>")]
    #[schemars(with = "Vec<Name>")]
    pub challengers: Vec<ModelName>,
    /// The steady baseline, which shows when the inputs drift. It answers only where the policy
    /// names it.
    #[serde(deserialize_with = "units::optional::<Name, _>")]
    #[schemars(with = "Option<Name>")]
    pub canary: Option<ModelName>,
    /// What records the inputs: true for the host's own decoy, or the name of a model.
    #[schemars(with = "DecoyForms")]
    pub decoy: Decoy,
    /// The model of last resort. It is never quarantined away.
    #[serde(deserialize_with = "units::optional::<Name, _>")]
    #[schemars(with = "Option<Name>")]
    pub fallback: Option<ModelName>,
}

/// What records exactly what the models saw.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Decoy {
    /// When nothing does.
    #[default]
    Off,
    /// When the host does it by itself.
    Host,
    /// When a model takes the part.
    Model(ModelName),
}

impl Roles {
    /// The part of a model, if it has one.
    pub fn of(&self, model: &ModelName) -> Option<Role> {
        self.mentions().into_iter().find(|(_, _, name)| *name == model).map(|(_, role, _)| role)
    }

    /// Every name with the key that holds it.
    pub(crate) fn mentions(&self) -> Vec<(KeyPath, Role, &ModelName)> {
        let key = |key: &str| KeyPath::new("roles").key(key);
        let decoy = match &self.decoy {
            Decoy::Model(name) => Some(name),
            Decoy::Off | Decoy::Host => None,
        };
        let single = [
            ("champion", Role::Champion, self.champion.as_ref()),
            ("canary", Role::Canary, self.canary.as_ref()),
            ("decoy", Role::Decoy, decoy),
            ("fallback", Role::Fallback, self.fallback.as_ref()),
        ];
        let single = single
            .into_iter()
            .filter_map(|(name, role, model)| model.map(|model| (key(name), role, model)));
        let challengers = self.challengers.iter().enumerate();
        single
            .chain(
                challengers.map(|(index, model)| {
                    (key("challengers").index(index), Role::Challenger, model)
                }),
            )
            .collect()
    }
}

impl<'de> Deserialize<'de> for Decoy {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(DecoyVisitor)
    }
}

struct DecoyVisitor;

impl Visitor<'_> for DecoyVisitor {
    type Value = Decoy;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("true, false or the name of a model")
    }

    fn visit_bool<E: de::Error>(self, on: bool) -> Result<Decoy, E> {
        Ok(if on { Decoy::Host } else { Decoy::Off })
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Decoy, E> {
        Name::parse(text)
            .map(Decoy::Model)
            .ok_or_else(|| E::invalid_value(Unexpected::Str(text), &self))
    }
}

/// The forms of [`Decoy`] in a file, for the schema.
#[derive(JsonSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "only its schema is used")]
enum DecoyForms {
    Host(bool),
    Model(Name),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_plays_the_part_that_names_it() {
        let roles = Roles {
            champion: Some("a".into()),
            challengers: vec!["b".into(), "c".into()],
            decoy: Decoy::Model("d".into()),
            ..Roles::default()
        };
        let role = |name: &str| roles.of(&name.into());
        assert_eq!(role("a"), Some(Role::Champion));
        assert_eq!(role("c"), Some(Role::Challenger));
        assert_eq!(role("d"), Some(Role::Decoy));
        assert_eq!(role("e"), None);
    }
}
