//! A packed model in the sandbox.

use std::fs;
use std::ops::Range;
use std::time::Duration;

use builder::Metadata;
use message::{Request, RequestId, Tensor, Time};
use sandbox::{Model, ModelLimits, Runtime, RuntimeConfig, Session};

use crate::Golden;

/// A packed model that is loaded.
pub struct Packed {
    /// How large its component is.
    pub bytes: usize,
    session: Session,
    _model: Model,
    _runtime: Runtime,
}

impl Packed {
    /// Packs the model and loads it.
    ///
    /// # Errors
    ///
    /// Where it can't be.
    pub fn load(golden: &Golden) -> Result<Self, String> {
        let file = fs::read(&golden.model).map_err(|why| why.to_string())?;
        let trained = pack::read(&file, &golden.options).map_err(|why| why.to_string())?;
        let component =
            pack::pack(&trained, &Metadata::default()).map_err(|why| why.to_string())?;
        // Compiling takes longest; the same component is compiled once.
        let cache_dir = Some(crate::library::cache().join("trained/compiled"));
        let config = RuntimeConfig { cache_dir, allow_wasi: false, ..Default::default() };
        let runtime = Runtime::new(config).map_err(|why| why.to_string())?;
        let model =
            runtime.load(&component, &ModelLimits::default()).map_err(|why| why.to_string())?;
        let session = model.session().map_err(|fault| fault.message)?;
        Ok(Self { bytes: component.len(), session, _model: model, _runtime: runtime })
    }

    /// The outputs of rows, asked so many at once.
    ///
    /// # Errors
    ///
    /// Where a row is refused, or the model breaks.
    pub fn ask(
        &mut self,
        golden: &Golden,
        rows: Range<usize>,
        at_once: usize,
    ) -> Result<Vec<Vec<Tensor>>, String> {
        let end = rows.end;
        let mut answers = Vec::with_capacity(rows.len());
        for first in rows.step_by(at_once) {
            let requests: Vec<_> =
                (first..end.min(first + at_once)).map(|row| request(golden, row)).collect();
            let them: Vec<_> = requests.iter().collect();
            // The time of the tests is no matter.
            let call = self.session.predict_within(Duration::from_secs(60), &them);
            let results = call.results.map_err(|fault| fault.message)?;
            for (row, result) in (first..).zip(results) {
                let prediction =
                    result.map_err(|refusal| format!("row {row}: {}", refusal.message()))?;
                answers.push(prediction.outputs);
            }
        }
        Ok(answers)
    }
}

impl Packed {
    /// The least time that a row took, of some rounds through the first thousand of them, asked so many at once.
    ///
    /// # Errors
    ///
    /// Where the model breaks.
    pub fn speed(
        &mut self,
        golden: &Golden,
        at_once: usize,
        rounds: usize,
    ) -> Result<Duration, String> {
        let requests: Vec<_> = (0..1000).map(|row| request(golden, row)).collect();
        let them: Vec<_> = requests.iter().collect();
        let mut least = Duration::MAX;
        for _ in 0..rounds {
            let mut round = Duration::ZERO;
            for part in them.chunks(at_once) {
                let call = self.session.predict_within(Duration::from_secs(60), part);
                call.results.map_err(|fault| fault.message)?;
                round += call.wall;
            }
            least = least.min(round / 1000);
        }
        Ok(least)
    }
}

/// A row as a request.
pub(crate) fn request(golden: &Golden, row: usize) -> Request {
    let tensor = |input: &crate::Tensor| {
        Tensor::new(input.name.as_str(), [input.width as u32], input.row(row))
    };
    Request {
        id: RequestId::from("row"),
        time: Time::EPOCH,
        deadline: Time::NEVER,
        key: None,
        tenant: None,
        caller_id: None,
        inputs: golden.inputs.iter().map(tensor).collect(),
        parameters: Default::default(),
        outputs: Vec::new(),
    }
}
