//! The sandbox from outside, with real components. What each way to misbehave comes to is tested
//! with the guests, in `tests/guests`.

#![expect(clippy::unwrap_used, reason = "what prepares a test may fail it")]

#[path = "it/cache.rs"]
mod cache;
#[path = "it/clocks.rs"]
mod clocks;
#[path = "it/lanes.rs"]
mod lanes;
#[path = "it/sessions.rs"]
mod sessions;

use message::{Contents, Prediction, Request, Tensor, Time};
use sandbox::{Model, ModelLimits, Runtime, RuntimeConfig};

/// A runtime of its own.
fn runtime() -> Runtime {
    Runtime::new(RuntimeConfig { sessions_limit: 64, ..RuntimeConfig::default() }).unwrap()
}

/// The guest of this name.
fn model(name: &str) -> Model {
    model_with(name, &ModelLimits::default())
}

fn model_with(name: &str, limits: &ModelLimits) -> Model {
    runtime().load(&guests::build(name), limits).unwrap()
}

/// A request with one input, as most guests take it.
fn request(x: f64) -> Request {
    Request {
        id: "id".into(),
        time: Time::from_us(1_000_000),
        deadline: Time::NEVER,
        key: None,
        tenant: None,
        caller_id: None,
        inputs: vec![Tensor::new("x", [1], Contents::F64s(vec![x]))],
        parameters: Default::default(),
        outputs: Vec::new(),
    }
}

/// The one number of a prediction.
fn y(prediction: &Prediction) -> f64 {
    match &prediction.outputs[0].contents {
        Contents::F64s(numbers) => numbers[0],
        other => panic!("expected FP64, found {}", other.datatype()),
    }
}
