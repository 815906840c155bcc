//! `understudy toolchain`

use std::process::ExitCode;

use anyhow::{Context as _, Result};
use builder::{Language, Toolchain};
use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::output::{print, print_line};
use super::progress::Told;
use super::table::Table;

/// Show which tools the languages of models need and which of them are there, or install them.
///
/// Tools are pinned by version and digest, and go into the user's cache: UNDERSTUDY_CACHE, else understudy in
/// XDG_CACHE_HOME or in ~/.cache. Only Rust needs more where it is not installed through rustup.
#[derive(Debug, Args)]
pub(crate) struct ToolchainCommand {
    #[command(subcommand)]
    what: Option<What>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Show the tools of each language, and whether they are there.
    List,
    /// Install what is missing of the tools of some languages.
    Install {
        /// The languages.
        #[arg(required = true, value_name = "LANG")]
        languages: Vec<Language>,
        /// Show everything that the installers write.
        #[arg(short, long)]
        verbose: bool,
    },
}

impl ToolchainCommand {
    pub(crate) fn run(self) -> Result<ExitCode> {
        let toolchain = of_user()?;
        match self.what {
            None | Some(What::List) => {
                let tools = listed(&toolchain);
                if self.json {
                    print_line(serde_json::to_string_pretty(&tools)?)?;
                } else {
                    print(page_of(&tools))?;
                }
            }
            Some(What::Install { languages, verbose }) => {
                let mut told = Told::new(verbose);
                for language in languages {
                    let tools = toolchain.install(language, &mut told)?;
                    for tool in tools.iter() {
                        let (name, version) = (tool.name, &tool.version);
                        print_line(format!("{name} {version}: {}", tool.path.display()))?;
                    }
                }
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// The toolchain of the user.
pub(super) fn of_user() -> Result<Toolchain> {
    Toolchain::of_user().context(
        "found no folder for tools, expected UNDERSTUDY_CACHE, XDG_CACHE_HOME or HOME to name one",
    )
}

/// Each tool of each language, and where it is or what is there instead.
fn listed(toolchain: &Toolchain) -> Value {
    let mut tools = Vec::new();
    for language in Language::ALL {
        for state in toolchain.state(language) {
            tools.push(match &state.located {
                Ok(there) => json!({
                    "language": language.word(), "tool": state.name, "wanted": state.wanted,
                    "version": there.version, "path": there.path.display().to_string(),
                }),
                Err(why) => json!({
                    "language": language.word(), "tool": state.name, "wanted": state.wanted, "missing": why,
                }),
            });
        }
    }
    Value::Array(tools)
}

fn page_of(tools: &Value) -> String {
    let mut table = Table::new(&["language", "tool", "wanted", "found", "where"]);
    let mut missing: Vec<&str> = Vec::new();
    for tool in tools.as_array().into_iter().flatten() {
        let text = |key: &str| tool[key].as_str().unwrap_or("-").to_owned();
        let place = if tool["missing"].is_null() { text("path") } else { text("missing") };
        table.row([text("language"), text("tool"), text("wanted"), text("version"), place]);
        let language = tool["language"].as_str().unwrap_or_default();
        if !tool["missing"].is_null() && !missing.contains(&language) {
            missing.push(language);
        }
    }
    let next = match missing.is_empty() {
        true => String::new(),
        false => format!(
            "\nto install what is missing: understudy toolchain install {}\n",
            missing.join(" ")
        ),
    };
    format!("{table}{next}")
}
