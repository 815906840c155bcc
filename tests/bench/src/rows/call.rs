//! Rows (c): one call of a model with one flight: in the sandbox, on the bare engine, and native.
//!
//! The bare engine has its default settings but for what the sandbox switches off as well. It has no
//! clocks, no limits, and nobody checks what goes in or comes out. Both make the guest's view of the
//! request anew in each call. Native is the same regression, from the tensors of a request to those
//! of a prediction.

mod bare;

use std::hint::black_box;
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use message::{Contents, Prediction, Request, Tensor};
use sandbox::{CompileIn, ModelLimits, Runtime, RuntimeConfig, Session};

use crate::flight::Flight;
use crate::folder::flight_model;
use crate::measure::median;
use crate::samples;
use crate::table::{Aim, Row};
use bare::Bare;

const ROUNDS: usize = 100;
const CALLS: usize = 2_000;

pub(super) fn measure() -> Result<Vec<Row>> {
    let component = flight_model("logit")?;
    let requests = samples::requests()?;
    let config = RuntimeConfig { compile: CompileIn::Process, ..RuntimeConfig::default() };
    let model = Runtime::new(config)?.load(&component, &ModelLimits::default())?;
    let mut session = model.session().map_err(|fault| anyhow::anyhow!("{fault:?}"))?;
    let mut bare = Bare::new(&component)?;
    check_agreement(&mut session, &mut bare, &requests)?;

    let (mut ours, mut engine, mut alone) = (Vec::new(), Vec::new(), Vec::new());
    for _round in 0..ROUNDS {
        ours.push(nanoseconds(&requests, |request| session.predict(&[request]).results.is_ok()));
        engine.push(nanoseconds(&requests, |request| bare.predict(request).is_ok()));
        alone.push(nanoseconds(&requests, |request| predict_native(request).is_some()));
    }
    let row = |id, what: &str, reference: &[f64], aim| Row {
        id,
        what: what.to_owned(),
        unit: "ns",
        ours: median(&ours),
        reference: Some(median(reference)),
        aim,
    };
    Ok(vec![
        row("c-wasmtime", "a call in the sandbox; bare wasmtime", &engine, Aim::RatioAtMost(1.3)),
        row("c-native", "a call in the sandbox; native code", &alone, Aim::None),
    ])
}

/// Asks with one request after the other, and returns what one of them took.
fn nanoseconds(requests: &[Request], mut ask: impl FnMut(&Request) -> bool) -> f64 {
    let started = Instant::now();
    for request in requests.iter().cycle().take(CALLS) {
        assert!(black_box(ask(black_box(request))), "the model answers every sample");
    }
    started.elapsed().as_nanos() as f64 / CALLS as f64
}

/// Three that are compared have to say the same.
fn check_agreement(session: &mut Session, bare: &mut Bare, requests: &[Request]) -> Result<()> {
    for request in requests {
        let results = session.predict(&[request]).results;
        let prediction = results.ok().and_then(|mut it| it.pop()).and_then(Result::ok);
        let ours = number(prediction.as_ref()).context("the sandbox answers")?;
        let native = predict_native(request);
        let native = number(native.as_ref()).context("the native code answers")?;
        let bare = bare.predict(request)?;
        // One exponential function is not the other to the last bit.
        let agree = (ours - bare).abs() < 1e-12 && (ours - native).abs() < 1e-12;
        ensure!(agree, "sandbox {ours}, bare engine {bare}, native {native}");
    }
    Ok(())
}

fn number(prediction: Option<&Prediction>) -> Option<f64> {
    match &prediction?.outputs.first()?.contents {
        Contents::F64s(numbers) => numbers.first().copied(),
        _ => None,
    }
}

fn predict_native(request: &Request) -> Option<Prediction> {
    let flight = Flight {
        carrier: text(request, "carrier")?,
        origin: text(request, "origin")?,
        dest: text(request, "dest")?,
        distance: float(request, "distance")?,
        hour: u8::try_from(integer(request, "hour")?).ok().filter(|hour| *hour < 24)?,
        weekday: u8::try_from(integer(request, "weekday")?).ok().filter(|day| *day < 7)?,
        wind_speed: known_or(11.51, float(request, "wind_speed")?),
        precip: known_or(0.0, float(request, "precip")?),
        visib: known_or(10.0, float(request, "visib")?),
    };
    let delayed = Tensor::new("delayed", [1], Contents::F64s(vec![flight.delayed()]));
    Some(Prediction { outputs: vec![delayed], notes: Vec::new() })
}

fn input<'a>(request: &'a Request, name: &str) -> Option<&'a Contents> {
    request.inputs.iter().find(|tensor| tensor.name == name).map(|tensor| &tensor.contents)
}

fn text<'a>(request: &'a Request, name: &str) -> Option<&'a str> {
    match input(request, name)? {
        Contents::Texts(texts) => texts.first().map(String::as_str),
        _ => None,
    }
}

fn float(request: &Request, name: &str) -> Option<f32> {
    match input(request, name)? {
        Contents::F32s(numbers) => numbers.first().copied(),
        _ => None,
    }
}

fn integer(request: &Request, name: &str) -> Option<i32> {
    match input(request, name)? {
        Contents::S32s(numbers) => numbers.first().copied(),
        _ => None,
    }
}

const fn known_or(usual: f32, found: f32) -> f32 {
    if found.is_nan() { usual } else { found }
}
