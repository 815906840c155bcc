//! What a component is and costs, in the sandbox that a host uses: for `check`, `build` and `pack`.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Result;
use message::{Contents, Datatype, Request, RequestId, Tensor, Time};
use sandbox::{How, Inspection, Model, ModelLimits, Runtime, RuntimeConfig, TensorType};
use serde_json::{Value, json};

use super::samples;
use crate::options::compile_in_child;

/// The interface that every component names, because its exports speak of it.
const TYPES: &str = "understudy:model/types@";
/// How many calls the cost of one is taken from, at most.
const CALLS: usize = 1000;
/// How many elements an input of zeros has at most: what a component describes is not to cost the memory that it says.
const ZEROS: usize = 1 << 22;
/// How long these calls may take together; at least one is made.
const CALLS_TIME: Duration = Duration::from_secs(2);

/// Loads a component, the bytes of `file`, and says what it is, whether it loads, and what a call costs.
///
/// It is asked the first of these samples, else of those that it carries, else zeros.
pub(super) fn report_of(
    file: &Path,
    wasm: &[u8],
    allow_wasi: bool,
    samples: Option<&[u8]>,
) -> Result<Value> {
    let runtime = runtime(allow_wasi)?;
    let inspection = runtime.inspect(wasm);
    let started = Instant::now();
    let model = runtime.load(wasm, &ModelLimits::default());
    let took = started.elapsed();
    let mut report = json!({
        "file": file.display().to_string(),
        "bytes": wasm.len(),
        "loads": model.is_ok(),
        "refused": model.as_ref().err().map(ToString::to_string),
    });
    if let Ok(inspection) = inspection {
        inspected(&mut report, &inspection);
        let carried = builder::read_samples(wasm).ok().flatten();
        report["samples"] = json!(carried.as_deref().map(samples::count));
        report["packages"] =
            json!(builder::read_sbom(wasm).ok().flatten().map(|bill| bill.packages.len()));
        if let Ok(model) = &model {
            let first = samples.or(carried.as_deref()).and_then(samples::first);
            loaded(&mut report, model, took, first);
        }
    }
    Ok(report)
}

/// What a report says, for people: the size, these lines first, and what the component takes, gives and costs.
pub(super) fn page_of(report: &Value, first: &[(&str, String)]) -> String {
    let texts = |key: &str| -> Vec<&str> {
        report[key].as_array().into_iter().flatten().filter_map(Value::as_str).collect()
    };
    let imports = match texts("imports").as_slice() {
        [] => "imports nothing".to_owned(),
        them => format!("imports {}", them.join(", ")),
    };
    let file = report["file"].as_str().unwrap_or_default();
    let size = bytes(report["bytes"].as_f64().unwrap_or_default());
    let compiles = format!("in {:.1} ms", report["compile_ms"].as_f64().unwrap_or_default());
    let memory = bytes(report["memory_bytes"].as_f64().unwrap_or_default());
    let mut page = format!("{file}: {size}, {imports}\n");
    page.extend(first.iter().map(|(name, text)| line(name, text)));
    page += &line("inputs", &texts("inputs").join(", "));
    page += &line("outputs", &texts("outputs").join(", "));
    page += &line("compiles", &compiles);
    page += &line("a call", &call(&report["call"]));
    page += &line("memory", &memory);
    page
}

/// One line of such a page.
pub(super) fn line(name: &str, text: &str) -> String {
    format!("  {name:<9} {text}\n")
}

fn call(call: &Value) -> String {
    if let Some(fault) = call["fault"].as_str() {
        return format!("breaks: {fault}");
    }
    let us = |key: &str| call[key].as_f64().unwrap_or_default();
    let asked = call["asked"].as_str().unwrap_or_default();
    let refused =
        call["refusal"].as_str().map_or(String::new(), |why| format!("; it refuses: {why}"));
    format!("takes {:.1} us (p99 {:.1} us), on {asked}{refused}", us("p50_us"), us("p99_us"))
}

fn bytes(count: f64) -> String {
    match count {
        small if small < 1024.0 * 1024.0 => format!("{:.1} KiB", small / 1024.0),
        large => format!("{:.1} MiB", large / 1024.0 / 1024.0),
    }
}

/// A sandbox as a host has it.
pub(super) fn runtime(allow_wasi: bool) -> Result<Runtime> {
    let compile = compile_in_child()?;
    Ok(Runtime::new(RuntimeConfig { compile, allow_wasi, ..RuntimeConfig::default() })?)
}

/// Adds what the component says of itself.
fn inspected(report: &mut Value, inspection: &Inspection) {
    // The types of the contract are no permission: nothing is linked for them.
    let asks = |import: &&String| !import.starts_with(TYPES);
    report["imports"] = json!(inspection.imports.iter().filter(asks).collect::<Vec<_>>());
    report["exports"] = json!(inspection.exports);
    report["contract"] = json!(inspection.contract.as_ref().map(ToString::to_string));
    let metadata = &inspection.metadata;
    report["name"] = json!(metadata.name);
    report["version"] = json!(metadata.version);
    report["authors"] = json!(metadata.authors);
    report["description"] = json!(metadata.description);
    report["licenses"] = json!(metadata.licenses);
    report["source"] = json!(metadata.source);
    report["source_revision"] = json!(metadata.revision);
    report["homepage"] = json!(metadata.homepage);
    let producers = metadata
        .producers
        .iter()
        .map(|producer| format!("{} {}", producer.name, producer.version).trim_end().to_owned());
    report["producers"] = json!(producers.collect::<Vec<_>>());
}

/// Adds what the model describes and costs.
fn loaded(report: &mut Value, model: &Model, took: Duration, first: Option<Request>) {
    let description = model.description();
    report["revision"] = json!(model.revision().to_string());
    report["inputs"] = json!(description.inputs.iter().map(shown).collect::<Vec<_>>());
    report["outputs"] = json!(description.outputs.iter().map(shown).collect::<Vec<_>>());
    report["batch_limit"] = json!(description.batch_limit);
    report["stateless"] = json!(description.stateless);
    report["compile_ms"] = json!(match model.loaded() {
        How::Compiled { time } => time.as_secs_f64() * 1e3,
        How::Cached { .. } => 0.0,
    });
    report["load_ms"] = json!(took.as_secs_f64() * 1e3);
    report["call"] = cost(model, first);
    report["memory_bytes"] = json!(model.usage().memory_bytes_high);
}

/// What one call costs. A model that refuses is quicker than one that answers, so that is said too.
fn cost(model: &Model, first: Option<Request>) -> Value {
    let asked = if first.is_some() { "a sample" } else { "zeros" };
    let Some(request) = first.or_else(|| request_of_zeros(model)) else {
        let why =
            format!("an input has more than {ZEROS} elements, expected a sample to ask it with");
        return json!({ "fault": why });
    };
    let mut session = match model.session() {
        Ok(session) => session,
        Err(fault) => return json!({ "fault": fault.message }),
    };
    let mut wall_us = Vec::with_capacity(CALLS);
    let mut refusal = None;
    let started = Instant::now();
    while wall_us.is_empty() || wall_us.len() < CALLS && started.elapsed() < CALLS_TIME {
        let call = session.predict(&[&request]);
        match call.results {
            Err(fault) => {
                return json!({ "fault": format!("{}: {}", fault.class, fault.message) });
            }
            Ok(results) => {
                wall_us.push(call.wall.as_secs_f64() * 1e6);
                refusal = results.into_iter().find_map(Result::err);
            }
        }
    }
    let first_us = wall_us[0];
    wall_us.sort_unstable_by(f64::total_cmp);
    let calls = wall_us.len();
    let mut cost = json!({
        "p50_us": wall_us[calls / 2], "p99_us": wall_us[calls * 99 / 100], "first_us": first_us,
        "calls": calls, "asked": asked,
    });
    if let Some(refusal) = refusal {
        cost["refusal"] = json!(refusal.message());
    }
    cost
}

/// A request of zeros, where that is one of a size that a host may get.
fn request_of_zeros(model: &Model) -> Option<Request> {
    Some(Request {
        id: RequestId::from("check"),
        time: Time::from_us(0),
        deadline: Time::from_us(0) + Duration::from_secs(1),
        key: None,
        tenant: None,
        caller_id: None,
        inputs: model.description().inputs.iter().map(zeros).collect::<Option<_>>()?,
        parameters: Default::default(),
        outputs: Vec::new(),
    })
}

/// A tensor of zeros, with 1 for each dimension that varies.
fn zeros(tensor: &TensorType) -> Option<Tensor> {
    let shape: Vec<u32> = tensor.shape.iter().map(|length| length.unwrap_or(1)).collect();
    let count = Tensor::element_count(&shape).filter(|count| *count <= ZEROS)?;
    let contents = match tensor.datatype {
        Datatype::Bool => Contents::Bools(vec![false; count]),
        Datatype::Uint8 => Contents::U8s(vec![0; count]),
        Datatype::Uint16 => Contents::U16s(vec![0; count]),
        Datatype::Uint32 => Contents::U32s(vec![0; count]),
        Datatype::Uint64 => Contents::U64s(vec![0; count]),
        Datatype::Int8 => Contents::S8s(vec![0; count]),
        Datatype::Int16 => Contents::S16s(vec![0; count]),
        Datatype::Int32 => Contents::S32s(vec![0; count]),
        Datatype::Int64 => Contents::S64s(vec![0; count]),
        Datatype::Fp16 => Contents::F16s(vec![0; count]),
        Datatype::Bf16 => Contents::Bf16s(vec![0; count]),
        Datatype::Fp32 => Contents::F32s(vec![0.0; count]),
        Datatype::Fp64 => Contents::F64s(vec![0.0; count]),
        Datatype::Text => Contents::Texts(vec![String::new(); count]),
        Datatype::Blob => Contents::Blobs(vec![Vec::new(); count]),
    };
    Some(Tensor::new(tensor.name.as_str(), shape, contents))
}

fn shown(tensor: &TensorType) -> String {
    let shape: Vec<i64> = tensor.shape.iter().map(|it| it.map_or(-1, i64::from)).collect();
    format!("{} {} {shape:?}", tensor.name, tensor.datatype)
}
