//! Makes a component from a core module: `componentize CORE.wasm -o OUT.wasm`.
//!
//! The output appears under its name only when it is whole, since it may lie in a folder that a host watches.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use builder::Metadata;
use clap::Parser;

/// Makes a component from a core module.
#[derive(Debug, Parser)]
#[command(name = "componentize")]
struct Arguments {
    /// The core module, binary or text.
    core: PathBuf,
    /// Where the component goes.
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
    /// The WIT package with the world that the module was written for, where the module does not say it.
    #[arg(long, value_name = "FOLDER", requires = "world")]
    wit: Option<PathBuf>,
    /// The name of that world.
    #[arg(long, value_name = "NAME", requires = "wit")]
    world: Option<String>,
    /// The name of the model.
    #[arg(long)]
    name: Option<String>,
    /// The version that its author gives it.
    #[arg(long)]
    version: Option<String>,
    /// The people who made it.
    #[arg(long)]
    authors: Option<String>,
    /// What it is, in a sentence.
    #[arg(long)]
    description: Option<String>,
    /// The licences, as an SPDX expression.
    #[arg(long)]
    licenses: Option<String>,
    /// The URL of its source code.
    #[arg(long)]
    source: Option<String>,
    /// The URL of its documentation.
    #[arg(long)]
    homepage: Option<String>,
    /// The commit that it was built from.
    #[arg(long)]
    revision: Option<String>,
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("componentize: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<()> {
    let core = || arguments.core.display().to_string();
    let mut module = fs::read(&arguments.core).with_context(core)?;
    if let (Some(wit), Some(world)) = (&arguments.wit, &arguments.world) {
        module = builder::embed(&module, wit, world).with_context(core)?;
    }
    let component = builder::componentize(&module, &arguments.metadata()).with_context(core)?;
    write(&arguments.output, &component).with_context(|| arguments.output.display().to_string())
}

impl Arguments {
    fn metadata(&self) -> Metadata {
        Metadata {
            name: self.name.clone(),
            version: self.version.clone(),
            authors: self.authors.clone(),
            description: self.description.clone(),
            licenses: self.licenses.clone(),
            source: self.source.clone(),
            homepage: self.homepage.clone(),
            revision: self.revision.clone(),
        }
    }
}

fn write(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut partial = path.as_os_str().to_owned();
    partial.push(".partial");
    let partial = PathBuf::from(partial);
    fs::write(&partial, bytes)?;
    fs::rename(&partial, path)
}
