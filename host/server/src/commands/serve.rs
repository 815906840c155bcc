//! `understudy serve`

use std::io::IsTerminal;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::Args;
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

use crate::host::Host;
use crate::options::{HostArguments, HostOptions};

/// Serve a folder of models until SIGINT or SIGTERM: then accepted requests are answered, streams
/// synced, and the host ends.
///
/// Each folder below the models folder is an endpoint; each .wasm file in it is a model. Copy a
/// file in and it is staged; name it in endpoint.toml and it answers.
#[derive(Debug, Args)]
pub(crate) struct Serve {
    #[command(flatten)]
    host: HostArguments,
    /// Write the log as JSON lines.
    #[arg(long)]
    json: bool,
}

impl Serve {
    pub(crate) fn run(self) -> Result<ExitCode> {
        start_log(self.json);
        let options = HostOptions::new(self.host)?;
        runtime()?.block_on(async {
            let mut terminate = signal(SignalKind::terminate())?;
            let mut interrupt = signal(SignalKind::interrupt())?;
            let host = Host::start(options.clone()).await?;
            announce(&host, &options);
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            tracing::info!("stopping");
            host.stop().await
        })?;
        Ok(ExitCode::SUCCESS)
    }
}

/// The threads that talk to callers.
pub(crate) fn runtime() -> Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread()
        .thread_name("front")
        .enable_all()
        .build()
        .context("cannot start the threads of the front")
}

/// Sends the log to standard error: the level that RUST_LOG says, or `info`.
pub(crate) fn start_log(json: bool) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let ansi = std::io::stderr().is_terminal();
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(ansi)
        .with_writer(std::io::stderr);
    if json { log.json().init() } else { log.with_target(false).init() }
}

/// Sends the log to a file, where a terminal shows something else.
pub(crate) fn start_log_to(file: &Path) -> Result<()> {
    let file =
        std::fs::File::create(file).with_context(|| format!("cannot write {}", file.display()))?;
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_target(false);
    log.with_ansi(false).with_writer(std::sync::Mutex::new(file)).init();
    Ok(())
}

fn announce(host: &Host, options: &HostOptions) {
    println!("understudy {}", env!("CARGO_PKG_VERSION"));
    println!("access: {}", host.shown_access());
    for line in host.shown_addresses() {
        println!("{line}");
    }
    println!("models: {}", host.shared.models_dir.display());
    println!("data: {}", host.shared.data_dir.display());
    println!("stream: {}", options.shown_storage());
    for line in options.report() {
        println!("limit: {line}");
    }
    for line in host.shared.runtime.limits_report().to_string().lines() {
        println!("limit: {line}");
    }
}
