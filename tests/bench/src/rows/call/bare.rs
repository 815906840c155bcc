//! The bare engine with bindings of its own.

use anyhow::{Context, Result, anyhow, bail};
use message::{Contents, Request};
use wasmtime::component::{Component, Linker};
use wasmtime::{Config, Engine, Store};

#[allow(
    missing_docs,
    unsafe_code,
    unused_qualifications,
    unreachable_pub,
    clippy::all,
    clippy::use_self,
    reason = "generated; its unsafe parts implement the engine's traits for plain data"
)]
mod generated {
    wasmtime::component::bindgen!({
        path: "../../wit/understudy-model-0.1.0",
        world: "model",
        ownership: Borrowing { duplicate_if_necessary: true },
    });
}

use generated::Model;
use generated::understudy::model::types::{
    ContentsParam, ContentsResult, Request as GuestRequest, TensorParam,
};

/// One instance of a model.
pub(super) struct Bare {
    store: Store<()>,
    model: Model,
    /// The inputs that the model reads, in its order.
    inputs: Vec<String>,
}

impl Bare {
    pub(super) fn new(component: &[u8]) -> Result<Self> {
        let mut config = Config::new();
        config.concurrency_support(false);
        let engine = Engine::new(&config).map_err(plain)?;
        let component = Component::new(&engine, component).map_err(plain)?;
        let mut store = Store::new(&engine, ());
        let linker = Linker::new(&engine);
        let model = Model::instantiate(&mut store, &component, &linker).map_err(plain)?;
        let predictor = model.understudy_model_predictor();
        let description = predictor.call_describe(&mut store).map_err(plain)?;
        let inputs = description.inputs.into_iter().map(|input| input.name).collect();
        Ok(Self { store, model, inputs })
    }

    /// The one number that the model answers.
    pub(super) fn predict(&mut self, request: &Request) -> Result<f64> {
        let texts: Vec<Vec<&str>> = request.inputs.iter().map(|it| texts(&it.contents)).collect();
        let mut inputs = Vec::with_capacity(self.inputs.len());
        for name in &self.inputs {
            let position = request.inputs.iter().position(|tensor| tensor.name == *name);
            let position = position.context("the samples have every input")?;
            let tensor = &request.inputs[position];
            let contents = match &tensor.contents {
                Contents::Texts(_) => ContentsParam::Texts(&texts[position]),
                Contents::F32s(them) => ContentsParam::F32s(them),
                Contents::S32s(them) => ContentsParam::S32s(them),
                other => bail!("the samples have no {}", other.datatype()),
            };
            inputs.push(TensorParam { name, shape: &tensor.shape, contents });
        }
        let (id, time_us) = (request.id.as_str(), request.time.as_us());
        let asked = [GuestRequest { id, time_us, inputs: &inputs }];
        let predictor = self.model.understudy_model_predictor();
        let mut answered = predictor.call_predict(&mut self.store, &asked).map_err(plain)?;
        let prediction = answered.pop().context("no result")?.map_err(|it| anyhow!("{it:?}"))?;
        match &prediction.outputs[0].contents {
            ContentsResult::F64s(them) => Ok(them[0]),
            other => bail!("found {other:?}, expected one FP64"),
        }
    }
}

fn texts(contents: &Contents) -> Vec<&str> {
    match contents {
        Contents::Texts(texts) => texts.iter().map(String::as_str).collect(),
        _ => Vec::new(),
    }
}

fn plain(error: wasmtime::Error) -> anyhow::Error {
    anyhow!("{error:?}")
}
