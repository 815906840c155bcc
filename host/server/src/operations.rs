//! The operator's hands: changes that are made by writing the folder's own files.
//!
//! The folder stays the one truth. Nothing here touches what runs: a change is worked out from the
//! files as they are ([`Scene`]), read by the catalog's own parser before it is made ([`Plan`]),
//! recorded, written, and taken up by the supervisor like any other change of the folder.

mod apply;
mod event;
mod history;
mod models;
mod pause;
mod plan;
mod policy;
mod promote;
mod report;
mod retire;
mod rollback;
mod scene;
mod stage;

use std::sync::Arc;

use front::{Caller, Change, Declined, Look, NotFound, Operation};
use message::ModelName;
use serde_json::{Value, json};

use self::plan::{Plan, Refusal};
use self::scene::Scene;
use crate::endpoint::Endpoint;
use crate::host::Shared;

/// Answers a question of an operator.
pub(crate) fn look(shared: &Shared, caller: &Caller, look: Look) -> Result<Value, Declined> {
    match look {
        Look::Endpoints => Ok(models::endpoints(shared, caller)),
        Look::Models { endpoint } => Ok(models::models(&*endpoint_of(shared, caller, &endpoint)?)),
        Look::History { endpoint, model, limit } => {
            let endpoint = endpoint_of(shared, caller, &endpoint)?;
            history::history(&endpoint, model.as_deref(), limit)
        }
        Look::Policy { endpoint } => {
            let endpoint = endpoint_of(shared, caller, &endpoint)?;
            policy::show(&Scene::read(shared, endpoint)?)
        }
    }
}

/// Makes a change, or says what it would do.
pub(crate) fn change(shared: &Shared, caller: &Caller, change: Change) -> Result<Value, Declined> {
    let endpoint = endpoint_of(shared, caller, &change.endpoint)?;
    // One operator at a time: a change is worked out from the files that the one before it left.
    let one_at_a_time = Arc::clone(&endpoint);
    let _changing = one_at_a_time.standing.changing.lock();
    let scene = Scene::read(shared, endpoint)?;
    let terms = &change.terms;
    let plan = plan_of(shared, &scene, change.operation, terms.force)?;
    apply::apply(&scene, caller, terms, plan)
}

fn endpoint_of(shared: &Shared, caller: &Caller, name: &str) -> Result<Arc<Endpoint>, Declined> {
    shared.visible_endpoint(caller, name).map_err(Declined::NotFound)
}

fn plan_of(
    shared: &Shared,
    scene: &Scene,
    operation: Operation,
    force: bool,
) -> Result<Plan, Declined> {
    let plan = match operation {
        Operation::Stage { model, wasm } => stage::plan(shared, scene, &model, &wasm),
        Operation::Promote { model } => promote::plan(scene, scene.anybody(&model)?, force),
        Operation::Rollback { model: None } => rollback::undo(scene, force),
        Operation::Rollback { model: Some(model) } => {
            rollback::model(scene, &ModelName::from(model))
        }
        Operation::Retire { model } => retire::plan(scene, scene.model(&model)?),
        Operation::Pause { model } => {
            pause::plan(scene, model.map(|model| scene.model(&model)).transpose()?, true)
        }
        Operation::Resume { model } => {
            pause::plan(scene, model.map(|model| scene.model(&model)).transpose()?, false)
        }
        Operation::SetPolicy { text } => policy::plan(scene, &text),
    };
    let plan = plan.and_then(|plan| plan.checked(scene, &shared.scan.defaults));
    plan.map_err(|refusal| match refusal {
        Refusal::Invalid(message) => Declined::Invalid { message },
        Refusal::Impossible(message) => {
            Declined::Conflict { document: json!({ "error": message, "outcome": "refused" }) }
        }
        Refusal::Failed(message) => Declined::Failed { message },
        Refusal::NoModel => Declined::NotFound(NotFound::Model { known: scene.model_names() }),
    })
}
