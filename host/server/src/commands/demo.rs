//! `understudy demo`

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use clap::Args;
use message::ModelName;
use parking_lot::Mutex;
use tokio::signal::unix::{SignalKind, signal};

use super::serve::runtime;
use crate::demo::flights::{self, Flight};
use crate::demo::player::{self, Progress};
use crate::demo::scorekeeper::{Board, Scorekeeper};
use crate::demo::screen::Screen;
use crate::endpoint::Endpoint;
use crate::host::Host;
use crate::options::{HostArguments, HostOptions};

const ENDPOINT: &str = "flights";
/// The model that the others are compared with.
const CHAMPION: &str = "gbdt";
/// How long the models may take to load.
const LOAD_TIME: Duration = Duration::from_secs(120);
/// How long the last answers may take.
const LAST_ANSWERS: Duration = Duration::from_secs(30);

/// Play the departures from New York in 2013 through the models of examples/flights.
///
/// While it runs, change what is in its models folder and watch what happens.
#[derive(Debug, Args)]
pub(crate) struct Demo {
    /// The folder of the example.
    #[arg(long, value_name = "DIR", default_value = "examples/flights")]
    examples: PathBuf,
    /// The folder for models, streams and caches of the demo; what an earlier demo left is replaced.
    #[arg(long, value_name = "DIR", default_value = "data/demo")]
    data: PathBuf,
    /// How long the year lasts.
    #[arg(long, value_name = "SECONDS", default_value_t = 120)]
    seconds: u64,
    /// Go on serving after the year is over.
    #[arg(long)]
    keep: bool,
}

impl Demo {
    pub(crate) fn run(self) -> Result<ExitCode> {
        let flights = Arc::new(flights::read(&self.examples.join("flights-2013.csv.gz"))?);
        let models = self.data.join("models");
        prepare(&self.examples.join("folder"), &self.data, &models)?;
        super::serve::start_log_to(&self.data.join("demo.log"))?;
        let options = HostOptions::new(HostArguments {
            models: Some(models),
            data: Some(self.data.clone()),
            listen: Some(free_or_any(8000)),
            grpc_listen: Some(free_or_any(8001)),
            admin_listen: Some(free_or_any(8002)),
            ..HostArguments::default()
        })?;
        let options = options.embedded();
        runtime()?.block_on(self.play(options, flights))?;
        Ok(ExitCode::SUCCESS)
    }

    async fn play(&self, options: HostOptions, flights: Arc<Vec<Flight>>) -> Result<()> {
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        let host = Host::start(options).await?;
        let endpoint = loaded(&host).await?;
        self.announce(&host);
        let progress = Arc::new(Progress::default());
        let board = Arc::new(Mutex::new(Board::new(ModelName::from(CHAMPION))));
        let stop = Arc::new(AtomicBool::new(false));
        let keepers = Scorekeeper {
            endpoint: Arc::clone(&endpoint),
            flights: Arc::clone(&flights),
            progress: Arc::clone(&progress),
            board: Arc::clone(&board),
            stop: Arc::clone(&stop),
        }
        .start();
        let mut screen =
            Screen::new(Arc::clone(&endpoint), Arc::clone(&flights), Arc::clone(&progress), board);
        screen.clear();
        let player = tokio::spawn(player::play(
            Arc::clone(&endpoint),
            flights,
            Duration::from_secs(self.seconds.max(1)),
            Arc::clone(&progress),
        ));
        let mut player = std::pin::pin!(player);
        let mut asked_to_end = false;
        loop {
            tokio::select! {
                played = &mut player => {
                    played.context("the player panicked")??;
                    break;
                }
                () = tokio::time::sleep(screen.pause()) => screen.show(),
                _ = terminate.recv() => asked_to_end = true,
                _ = interrupt.recv() => asked_to_end = true,
            }
            if asked_to_end {
                progress.stop.store(true, Ordering::Relaxed);
            }
        }
        wait_for_last_answers(&progress).await?;
        stop.store(true, Ordering::Relaxed);
        for keeper in keepers {
            let kept = tokio::task::spawn_blocking(move || keeper.join()).await?;
            kept.map_err(|_| anyhow::anyhow!("the scorekeeper panicked"))??;
        }
        screen.clear();
        println!("{}", screen.summary());
        self.conclude(&host, &progress);
        if self.keep && !asked_to_end {
            println!("still serving; end it with ctrl-c");
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
        }
        host.stop().await
    }

    fn announce(&self, host: &Host) {
        for line in host.shown_addresses() {
            println!("{line}");
        }
        println!("models: {}", host.shared.models_dir.display());
        println!("data: {}", self.data.display());
    }

    fn conclude(&self, host: &Host, progress: &Progress) {
        let data = self.data.display();
        println!(
            "{} flights asked about, {} passed over to keep the time, {} answered",
            progress.played.load(Ordering::Relaxed),
            progress.passed_over.load(Ordering::Relaxed),
            progress.answered.load(Ordering::Relaxed),
        );
        println!(
            "streams: {data}/stream (understudy read {ENDPOINT} answers --data {data} --last 10)"
        );
        println!("log: {data}/demo.log");
        println!("models: {}", host.shared.models_dir.display());
    }
}

/// Puts fresh copies of the example models where the demo watches, and forgets old streams.
fn prepare(from: &Path, data: &Path, models: &Path) -> Result<()> {
    if !from.join(ENDPOINT).is_dir() {
        bail!("found no {}, expected the folder of the example", from.join(ENDPOINT).display());
    }
    std::fs::create_dir_all(data).with_context(|| format!("cannot make {}", data.display()))?;
    // Whoever holds the streams of this folder is another demo: it must not lose them.
    drop(stream::EmbeddedStream::open(data.join("stream"))?);
    for folder in [data.join("stream"), models.to_owned()] {
        if folder.exists() {
            std::fs::remove_dir_all(&folder)
                .with_context(|| format!("cannot replace {}", folder.display()))?;
        }
    }
    copy_folder(&from.join(ENDPOINT), &models.join(ENDPOINT))
}

fn copy_folder(from: &Path, to: &Path) -> Result<()> {
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        std::fs::copy(entry.path(), to.join(entry.file_name()))
            .with_context(|| format!("cannot copy {}", entry.path().display()))?;
    }
    Ok(())
}

/// The port that clients of the protocol know, or any where another program has it.
fn free_or_any(port: u16) -> SocketAddr {
    let known = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    match std::net::TcpListener::bind(known) {
        Ok(_) => known,
        Err(_) => SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
    }
}

/// Waits until the models of the endpoint are loaded or refused.
async fn loaded(host: &Host) -> Result<Arc<Endpoint>> {
    let started = Instant::now();
    eprintln!("loading the models of {}", host.shared.models_dir.display());
    while started.elapsed() < LOAD_TIME {
        if let Some(endpoint) = host.shared.endpoint(ENDPOINT)
            && endpoint.live.load().settled
        {
            return Ok(endpoint);
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    bail!("the models did not load within {} s", LOAD_TIME.as_secs())
}

async fn wait_for_last_answers(progress: &Progress) -> Result<()> {
    let started = Instant::now();
    let open = || {
        let played = progress.played.load(Ordering::Relaxed);
        played.saturating_sub(progress.answered.load(Ordering::Relaxed))
    };
    while open() > 0 {
        if started.elapsed() > LAST_ANSWERS {
            bail!("{} flights were never answered", open());
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    Ok(())
}
