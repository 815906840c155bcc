//! `understudy build`

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Result, bail};
use builder::{Built, Progress as _, Project};
use clap::Args;
use serde_json::{Value, json};

use super::examine::report_of;
use super::output::{print, print_line, write};
use super::progress::Told;
use super::toolchain::of_user;

/// Build the component of a model: with its language's ordinary tools, without any import, with its name, version,
/// authors, source revision and bill of materials in it, and checked in the same sandbox as a host has.
///
/// The language is known from the files of the folder, or said in its model.toml. Exit status 1 if it does not build or
/// a host would refuse it; the component of before then stays as it is.
#[derive(Debug, Args)]
pub(crate) struct Build {
    /// The folder of the project.
    #[arg(value_name = "DIR", default_value = ".")]
    folder: PathBuf,
    /// Where the component goes [default: NAME.wasm in the folder].
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Show everything that the tools write.
    #[arg(short, long)]
    verbose: bool,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

impl Build {
    pub(crate) fn run(self) -> Result<ExitCode> {
        let project = Project::find(&self.folder)?;
        let mut told = Told::new(self.verbose);
        let built = builder::build(&project, &of_user()?, &mut told)?;
        let output = self.output.unwrap_or_else(|| match self.folder.as_os_str() == "." {
            true => PathBuf::from(format!("{}.wasm", project.name())),
            false => self.folder.join(format!("{}.wasm", project.name())),
        });
        told.step("loading it as a host does");
        let samples = std::fs::read(project.samples()).ok();
        let mut report = report_of(&output, &built.component, false, samples.as_deref())?;
        if let Some(why) = report["refused"].as_str() {
            bail!("{} was built, and a host would refuse it: {why}", project.name());
        }
        write(&output, &built.component)?;
        told.done("built");
        drop(told);
        report["language"] = json!(project.language().word());
        report["tools"] = json!(built.tools);
        match self.json {
            true => print_line(serde_json::to_string_pretty(&report)?)?,
            false => print(page_of(&report, &project, &built))?,
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn page_of(report: &Value, project: &Project, built: &Built) -> String {
    let texts = |key: &str| -> Vec<&str> {
        report[key].as_array().into_iter().flatten().filter_map(Value::as_str).collect()
    };
    let imports = match texts("imports").as_slice() {
        [] => "imports nothing".to_owned(),
        them => format!("imports {}", them.join(", ")),
    };
    let file = report["file"].as_str().unwrap_or_default();
    let size = bytes(report["bytes"].as_f64().unwrap_or_default());
    let mut page = format!("{file}: {size}, {imports}\n");
    let mut line = |name: &str, text: String| page += &format!("  {name:<9} {text}\n");
    line("language", format!("{} ({})", project.language().title(), built.tools.join(", ")));
    line("inputs", texts("inputs").join(", "));
    line("outputs", texts("outputs").join(", "));
    line("compiles", format!("in {:.1} ms", report["compile_ms"].as_f64().unwrap_or_default()));
    line("a call", call(&report["call"]));
    line("memory", bytes(report["memory_bytes"].as_f64().unwrap_or_default()));
    if let Some(sbom) = &built.sbom {
        line("packages", format!("{} (understudy check --sbom {file})", sbom.packages.len()));
    }
    if let Some(revision) = &built.revision {
        line("source", revision.clone());
    }
    page
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
