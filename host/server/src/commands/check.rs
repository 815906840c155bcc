//! `understudy check`

mod configuration;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result, bail, ensure};
use builder::Kind;
use clap::Args;
use serde_json::Value;

use super::examine::report_of;
use super::output::{plain_line, print, print_line};
use super::table::Table;

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
    /// List the packages that the component was built from, where it says so.
    #[arg(long)]
    sbom: bool,
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
        let file = self.file.display();
        ensure!(
            !self.file.is_dir(),
            "{file} is a folder, expected a component, or a file such as understudy.toml; this makes the component of a \
             project: understudy build {file}"
        );
        let wasm = std::fs::read(&self.file)
            .with_context(|| format!("cannot read {}", self.file.display()))?;
        if self.sbom {
            return self.list_packages(&wasm);
        }
        let report = report_of(&self.file, &wasm, !self.no_wasi, None)?;
        if self.json {
            print_line(serde_json::to_string_pretty(&report)?)?;
        } else {
            print(page_of(&report))?;
        }
        Ok(if report["loads"] == true { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }

    fn list_packages(&self, wasm: &[u8]) -> Result<ExitCode> {
        let file = self.file.display();
        let sbom = builder::read_sbom(wasm).with_context(|| file.to_string())?;
        let Some(sbom) = sbom else {
            bail!(
                "{file} does not say what it was built from, expected a section `{}`",
                builder::SBOM_SECTION
            )
        };
        if self.json {
            print_line(serde_json::to_string_pretty(&sbom)?)?;
            return Ok(ExitCode::SUCCESS);
        }
        let mut table = Table::new(&["package", "version", "source", "for"]);
        for package in sbom.packages {
            let part = match (package.root, package.kind) {
                (true, _) => "the model itself",
                (false, Kind::Runtime) => "the model",
                (false, Kind::Build) => "its build",
            };
            table.row([package.name, package.version, package.source, part.to_owned()]);
        }
        print(table)?;
        Ok(ExitCode::SUCCESS)
    }
}

/// A report as lines.
fn page_of(report: &Value) -> String {
    let mut page = String::new();
    for (name, value) in report.as_object().into_iter().flatten() {
        page += &match value {
            Value::Null => continue,
            Value::String(text) => format!("{name}: {}\n", plain_line(text)),
            Value::Array(them) if them.is_empty() => format!("{name}: none\n"),
            Value::Array(them) => {
                let line =
                    |it: &Value| format!("  {}\n", plain_line(it.as_str().unwrap_or_default()));
                format!("{name}:\n{}", them.iter().map(line).collect::<String>())
            }
            other => format!("{name}: {other}\n"),
        };
    }
    page
}
