//! Models that run outside of the host: they read the endpoint's requests and write its scores.
//!
//! Their names stand in the file, because whoever can write to the scores topic could otherwise take
//! part. One has no file in the folder, so what it takes and gives is said here or not at all.

use std::collections::BTreeMap;
use std::time::Duration;

use message::ModelName;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer};

use super::schema::{SchemaConfig, TensorForm, TensorSchema};
use crate::document::{Document, KeyPath};
use crate::problem::Problem;
use crate::units::{self, Name, Span, Text};

/// A model that runs outside of the host: it reads the endpoint's requests and writes its scores.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct External {
    /// What it is and who looks after it, for people.
    pub description: Option<String>,
    /// How long it may say nothing while requests wait for it, before nobody waits for it any more.
    /// Its next score brings it back. Default `5s`.
    #[serde(deserialize_with = "units::text::<Span, _>")]
    #[schemars(with = "Span")]
    pub silent_after: Duration,
    /// The inputs that it reads, by name. Without any, requests are not checked for it.
    pub inputs: BTreeMap<String, TensorSchema>,
    /// The outputs that it gives, by name: a score with others is a fault of it. Without any, those
    /// of the endpoint's schema; where there are none either, it may give what it likes.
    pub outputs: BTreeMap<String, TensorSchema>,
}

impl Default for External {
    fn default() -> Self {
        Self {
            description: None,
            silent_after: Duration::from_secs(5),
            inputs: BTreeMap::new(),
            outputs: BTreeMap::new(),
        }
    }
}

/// The external models of an endpoint, by name.
pub type Externals = BTreeMap<ModelName, External>;

/// Reads them by their names, which [`check`] looks at.
pub(super) fn by_name<'de, D: Deserializer<'de>>(from: D) -> Result<Externals, D::Error> {
    let by_text = BTreeMap::<String, External>::deserialize(from)?;
    Ok(by_text.into_iter().map(|(name, external)| (name.as_str().into(), external)).collect())
}

impl External {
    /// What it declares of its inputs and outputs, its outputs being those of the endpoint's schema
    /// where it says nothing. A tensor whose shape is not known is not among them.
    pub fn forms(&self, schema: Option<&SchemaConfig>) -> (Vec<TensorForm>, Vec<TensorForm>) {
        let promised = schema.map(|schema| &schema.outputs);
        let outputs = promised.filter(|_| self.outputs.is_empty()).unwrap_or(&self.outputs);
        (forms(&self.inputs), forms(outputs))
    }
}

fn forms(tensors: &BTreeMap<String, TensorSchema>) -> Vec<TensorForm> {
    let form = |(name, tensor): (&String, &TensorSchema)| {
        let (name, datatype) = (name.clone(), tensor.datatype);
        Some(TensorForm { name, datatype, shape: tensor.shape.clone()? })
    };
    tensors.iter().filter_map(form).collect()
}

/// Finds the first thing that is wrong with the external models.
pub(super) fn check(
    externals: &Externals,
    schema: Option<&SchemaConfig>,
    decoy: Option<&ModelName>,
    document: &Document,
) -> Result<(), Problem> {
    let all = KeyPath::new("external");
    for (name, external) in externals {
        let path = all.clone().key(name.as_str());
        if Name::parse(name.as_str()).is_none() {
            let problem = document.problem_at(&path, format!("{:?}", name.as_str()));
            return Err(problem.expected(Name::EXPECTED));
        }
        for (key, tensors) in [("inputs", &external.inputs), ("outputs", &external.outputs)] {
            if let Some((tensor, _)) = tensors.iter().find(|(_, tensor)| tensor.shape.is_none()) {
                let path = path.key(key).key(tensor);
                let problem = document.problem_at(&path, "no key \"shape\"");
                return Err(problem.expected("the length of each dimension, -1 where it may vary"));
            }
        }
        if decoy == Some(name) {
            let path = KeyPath::new("roles").key("decoy");
            let problem =
                document.problem_at(&path, format!("{:?}, which is external", name.as_str()));
            let expected = "true, or a model of the folder: outside, any reader is a decoy";
            return Err(problem.expected(expected));
        }
        let (inputs, outputs) = external.forms(schema);
        if let Some(Err(error)) = schema.map(|schema| schema.check(&inputs, &outputs)) {
            let problem = document.problem_at(&path, format!("a misfit: {error}"));
            return Err(problem.expected("what [schema] says"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::endpoint::EndpointConfig;

    fn parse(text: &str) -> Result<EndpointConfig, String> {
        EndpointConfig::parse(Path::new("e"), text).map_err(|problem| problem.to_string())
    }

    #[test]
    fn an_external_model_is_named_and_may_say_what_it_gives() {
        let config = parse(
            "[roles]
            champion = 'torch'
            [external.torch]
            description = 'the GPU service'
            silent_after = '2s'
            outputs = { delayed = { datatype = 'FP64', shape = [1] } }
            [external.other]",
        )
        .unwrap();
        let torch = &config.external["torch"];
        assert_eq!(torch.silent_after, Duration::from_secs(2));
        assert_eq!(torch.forms(None).1[0].name, "delayed");
        assert_eq!(config.external["other"], External::default());
        // Who plays no part is named all the same.
        let names: Vec<_> = config.model_names().iter().map(ToString::to_string).collect();
        assert_eq!(names, ["torch"]);
    }

    #[test]
    fn where_it_says_nothing_it_gives_what_the_schema_promises() {
        let config = parse(
            "[external.torch]\n[schema.outputs]\ndelayed = { datatype = 'FP64', shape = [1] }",
        )
        .unwrap();
        let forms = config.external["torch"].forms(config.schema.as_ref());
        assert_eq!((forms.0.len(), forms.1.len()), (0, 1));
    }

    #[test]
    fn a_mistake_names_what_was_expected() {
        let check = |text: &str, expected: &str| {
            let found = parse(text).unwrap_err();
            assert!(found.starts_with(expected), "{found}");
        };
        check("[external.'a b']", "e:1: external.a b: found \"a b\", expected ");
        check(
            "[external.a]\noutputs = { y = { datatype = 'FP64' } }",
            "e:2: external.a.outputs.y: found no key \"shape\", expected the length of each",
        );
        check(
            "[roles]\ndecoy = 'a'\n[external.a]",
            "e:2: roles.decoy: found \"a\", which is external, expected true, or a model",
        );
        check(
            "[schema.outputs]\ny = { datatype = 'FP64', shape = [1] }\n[external.a.outputs]\n\
             y = { datatype = 'FP32', shape = [1] }",
            "e:3: external.a: found a misfit: output \"y\": found FP32 of shape [1], expected FP64 of \
             shape [1], expected what [schema] says",
        );
        check("[external.a]\nurl = 'x'", "e:2: external.a.url: found an unknown key, expected one");
    }
}
