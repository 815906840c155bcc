//! What a host is started with: the file, and what the command line says over it.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Result, anyhow};
use catalog::{Backend, HostConfig, HostStream, Problem, Severity, WatchOptions};
use front::FrontLimits;
use rendezvous::residence::ResidenceLimits;
use sandbox::lanes::LaneConfig;
use sandbox::{CompileIn, CompileLimits, RuntimeConfig};

use crate::access::{AccessFiles, Source, text_of};
use crate::drivers::loader::RECALL_THREADS;
use crate::host::HostLimits;
use crate::storage::{Storage, Use};

/// The name of the configuration file that is looked for beside the models.
pub(crate) const FILE: &str = "understudy.toml";
/// How many sessions may be live at once, of all models together.
const SESSIONS: u32 = 4096;
/// What a mailbox takes with as many models as an ordinary endpoint has, what the driver keeps with
/// it included.
const MAILBOX_BYTES: usize = rendezvous::Rendezvous::<[u64; 16], [u64; 8]>::mailbox_bytes(128);
/// How many files topics and models that are always there may have open.
const OTHER_FILES: usize = 512;
/// How long a model stays at least that was loaded when it was wanted.
const STAY: Duration = Duration::from_millis(100);
/// How large the cache of compiled models may grow.
const CACHE_BYTES: u64 = 8 << 30;

/// What a host is started with.
#[derive(Debug, Clone)]
pub struct HostOptions {
    pub(crate) listen: SocketAddr,
    pub(crate) grpc_listen: SocketAddr,
    pub(crate) admin_listen: SocketAddr,
    pub(crate) models_dir: PathBuf,
    pub(crate) data_dir: PathBuf,
    pub(crate) access: AccessFiles,
    /// Whether anybody may call from anywhere.
    pub(crate) open: bool,
    config: HostConfig,
}

/// What the command line says over the file.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct HostArguments {
    /// The folder of the models [default: what understudy.toml says, or models].
    #[arg(long, value_name = "DIR")]
    pub models: Option<PathBuf>,
    /// The folder of streams and caches [default: what understudy.toml says, or data].
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// The configuration file [default: understudy.toml, if there is one].
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Where requests are taken; port 0 lets the system choose [default: 127.0.0.1:8000].
    #[arg(long, value_name = "ADDRESS")]
    pub listen: Option<SocketAddr>,
    /// Where requests are taken over gRPC; port 0 lets the system choose [default: 127.0.0.1:8001].
    #[arg(long, value_name = "ADDRESS")]
    pub grpc_listen: Option<SocketAddr>,
    /// Where metrics and status are; port 0 lets the system choose [default: 127.0.0.1:8002].
    #[arg(long, value_name = "ADDRESS")]
    pub admin_listen: Option<SocketAddr>,
    /// Let anybody call from anywhere, where there are no tokens; without it the host listens on
    /// loopback only.
    #[arg(long)]
    pub open: bool,
}

impl HostOptions {
    /// Puts the file and the command line together.
    ///
    /// # Errors
    ///
    /// The first problem of the file.
    pub fn new(arguments: HostArguments) -> Result<Self> {
        let file = arguments.config.clone().or_else(|| {
            let beside = Path::new(FILE);
            beside.exists().then(|| beside.to_owned())
        });
        let config = match &file {
            Some(file) => HostConfig::load(file).map_err(|problem| anyhow!("{problem}"))?,
            None => HostConfig::default(),
        };
        let access = AccessFiles {
            config: file,
            tokens: config.tokens.clone(),
            tls: config.tls.clone(),
            admin_tls: config.admin_tls.clone(),
        };
        Ok(Self {
            listen: arguments.listen.unwrap_or(config.listen),
            grpc_listen: arguments.grpc_listen.unwrap_or(config.grpc_listen),
            admin_listen: arguments.admin_listen.unwrap_or(config.admin_listen),
            models_dir: arguments.models.unwrap_or_else(|| config.models.clone()),
            data_dir: arguments.data.unwrap_or_else(|| config.data.clone()),
            access,
            open: arguments.open || config.open,
            config,
        })
    }

    /// The same, with records kept in files of its own whatever the configuration says.
    pub(crate) fn embedded(mut self) -> Self {
        self.config.stream = HostStream::default();
        self
    }

    /// Opens the stream where records are kept.
    ///
    /// # Errors
    ///
    /// As [`Storage::start`].
    pub(crate) fn open_storage(&self) -> Result<Storage> {
        let file = self.access.config.as_deref();
        Storage::start(Use::Serve, &self.config.stream, file, &self.data_dir)
    }

    /// What notices that the file says something else of the stream than it did at the start.
    pub(crate) fn stream_source(&self) -> Option<Source> {
        let file = self.access.config.clone()?;
        let started = self.config.stream.clone();
        let mut source = Source::new(vec![file.clone()], move |contents| {
            let text = text_of(&file, contents.first())?;
            // Whether the rest of it is right others say.
            match HostConfig::parse(&file, text) {
                Ok(config) if config.stream != started => Err(changed_stream(&file, text)),
                _ => Ok(()),
            }
        });
        // The version of the start is no news.
        source.look();
        Some(source)
    }

    /// The settings of the engine: compilation happens in a child process of this very binary.
    pub(crate) fn runtime_config(&self) -> Result<RuntimeConfig> {
        let compile = &self.config.compile;
        Ok(RuntimeConfig {
            cache_dir: Some(self.data_dir.join("compiled")),
            cache_limit_bytes: CACHE_BYTES,
            compile: compile_in_child()?,
            compile_limits: CompileLimits {
                memory_bytes: compile.memory_bytes,
                cpu: compile.cpu,
                wall: compile.wall,
                parallel: compile.parallel,
            },
            artefact_limit_bytes: usize::try_from(self.config.watch.model_limit_bytes)?,
            sessions_limit: SESSIONS,
            allow_wasi: self.config.wasi,
            tick: Duration::from_millis(2),
        })
    }

    /// The threads that run models.
    pub(crate) fn lane_config(&self) -> LaneConfig {
        let lanes = &self.config.lanes;
        let processors = std::thread::available_parallelism().map_or(2, usize::from);
        let live_threads = lanes.live_threads.unwrap_or(processors);
        LaneConfig {
            live_threads,
            live_threads_limit: lanes.live_threads_limit.unwrap_or(live_threads * 4),
            shadow_threads: lanes.shadow_threads.unwrap_or(processors),
        }
    }

    /// What callers may ask for.
    pub(crate) fn front_limits(&self) -> FrontLimits {
        let front = &self.config.front;
        let bytes = |bytes: u64| usize::try_from(bytes).unwrap_or(usize::MAX);
        FrontLimits {
            connections_max: front.connections,
            calls_open_max: front.open_calls,
            body_bytes_max: bytes(front.body_bytes),
            head_bytes_max: bytes(front.head_bytes),
            head_read_time: front.head_timeout,
            body_read_time: front.body_timeout,
            idle_time: front.idle_timeout,
            drain_time: front.drain_timeout,
            ..FrontLimits::default()
        }
    }

    /// The limits of the host that belong to no single endpoint.
    pub(crate) fn limits(&self) -> HostLimits {
        HostLimits {
            waiting_asks: self.config.front.open_calls.saturating_mul(2),
            residence: self.residence_limits(),
        }
    }

    /// How many files may be open beside connections, topics and models that are always there.
    fn files_left(&self) -> usize {
        let limit = usize::try_from(sandbox::raise_open_files()).unwrap_or(usize::MAX);
        limit.saturating_sub(self.config.front.connections + OTHER_FILES).max(OTHER_FILES)
    }

    /// What models may take that are loaded when they are wanted.
    fn residence_limits(&self) -> ResidenceLimits {
        let routed = &self.config.routed;
        ResidenceLimits {
            bytes: routed.memory_bytes,
            // The other half is for the models that are always there. Each model has one at least, and a
            // file of its own.
            sessions: (SESSIONS as usize / 2).min(self.files_left()),
            stay: STAY,
            idle: routed.idle,
            loads: RECALL_THREADS * 2,
            waiting: routed.waiting,
        }
    }

    /// How often the files that say who may use the host are looked at, and how long a new version
    /// must keep still.
    pub(crate) const fn access_pace(&self) -> (Duration, Duration) {
        (self.config.watch.period, self.config.watch.settle)
    }

    /// How the folder is watched.
    pub(crate) fn watch_options(&self) -> WatchOptions {
        self.config.watch_options()
    }

    /// Where records are kept, for people.
    pub(crate) fn shown_storage(&self) -> String {
        let kafka = &self.config.stream.kafka;
        match self.config.stream.backend {
            Backend::Embedded => self.data_dir.join("stream").display().to_string(),
            Backend::Kafka => format!(
                "Kafka at {}, {:?} before the names of topics and groups",
                kafka.brokers.join(", "),
                kafka.prefix
            ),
        }
    }

    /// What may be used, one line each, for the operator to read at start.
    pub(crate) fn report(&self) -> Vec<String> {
        let lanes = self.lane_config();
        let front = self.front_limits();
        let endpoint = &self.config.endpoint.limits;
        let model = &self.config.model.limits;
        let residence = self.residence_limits();
        let mut lines = self.storage_report();
        lines.extend([
            format!(
                "calls: {} open, {} connections, bodies of {} MiB at most and {} MiB together",
                front.calls_open_max,
                front.connections_max,
                front.body_bytes_max >> 20,
                front.bodies_bytes_max >> 20
            ),
            format!(
                "endpoints: {} open mailboxes each, which take {} MiB beside their requests; {} requests queued for each model, {} in a batch",
                endpoint.open_mailboxes,
                (endpoint.open_mailboxes * MAILBOX_BYTES) >> 20,
                endpoint.queue,
                endpoint.batch
            ),
            format!(
                "models: {} MiB, {:?} of CPU time for a request and {} sessions each, unless a manifest says otherwise",
                model.memory_bytes >> 20,
                model.cpu,
                model.sessions
            ),
            format!(
                "routed models: {} MiB of memory and {} sessions together, {} waiting to be loaded; {}",
                residence.bytes >> 20,
                residence.sessions,
                residence.waiting,
                residence.idle.map_or_else(
                    || "they stay until others need the room".to_owned(),
                    |idle| format!("they leave after {idle:?} without use")
                )
            ),
            format!(
                "threads: {} to {} for the live lane, {} for shadows",
                lanes.live_threads, lanes.live_threads_limit, lanes.shadow_threads
            ),
        ]);
        lines
    }

    fn storage_report(&self) -> Vec<String> {
        let delivery = &self.config.stream.kafka.delivery;
        match self.config.stream.backend {
            Backend::Embedded => Vec::new(),
            Backend::Kafka => vec![format!(
                "stream: {} MiB and {} records that the brokers have not taken yet",
                delivery.unsent_limit_bytes >> 20,
                delivery.unsent_records
            )],
        }
    }
}

fn changed_stream(file: &Path, text: &str) -> Problem {
    let mut problem = Problem::new(file, "another [stream] than at the start");
    problem.note = Some("it takes hold when the host is started again".into());
    problem.severity = Severity::Warning;
    let heading = |line: &str| line.trim_start().starts_with("[stream");
    let line = text.lines().position(heading).and_then(|line| u32::try_from(line + 1).ok());
    Problem { line, ..problem }
}

/// Compilation in a child process of this binary.
pub(crate) fn compile_in_child() -> Result<CompileIn> {
    let program = std::env::current_exe()?;
    Ok(CompileIn::Child { program, args: vec![crate::commands::COMPILE_CHILD.into()] })
}
