//! `understudy schema`

use std::process::ExitCode;

use anyhow::Result;
use catalog::Kind;
use clap::{Args, ValueEnum};
use front::{About, Listener};
use serde_json::Value;

use super::output::print_line;

/// Print the JSON Schema of a configuration file, made from the types that read it, or the OpenAPI
/// document of a listener.
#[derive(Debug, Args)]
pub(crate) struct Schema {
    /// Which file, or which listener.
    #[arg(value_enum)]
    of: Of,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Of {
    /// endpoint.toml: deadline, policy, roles and limits of an endpoint
    Endpoint,
    /// MODEL.toml: limits, grants and labels of a model
    Model,
    /// understudy.toml: addresses, folders and limits of the host
    Host,
    /// tokens.toml: who may call the host, and how much of it tenants may have
    Tokens,
    /// What the listener for requests takes and gives, as GET /openapi.json has it
    Openapi,
    /// What the listener for operators takes and gives, likewise
    OpenapiAdmin,
}

impl Schema {
    pub(crate) fn run(self) -> Result<ExitCode> {
        let document = match self.of {
            Of::Endpoint => catalog::schema(Kind::Endpoint),
            Of::Model => catalog::schema(Kind::Model),
            Of::Host => catalog::schema(Kind::Host),
            Of::Tokens => catalog::schema(Kind::Tokens),
            Of::Openapi => described(Listener::Public),
            Of::OpenapiAdmin => described(Listener::Admin),
        };
        print_line(serde_json::to_string_pretty(&document)?)?;
        Ok(ExitCode::SUCCESS)
    }
}

/// What a listener takes and gives, whichever host it is of.
fn described(listener: Listener) -> Value {
    front::openapi(listener, env!("CARGO_PKG_VERSION"), &About::default())
}
