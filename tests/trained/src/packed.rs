//! A packed model in the sandbox.

use std::fs;
use std::ops::Range;
use std::time::Duration;

use builder::Metadata;
use message::{Request, RequestId, Tensor, Time};
use sandbox::{Model, ModelLimits, Runtime, RuntimeConfig, Session};

use crate::Golden;
use crate::golden::part;

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
        let component = component(golden)?;
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

    /// The outputs of rows, where so many of them are one request: the model was packed with `rows`.
    ///
    /// # Errors
    ///
    /// Where a request is refused, or the model breaks.
    pub fn ask_together(
        &mut self,
        golden: &Golden,
        rows: Range<usize>,
        together: usize,
    ) -> Result<Vec<Vec<Tensor>>, String> {
        let end = rows.end;
        let mut answers = Vec::with_capacity(rows.len());
        for first in rows.step_by(together) {
            let request = request_of(golden, first..end.min(first + together));
            let call = self.session.predict_within(Duration::from_secs(60), &[&request]);
            let result = call.results.map_err(|fault| fault.message)?.pop().expect("one result");
            let prediction = result.map_err(|refusal| refusal.message().to_owned())?;
            answers.extend(rows_of(&prediction.outputs));
        }
        Ok(answers)
    }

    /// What a request is refused with.
    ///
    /// # Panics
    ///
    /// Where it is answered.
    pub fn refusal(&mut self, request: &Request) -> String {
        let results = self.session.predict(&[request]).results.expect("no fault");
        results[0].as_ref().expect_err("a refusal").message().to_owned()
    }
}

/// The outputs of a request of many rows, row for row.
pub fn rows_of(outputs: &[Tensor]) -> Vec<Vec<Tensor>> {
    let rows = outputs.first().map_or(0, |output| output.shape[0] as usize);
    let row = |output: &Tensor, row: usize| {
        let width = output.contents.len() / rows;
        let values = part(&output.contents, row * width..(row + 1) * width);
        Tensor::new(output.name.as_str(), [width as u32], values)
    };
    (0..rows).map(|at| outputs.iter().map(|output| row(output, at)).collect()).collect()
}

/// Packs the model into a component.
///
/// # Errors
///
/// Where it can't be.
pub fn component(golden: &Golden) -> Result<Vec<u8>, String> {
    let file = fs::read(&golden.model).map_err(|why| why.to_string())?;
    let trained = pack::read(&file, &golden.options).map_err(|why| why.to_string())?;
    pack::pack(&trained, &Metadata::default()).map_err(|why| why.to_string())
}

/// A row as a request.
pub fn request(golden: &Golden, row: usize) -> Request {
    asking(golden, |input| Tensor::new(input.name.as_str(), [input.width as u32], input.row(row)))
}

/// Rows as one request, for a model that was packed with `rows`.
pub fn request_of(golden: &Golden, rows: Range<usize>) -> Request {
    asking(golden, |input| {
        let (count, values) = (rows.len() as u32, input.rows(rows.clone()));
        match input.width {
            1 => Tensor::new(input.name.as_str(), [count], values),
            width => Tensor::new(input.name.as_str(), [count, width as u32], values),
        }
    })
}

fn asking(golden: &Golden, tensor: impl Fn(&crate::Tensor) -> Tensor) -> Request {
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
