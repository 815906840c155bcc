//! Runs a trained model that was packed into it.
//!
//! The model is no part of this source: `understudy pack` writes it into the built module, behind its memory, and its place behind the
//! mark below. It is read when it is first needed, and then stays as it is.

#[cfg(target_arch = "wasm32")]
mod arena;
mod inputs;
mod model;
mod outputs;

use std::ops::Range;

use trained::Run;
use understudy_model::{BatchModel, Description, Prediction, Refusal, Request};

/// The model that was packed.
struct Runner;

understudy_model::export!(Runner);

impl BatchModel for Runner {
    fn describe() -> Description {
        let model = model::packed();
        let description = inputs::describe(&model.pipeline, Description::new());
        outputs::describe(&model.pipeline, &model.shapes, description)
    }

    fn predict_batch(requests: &[Request]) -> Vec<Result<Prediction, Refusal>> {
        let pipeline = &model::packed().pipeline;
        let asked = inputs::read(pipeline, requests);
        let run = match asked.rows {
            // All requests are refused.
            0 => Run::default(),
            rows => pipeline.run(asked.blocks, rows),
        };
        let answer = |rows: Result<Range<usize>, Refusal>| {
            let rows = rows?;
            match run.refused.first_of(rows.clone()) {
                None => Ok(outputs::prediction(pipeline, &run.slots, rows)),
                Some((_, why)) if rows.len() == 1 => Err(Refusal::invalid_input(why)),
                Some((row, why)) => {
                    let row = row - rows.start;
                    Err(Refusal::invalid_input(format!("row {row}, counted from 0: {why}")))
                }
            }
        };
        asked.of_requests.into_iter().map(answer).collect()
    }
}
