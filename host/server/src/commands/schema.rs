//! `understudy schema`

use std::process::ExitCode;

use anyhow::Result;
use catalog::Kind;
use clap::{Args, ValueEnum};

use super::output::print_line;

/// Print the JSON Schema of a configuration file, made from the types that read it.
#[derive(Debug, Args)]
pub(crate) struct Schema {
    /// Which file.
    #[arg(value_enum)]
    file: File,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum File {
    /// endpoint.toml: deadline, policy, roles and limits of an endpoint
    Endpoint,
    /// MODEL.toml: limits, grants and labels of a model
    Model,
    /// understudy.toml: addresses, folders and limits of the host
    Host,
    /// tokens.toml: who may call the host, and how much of it tenants may have
    Tokens,
}

impl Schema {
    pub(crate) fn run(self) -> Result<ExitCode> {
        let kind = match self.file {
            File::Endpoint => Kind::Endpoint,
            File::Model => Kind::Model,
            File::Host => Kind::Host,
            File::Tokens => Kind::Tokens,
        };
        print_line(serde_json::to_string_pretty(&catalog::schema(kind))?)?;
        Ok(ExitCode::SUCCESS)
    }
}
