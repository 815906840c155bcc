//! `understudy check`

mod configuration;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use clap::Args;
use message::{Contents, Datatype, Request, RequestId, Tensor};
use sandbox::{How, Inspection, LoadError, Model, ModelLimits, Runtime, RuntimeConfig, TensorType};
use serde_json::{Value, json};

use super::output::{print, print_line};
use crate::clock;
use crate::options::compile_in_child;

/// The interface that every component names, because its exports speak of it.
const TYPES: &str = "understudy:model/types@";
/// How many calls the cost of one is taken from.
const CALLS: usize = 1000;

/// Say what a component imports, describes and costs, and whether it would load here; if not, why. Or
/// check an understudy.toml: with --online also whether its Kafka cluster is as it has to be.
///
/// Exit status 0 if it would load or nothing is wrong, 1 if not. Nothing is changed, nor are topics made.
#[derive(Debug, Args)]
pub(crate) struct Check {
    /// The component, or the configuration file of a host: a name that ends in .toml.
    file: PathBuf,
    /// Ask the brokers as well: whether they let the host in, and whether the topics of its endpoints are
    /// there and fit together.
    #[arg(long)]
    online: bool,
    /// The folder of the models, where it is not the one that the configuration file names.
    #[arg(long, value_name = "DIR")]
    models: Option<PathBuf>,
    /// Refuse components that import WASI, as a host with `wasi = false` does.
    #[arg(long)]
    no_wasi: bool,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

impl Check {
    pub(crate) fn run(self) -> Result<ExitCode> {
        if self.file.extension().is_some_and(|extension| extension == "toml") {
            return self.check_configuration();
        }
        ensure!(
            !self.online,
            "found --online and a component, expected a file such as understudy.toml"
        );
        let wasm = std::fs::read(&self.file)
            .with_context(|| format!("cannot read {}", self.file.display()))?;
        let report = report_of(&self.file, &wasm, !self.no_wasi)?;
        if self.json {
            print_line(serde_json::to_string_pretty(&report)?)?;
        } else {
            print(page_of(&report))?;
        }
        Ok(if report["loads"] == true { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}

/// Loads a component, and says what it is, whether it loads, and what a call costs; the bytes are those of `file`.
pub(super) fn report_of(file: &Path, wasm: &[u8], allow_wasi: bool) -> Result<Value> {
    let runtime = Runtime::new(RuntimeConfig {
        compile: compile_in_child()?,
        allow_wasi,
        ..RuntimeConfig::default()
    })?;
    let inspection = runtime.inspect(wasm);
    let started = Instant::now();
    let loaded = runtime.load(wasm, &ModelLimits::default());
    Ok(report(file, wasm.len(), &inspection, &loaded, started.elapsed()))
}

fn report(
    file: &Path,
    bytes: usize,
    inspection: &Result<Inspection, LoadError>,
    loaded: &Result<Model, LoadError>,
    took: Duration,
) -> Value {
    let mut report = json!({
        "file": file.display().to_string(),
        "bytes": bytes,
        "loads": loaded.is_ok(),
        "refused": loaded.as_ref().err().map(ToString::to_string),
    });
    if let Ok(inspection) = inspection {
        // The types of the contract are no permission: nothing is linked for them.
        let asks = |import: &&String| !import.starts_with(TYPES);
        report["imports"] = json!(inspection.imports.iter().filter(asks).collect::<Vec<_>>());
        report["exports"] = json!(inspection.exports);
        report["contract"] = json!(inspection.contract.as_ref().map(ToString::to_string));
        report["name"] = json!(inspection.metadata.name);
        report["version"] = json!(inspection.metadata.version);
        report["authors"] = json!(inspection.metadata.authors);
    }
    if let Ok(model) = loaded {
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
        report["call"] = cost(model);
        report["memory_bytes"] = json!(model.usage().memory_bytes_high);
    }
    report
}

/// What one call costs, on a request of zeros; what the model says to it is its own affair.
fn cost(model: &Model) -> Value {
    let now = clock::now();
    let request = Request {
        id: RequestId::from("check"),
        time: now,
        deadline: now + Duration::from_secs(1),
        key: None,
        tenant: None,
        caller_id: None,
        inputs: model.description().inputs.iter().map(zeros).collect(),
        parameters: Default::default(),
        outputs: Vec::new(),
    };
    let mut session = match model.session() {
        Ok(session) => session,
        Err(fault) => return json!({ "fault": fault.message }),
    };
    let mut wall_us = Vec::with_capacity(CALLS);
    let mut refusal = None;
    for _ in 0..CALLS {
        let call = session.predict(&[&request]);
        match call.results {
            Err(fault) => {
                return json!({ "fault": format!("{}: {}", fault.class, fault.message) });
            }
            Ok(results) => {
                wall_us.push(call.wall.as_secs_f64() * 1e6);
                let refused = results.into_iter().next().and_then(|answer| answer.err());
                refusal = refused.map(|refused| refused.message().to_owned());
            }
        }
    }
    wall_us.sort_unstable_by(f64::total_cmp);
    let (p50_us, p99_us) = (wall_us[CALLS / 2], wall_us[CALLS * 99 / 100]);
    match refusal {
        None => json!({ "p50_us": p50_us, "p99_us": p99_us, "calls": CALLS }),
        Some(why) => {
            json!({ "p50_us": p50_us, "p99_us": p99_us, "calls": CALLS, "refusal": why })
        }
    }
}

/// A tensor of zeros, with 1 for each dimension that varies.
fn zeros(tensor: &TensorType) -> Tensor {
    let shape: Vec<u32> = tensor.shape.iter().map(|length| length.unwrap_or(1)).collect();
    let count = Tensor::element_count(&shape).unwrap_or(0);
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
    Tensor::new(tensor.name.as_str(), shape, contents)
}

fn shown(tensor: &TensorType) -> String {
    let shape: Vec<i64> = tensor.shape.iter().map(|it| it.map_or(-1, i64::from)).collect();
    format!("{} {} {shape:?}", tensor.name, tensor.datatype)
}

/// A report as lines.
pub(super) fn page_of(report: &Value) -> String {
    let mut page = String::new();
    for (name, value) in report.as_object().into_iter().flatten() {
        page += &match value {
            Value::Null => continue,
            Value::String(text) => format!("{name}: {text}\n"),
            Value::Array(them) if them.is_empty() => format!("{name}: none\n"),
            Value::Array(them) => {
                let line = |it: &Value| format!("  {}\n", it.as_str().unwrap_or_default());
                format!("{name}:\n{}", them.iter().map(line).collect::<String>())
            }
            other => format!("{name}: {other}\n"),
        };
    }
    page
}
