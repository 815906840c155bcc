//! What a change makes of the roster, model by model.

use std::collections::BTreeSet;

use catalog::EndpointSpec;
use message::ModelName;
use serde_json::{Value, json};

use super::scene::Scene;
use crate::stage::role_name;

/// The models that are named, or become different, each before and after.
pub(super) fn roster(scene: &Scene, would_be: &EndpointSpec) -> Vec<Value> {
    let (before, after) = (Side::of(&scene.spec), Side::of(would_be));
    let names: BTreeSet<&ModelName> =
        scene.spec.models.keys().chain(would_be.models.keys()).collect();
    let rows = names.into_iter().filter_map(|model| {
        let (before, after) = (before.row(model), after.row(model));
        let is_named = |row: &Value| !row.is_null() && (row["role"] != "staged" || has_place(row));
        if before == after && !is_named(&before) && !is_named(&after) {
            return None;
        }
        Some(json!({
            "model": model.as_str(),
            "state": scene.part(model).map(|part| part.state.name()),
            "changed": before != after,
            "before": before,
            "after": after,
        }))
    });
    rows.collect()
}

fn has_place(row: &Value) -> bool {
    row["places"].as_array().is_some_and(|places| !places.is_empty())
}

struct Side<'a> {
    spec: &'a EndpointSpec,
    places: std::collections::BTreeMap<ModelName, Vec<String>>,
}

impl<'a> Side<'a> {
    fn of(spec: &'a EndpointSpec) -> Self {
        Self { spec, places: Scene::places(spec) }
    }

    fn row(&self, model: &ModelName) -> Value {
        let Some(file) = self.spec.models.get(model) else { return Value::Null };
        json!({
            "role": role_name(self.spec.config.roles.of(model)),
            "places": self.places.get(model).cloned().unwrap_or_default(),
            "revision": file.revision.short(),
            "paused": file.manifest.paused,
        })
    }
}
