//! `understudy token`

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use catalog::TokenConfig;
use catalog::access::{Scope, add_token, token_table};
use clap::{Args, Subcommand, ValueEnum};
use message::Revision;

use crate::clock;

/// How a token begins, so that scanners for secrets find one that has got lost.
const PREFIX: &str = "us_";
/// The random part, in bytes.
const RANDOM_BYTES: usize = 32;

/// Make tokens for callers. A host that knows one lets in nobody else.
#[derive(Debug, Args)]
pub(crate) struct Token {
    #[command(subcommand)]
    command: TokenCommand,
}

#[derive(Debug, Subcommand)]
enum TokenCommand {
    New(New),
}

/// Make a token, and print it: once, on standard output. What the host is to know of it is a table
/// for understudy.toml or for the file of tokens that it names; it holds a hash only.
///
/// Callers show the token as the header `authorization: Bearer TOKEN`, commands with --token-file or
/// in the variable UNDERSTUDY_TOKEN.
#[derive(Debug, Args)]
struct New {
    /// What the log and errors call it.
    name: String,
    /// What it may do; may be given again.
    #[arg(long = "scope", value_name = "SCOPE", required = true, value_enum)]
    scopes: Vec<ScopeName>,
    /// Whose endpoints it sees: those below models/TENANT [default: all endpoints].
    #[arg(long)]
    tenant: Option<String>,
    /// How many days it is good for [default: until it is taken out of the file].
    #[arg(long, value_name = "DAYS")]
    days: Option<u32>,
    /// Know the caller by this certificate, in PEM, instead of a token.
    #[arg(long, value_name = "FILE")]
    certificate: Option<PathBuf>,
    /// Append the table to this file, which is made if there is none. A host that uses the file takes
    /// it within seconds.
    #[arg(long, value_name = "FILE")]
    add: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum ScopeName {
    /// To ask for answers, and to append requests
    Infer,
    /// To see states, metrics and configuration
    Observe,
    /// To change which models answer
    Operate,
}

impl Token {
    pub(crate) fn run(self) -> Result<ExitCode> {
        match self.command {
            TokenCommand::New(new) => new.run(),
        }
    }
}

impl New {
    fn run(self) -> Result<ExitCode> {
        let (secret, hash, certificate) = match &self.certificate {
            None => {
                let secret = make_secret()?;
                let hash = front::digest(secret.as_bytes());
                (Some(secret), Some(hash), None)
            }
            Some(file) => (None, None, Some(front::certificate_digest(&read(file)?)?)),
        };
        let mut scopes: Vec<_> = self.scopes.iter().map(|scope| scope.value()).collect();
        scopes.sort_unstable();
        scopes.dedup();
        let lasts = self.days.map(|days| Duration::from_secs(u64::from(days) * 86_400));
        let token = TokenConfig {
            name: self.name,
            hash,
            certificate,
            scopes,
            tenant: self.tenant,
            expires: lasts.map(|lasts| clock::now() + lasts),
        };
        // The table is read back before anybody is given a token that would not work.
        add_token(Path::new("the token"), "", &token).map_err(|problem| anyhow!("{problem}"))?;
        match &self.add {
            None => {
                eprintln!("add this to understudy.toml, or to the file of tokens that it names:\n");
                eprintln!("{}", token_table(&token));
            }
            Some(file) => {
                add(file, &token)?;
                eprintln!("added {} to {}", token.name, file.display());
            }
        }
        if let Some(secret) = secret {
            writeln!(std::io::stdout(), "{secret}").context("the token could not be printed")?;
        }
        Ok(ExitCode::SUCCESS)
    }
}

impl ScopeName {
    const fn value(self) -> Scope {
        match self {
            Self::Infer => Scope::Infer,
            Self::Observe => Scope::Observe,
            Self::Operate => Scope::Operate,
        }
    }
}

fn make_secret() -> Result<String> {
    let mut random = [0; RANDOM_BYTES];
    getrandom::fill(&mut random).map_err(|error| anyhow!("the system gives no chance: {error}"))?;
    let digits = random.iter().map(|byte| format!("{byte:02x}"));
    Ok(PREFIX.to_owned() + &digits.collect::<String>())
}

fn add(file: &Path, token: &TokenConfig) -> Result<()> {
    let (text, before) = match std::fs::read_to_string(file) {
        Ok(text) => {
            let before = Revision::from_digest(front::digest(text.as_bytes()));
            (text, Some(before))
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => (String::new(), None),
        Err(error) => bail!("cannot read {}: {error}", file.display()),
    };
    let longer = add_token(file, &text, token).map_err(|problem| anyhow!("{problem}"))?;
    // The folder that it lies in is synced as well, so it must have a name.
    let absolute = std::path::absolute(file)?;
    Ok(catalog::write::write(&absolute, longer.as_bytes(), before)?)
}

fn read(file: &Path) -> Result<Vec<u8>> {
    std::fs::read(file).with_context(|| format!("cannot read {}", file.display()))
}
