//! Runs a trained model that was packed into it.
//!
//! The model is no part of this source: `understudy pack` writes it into the built module, behind its memory, and its place behind the
//! mark below. It is read when it is first needed, and then stays as it is.

mod inputs;
mod model;
mod outputs;

use understudy_model::{BatchModel, Description, Prediction, Refusal, Request};

/// The model that was packed.
struct Runner;

understudy_model::export!(Runner);

impl BatchModel for Runner {
    fn describe() -> Description {
        let model = model::packed();
        let description = inputs::describe(&model.pipeline.inputs, Description::new());
        outputs::describe(&model.pipeline.outputs, &model.shapes, description)
    }

    fn predict_batch(requests: &[Request]) -> Vec<Result<Prediction, Refusal>> {
        let pipeline = &model::packed().pipeline;
        let mut refused = vec![None; requests.len()];
        let blocks = inputs::blocks(&pipeline.inputs, requests, &mut refused);
        let run = pipeline.run(blocks, requests.len());
        (0..requests.len())
            .map(|row| match (refused[row].take(), run.refused.why(row)) {
                (Some(refusal), _) => Err(refusal),
                (None, Some(why)) => Err(Refusal::invalid_input(why)),
                (None, None) => Ok(outputs::prediction(&pipeline.outputs, &run.slots, row)),
            })
            .collect()
    }
}
