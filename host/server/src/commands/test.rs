//! `understudy test`

mod compare;
mod run;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, Result, bail, ensure};
use builder::{Progress as _, Project};
use clap::Args;
use sandbox::{Model, ModelLimits};
use serde_json::json;

use super::examine::runtime;
use super::output::{print, print_line, write};
use super::progress::Told;
use super::samples::{self, Sample};
use super::toolchain::of_user;
use run::Tested;

/// Run a model on its samples, in the same sandbox as a host has, and show what is not as expected.
///
/// A project is built first, and its samples.jsonl is read; a component brings its samples along, or --samples names
/// them. Each sample is asked alone and again together with the others, which must not change its answer.
///
/// A sample is a line: {"request": …, "prediction": {"outputs": …}} in the words of the Open Inference Protocol, or with
/// "refusal": {"kind": …, "message": …} instead; "tolerance" says how far numbers may be, relatively. Exit status 1 if
/// something is not as expected.
#[derive(Debug, Args)]
pub(crate) struct Test {
    /// The folder of a project, or a component.
    #[arg(value_name = "DIR|FILE.wasm", default_value = ".")]
    what: PathBuf,
    /// The samples, where they are not those of the project or the component.
    #[arg(long, value_name = "FILE")]
    samples: Option<PathBuf>,
    /// Write what the model says now into the samples that expect nothing yet.
    #[arg(long)]
    record: bool,
    /// Show everything that the tools write.
    #[arg(short, long)]
    verbose: bool,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// A component, and where its samples are.
struct Subject {
    wasm: Vec<u8>,
    /// The samples as they stand there, and as they were read.
    text: Vec<u8>,
    samples: Vec<Sample>,
    place: String,
    /// The file of the samples, where it is one.
    file: Option<PathBuf>,
}

impl Test {
    pub(crate) fn run(self) -> Result<ExitCode> {
        let subject = self.subject()?;
        let model: Model = runtime(false)?.load(&subject.wasm, &ModelLimits::default())?;
        let tested = run::all(&model, &subject.samples)?;
        if self.record {
            let file = subject
                .file
                .context("found samples inside of a component, expected a file to record into")?;
            let text = run::recorded(&subject.text, &subject.samples, &tested)?;
            write(&file, text.as_bytes())?;
        }
        self.tell(&subject.place, &tested)
    }

    fn tell(&self, place: &str, tested: &[Tested]) -> Result<ExitCode> {
        let failed: Vec<&Tested> = tested.iter().filter(|it| !it.differences.is_empty()).collect();
        if self.json {
            let shown = failed
                .iter()
                .map(|it| json!({ "line": it.line, "id": it.id, "differences": it.differences }));
            print_line(serde_json::to_string_pretty(&json!({
                "samples": tested.len(), "failed": failed.len(), "differences": shown.collect::<Vec<_>>(),
            }))?)?;
        } else {
            for it in &failed {
                print(format!("{place} line {} ({}):\n", it.line, it.id))?;
                print(it.differences.iter().map(|line| format!("  {line}\n")).collect::<String>())?;
            }
            let (all, bad) = (tested.len(), failed.len());
            print_line(match bad {
                0 => format!("{all} of {all} samples as expected, alone and together"),
                _ => format!("{bad} of {all} samples not as expected"),
            })?;
        }
        Ok(if failed.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }

    fn subject(&self) -> Result<Subject> {
        if self.what.is_dir() {
            return self.project();
        }
        let wasm = read(&self.what)?;
        let (text, file) = match &self.samples {
            Some(file) => (read(file)?, Some(file.clone())),
            None => (self.carried(&wasm)?, None),
        };
        let place = file.as_deref().unwrap_or(&self.what).display().to_string();
        Ok(Subject { wasm, samples: self.parse(&text, &place)?, text, place, file })
    }

    fn project(&self) -> Result<Subject> {
        let project = Project::find(&self.what)?;
        let file = self.samples.clone().unwrap_or_else(|| self.what.join("samples.jsonl"));
        let place = file.display().to_string();
        let text = std::fs::read(&file).with_context(|| {
            format!(
                "cannot read {place}, expected samples, a line each: {{\"request\": …, \"prediction\": …}}"
            )
        })?;
        // A build is long, and samples are wrong at once.
        let samples = self.parse(&text, &place)?;
        let mut told = Told::new(self.verbose);
        let built = builder::build(&project, &of_user()?, &mut told)?;
        told.step("asking it in the sandbox");
        Ok(Subject { wasm: built.component, samples, text, place, file: Some(file) })
    }

    fn carried(&self, wasm: &[u8]) -> Result<Vec<u8>> {
        let what = self.what.display();
        let carried = builder::read_samples(wasm).with_context(|| what.to_string())?;
        carried.with_context(|| {
            format!(
                "{what} brings no samples along, expected --samples FILE, or the folder of a project"
            )
        })
    }

    fn parse(&self, text: &[u8], place: &str) -> Result<Vec<Sample>> {
        let samples = samples::parse(text).with_context(|| place.to_owned())?;
        ensure!(!samples.is_empty(), "{place} has no sample, expected one a line");
        let silent = samples.iter().find(|sample| sample.expected.is_none());
        if let Some(silent) = silent.filter(|_| !self.record) {
            bail!(
                "{place} line {}: found neither `prediction` nor `refusal`, expected one of them; this writes \
                 what the model says now: understudy test --record {}",
                silent.line,
                self.what.display()
            );
        }
        Ok(samples)
    }
}

fn read(path: &Path) -> Result<Vec<u8>> {
    std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))
}
