//! `understudy build`

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Result, bail};
use builder::{Built, Progress as _, Project};
use clap::Args;
use serde_json::{Value, json};

use super::examine::{self, line, report_of};
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
    let tools = format!("{} ({})", project.language().title(), built.tools.join(", "));
    let mut page = examine::page_of(report, &[("language", tools)]);
    if let Some(sbom) = &built.sbom {
        let count = sbom.packages.len();
        let file = report["file"].as_str().unwrap_or_default();
        page += &line("packages", &format!("{count} (understudy check --sbom {file})"));
    }
    if let Some(revision) = &built.revision {
        page += &line("source", revision);
    }
    page
}
