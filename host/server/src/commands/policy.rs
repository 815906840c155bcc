//! `understudy policy`

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::{Args, Subcommand};

use super::change::{Request, Terms};
use super::output::{print, print_line};
use super::reach::{Reach, path_of};
use super::status::text;

/// Show, replace or compare who answers at an endpoint: the tables [roles], [policy] and [[route]]
/// of its endpoint.toml.
#[derive(Debug, Args)]
pub(crate) struct Policy {
    #[command(subcommand)]
    command: PolicyCommand,
}

#[derive(Debug, Subcommand)]
enum PolicyCommand {
    /// Print [roles], [policy] and [[route]] as they stand in the file, comments included.
    Show {
        /// The endpoint.
        endpoint: String,
        /// Print JSON.
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        host: Reach,
    },
    /// Replace them by those of a file; all else in endpoint.toml stays, comments included.
    ///
    /// Policy and routes are one: a file without [[route]] removes the routes. A file without
    /// [roles] leaves the roles as they are.
    Set {
        /// The endpoint.
        endpoint: String,
        /// The file; - for standard input.
        file: PathBuf,
        #[command(flatten)]
        terms: Terms,
    },
    /// Show what `set` would change, in the file and in the roster, and change nothing.
    Diff {
        /// The endpoint.
        endpoint: String,
        /// The file; - for standard input.
        file: PathBuf,
        #[command(flatten)]
        terms: Terms,
    },
}

impl Policy {
    pub(crate) fn run(self) -> Result<ExitCode> {
        match self.command {
            PolicyCommand::Show { endpoint, json, host } => show(&endpoint, json, &host),
            PolicyCommand::Set { endpoint, file, terms } => terms.make(&Request {
                method: "PUT",
                endpoint: &endpoint,
                segments: &["policy"],
                content_type: "application/toml",
                body: &read(&file)?,
            }),
            PolicyCommand::Diff { endpoint, file, terms } => terms.make(&Request {
                method: "POST",
                endpoint: &endpoint,
                segments: &["policy", "diff"],
                content_type: "application/toml",
                body: &read(&file)?,
            }),
        }
    }
}

fn show(endpoint: &str, json: bool, host: &Reach) -> Result<ExitCode> {
    let document = host.get(&path_of(endpoint, &["policy"]))?;
    if json {
        print_line(serde_json::to_string_pretty(&document)?)?;
    } else {
        print(text(&document["policy"]))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn read(file: &Path) -> Result<Vec<u8>> {
    if file == Path::new("-") {
        let mut text = Vec::new();
        std::io::Read::read_to_end(&mut std::io::stdin().lock(), &mut text)?;
        return Ok(text);
    }
    std::fs::read(file).with_context(|| format!("cannot read {}", file.display()))
}
