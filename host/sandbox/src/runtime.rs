//! The runtime: one engine, its clock, its compiler and its cache, shared by all models.

pub(crate) mod engine;
pub(crate) mod ticker;

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use message::Revision;
use wasmtime::component::{Component, Linker};

use self::engine::Allocation;
use self::ticker::Ticker;
use crate::compile::cache::{Cache, PutError};
use crate::compile::{self, CompileIn, CompileLimits, Compiler};
use crate::contract::BindingsPre;
use crate::fault::line;
use crate::inspect::{Inspection, inspect};
use crate::limits::ModelLimits;
use crate::load::LoadError;
use crate::model::{How, Known, Linked, Model};
use crate::wasi;

/// The settings of a [`Runtime`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuntimeConfig {
    /// Where compiled artefacts are kept. Without it they last as long as the runtime.
    pub cache_dir: Option<PathBuf>,
    /// How large that folder may grow.
    pub cache_limit_bytes: u64,
    /// Where components are compiled.
    pub compile: CompileIn,
    /// What one compilation may take.
    pub compile_limits: CompileLimits,
    /// How large a component may be.
    pub artefact_limit_bytes: usize,
    /// How many sessions may be live at once, of all models together.
    pub sessions_limit: u32,
    /// Whether components may import the locked WASI.
    pub allow_wasi: bool,
    /// How often the clocks of running calls are looked at.
    pub tick: Duration,
}

impl Default for RuntimeConfig {
    fn default() -> Self {
        Self {
            cache_dir: None,
            cache_limit_bytes: 4 << 30,
            compile: CompileIn::Process,
            compile_limits: CompileLimits::default(),
            artefact_limit_bytes: 256 << 20,
            sessions_limit: 4096,
            allow_wasi: true,
            tick: Duration::from_millis(2),
        }
    }
}

/// Why there can be no runtime.
#[derive(Debug, thiserror::Error)]
pub enum RuntimeError {
    /// Because the engine does not run on this machine.
    #[error("the WebAssembly engine does not start: {0}")]
    Engine(String),
    /// Because the folder for compiled artefacts cannot be used.
    #[error("cannot use the folder for compiled artefacts: {0}")]
    Cache(#[source] io::Error),
    /// Because there can be no thread for the clock.
    #[error("cannot start the clock of the engine: {0}")]
    Clock(#[source] io::Error),
}

/// The engine and the line of its releases, which the workspace's manifest pins.
const ENGINE: &str = "wasmtime 48";

/// Loads models. `Clone` costs one atomic increment; the last clone and the last model end it.
#[derive(Clone)]
pub struct Runtime(Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) engine: wasmtime::Engine,
    pub(crate) ticker: Ticker,
    pub(crate) config: RuntimeConfig,
    sessions: AtomicUsize,
    allocation: Allocation,
    compiler: Compiler,
    cache: Cache,
}

impl Runtime {
    /// Starts the engine and its clock.
    ///
    /// # Errors
    ///
    /// If the machine, the folder or the settings do not allow it.
    pub fn new(config: RuntimeConfig) -> Result<Self, RuntimeError> {
        let (engine, allocation) = engine::running(config.sessions_limit)
            .map_err(|error| RuntimeError::Engine(line(&error.root_cause().to_string())))?;
        let cache = Cache::open(config.cache_dir.clone(), config.cache_limit_bytes, &engine)
            .map_err(RuntimeError::Cache)?;
        let ticker = Ticker::start(&engine, config.tick).map_err(RuntimeError::Clock)?;
        let compiler = Compiler::new(config.compile.clone(), config.compile_limits.clone());
        let sessions = AtomicUsize::new(0);
        Ok(Self(Arc::new(Inner { engine, ticker, config, sessions, allocation, compiler, cache })))
    }

    /// Loads a model: inspects it, compiles it or finds it compiled, starts a first session and
    /// asks it what it is. Blocks, for seconds where a large component is compiled.
    ///
    /// # Errors
    ///
    /// If the artefact is no model, or none that this host may run. Nothing that runs is disturbed.
    pub fn load(&self, wasm: &[u8], limits: &ModelLimits) -> Result<Model, LoadError> {
        let inspection = self.inspect(wasm)?;
        inspection.check(self.0.config.allow_wasi)?;
        let (component, how) = self.component(wasm, &inspection)?;
        let linked = self.link(&component, &inspection, how)?;
        Model::start(self.0.clone(), linked, inspection, limits.clone())
    }

    /// Loads a model again of which everything is known, from its compiled code: the artefact is not
    /// read, and nothing of it runs. Takes a millisecond. Nothing if the code is not there any more.
    ///
    /// # Errors
    ///
    /// If this host may not run the artefact, or cannot link it.
    pub fn recall(&self, known: &Known, limits: &ModelLimits) -> Result<Option<Model>, LoadError> {
        let inspection = &known.inspection;
        inspection.check(self.0.config.allow_wasi)?;
        let begun = Instant::now();
        let Some(component) = self.0.cache.get(&inspection.revision, &self.0.engine) else {
            return Ok(None);
        };
        let how = How::Cached { time: begun.elapsed() };
        let linked = self.link(&component, inspection, how)?;
        Ok(Some(Model::resume(self.0.clone(), linked, known.clone(), limits.clone())))
    }

    /// Whether the compiled code of an artefact is at hand, so that loading it does not take long.
    pub fn has_compiled(&self, revision: &Revision) -> bool {
        self.0.cache.has(revision)
    }

    /// Reads what an artefact says about itself, without compiling or running it.
    ///
    /// # Errors
    ///
    /// If it is no component. Whether it is a model, and one that may run here, is for the caller
    /// to read from the answer.
    pub fn inspect(&self, wasm: &[u8]) -> Result<Inspection, LoadError> {
        inspect(wasm, self.0.config.artefact_limit_bytes)
    }

    /// Says what bounds the runtime, for the host to print at start.
    pub fn limits_report(&self) -> LimitsReport {
        LimitsReport {
            engine: ENGINE,
            allocation: self.0.allocation,
            sessions_limit: self.0.config.sessions_limit,
            session_memory_limit_bytes: engine::MEMORY_BYTES_LIMIT,
            artefact_limit_bytes: self.0.config.artefact_limit_bytes,
            compile: self.0.config.compile_limits.clone(),
            compile_in_child: matches!(self.0.config.compile, CompileIn::Child { .. }),
            allow_wasi: self.0.config.allow_wasi,
            tick: self.0.config.tick,
        }
    }

    /// How many sessions are live, of all models together.
    pub fn sessions(&self) -> usize {
        self.0.sessions.load(Ordering::Relaxed)
    }

    fn component(
        &self,
        wasm: &[u8],
        inspection: &Inspection,
    ) -> Result<(Component, How), LoadError> {
        let Inner { engine, cache, compiler, .. } = &*self.0;
        let begun = Instant::now();
        if let Some(component) = cache.get(&inspection.revision, engine) {
            return Ok((component, How::Cached { time: begun.elapsed() }));
        }
        let fresh = cache.fresh_path();
        compiler.compile(wasm, &fresh, engine)?;
        let component =
            cache.put(&inspection.revision, &fresh, engine).map_err(|error| match error {
                PutError::Io(error) => LoadError::Compile(compile::host(error)),
                PutError::Unusable(error) => {
                    LoadError::Invalid(line(&error.root_cause().to_string()))
                }
            })?;
        Ok((component, How::Compiled { time: begun.elapsed() }))
    }

    fn link(
        &self,
        component: &Component,
        inspection: &Inspection,
        how: How,
    ) -> Result<Linked, LoadError> {
        let invalid =
            |error: wasmtime::Error| LoadError::Invalid(line(&error.root_cause().to_string()));
        let mut linker = Linker::new(&self.0.engine);
        if inspection.wants_wasi {
            wasi::link(&mut linker).map_err(invalid)?;
        }
        let pre = linker.instantiate_pre(component).map_err(invalid)?;
        let image = component.image_range();
        let image_bytes = image.end.addr() - image.start.addr();
        Ok(Linked { pre: BindingsPre::new(pre).map_err(invalid)?, image_bytes, how })
    }
}

impl fmt::Debug for Runtime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Runtime").field("config", &self.0.config).finish_non_exhaustive()
    }
}

/// Lets this process have as many files open as the system allows it, and says how many that is: every
/// loaded model keeps its compiled code open.
pub fn raise_open_files() -> u64 {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let found = getrlimit(Resource::Nofile);
    let wanted = Rlimit { current: found.maximum, maximum: found.maximum };
    if let Err(error) = setrlimit(Resource::Nofile, wanted) {
        tracing::warn!(%error, "cannot have more files open");
    }
    getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX)
}

/// A place for one session among all that may be live. Given back when dropped.
pub(crate) struct Seat(Arc<Inner>);

impl Inner {
    /// Takes a place for a session, if one is free.
    pub(crate) fn seat(self: &Arc<Self>) -> Option<Seat> {
        let limit = self.config.sessions_limit as usize;
        let free = |taken| (taken < limit).then_some(taken + 1);
        self.sessions.fetch_update(Ordering::Relaxed, Ordering::Relaxed, free).ok()?;
        Some(Seat(self.clone()))
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.0.sessions.fetch_sub(1, Ordering::Relaxed);
    }
}

/// What bounds a runtime. `Display` gives a line for each bound.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LimitsReport {
    /// The engine and the line of its releases.
    pub engine: &'static str,
    /// How sessions get their memory.
    pub allocation: Allocation,
    /// How many sessions may be live at once.
    pub sessions_limit: u32,
    /// The most memory that one session can ever have, whatever its model is granted.
    pub session_memory_limit_bytes: usize,
    /// How large a component may be.
    pub artefact_limit_bytes: usize,
    /// What one compilation may take.
    pub compile: CompileLimits,
    /// Whether that is enforced by a process of its own.
    pub compile_in_child: bool,
    /// Whether components may import the locked WASI.
    pub allow_wasi: bool,
    /// How often the clocks of running calls are looked at.
    pub tick: Duration,
}

impl fmt::Display for LimitsReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let compile = &self.compile;
        let place = if self.compile_in_child { "in a child process" } else { "in this process" };
        let mib = |bytes: u64| bytes >> 20;
        writeln!(f, "engine: {}, memory {:?}", self.engine, self.allocation)?;
        writeln!(f, "sessions: at most {} at once", self.sessions_limit)?;
        writeln!(
            f,
            "session: at most {} MiB, less where its model is granted less",
            mib(self.session_memory_limit_bytes as u64)
        )?;
        writeln!(f, "component: at most {} MiB", mib(self.artefact_limit_bytes as u64))?;
        writeln!(
            f,
            "compilation: {} at once {place}, each {} MiB, {:?} of CPU time, {:?} on the wall",
            compile.parallel,
            mib(compile.memory_bytes),
            compile.cpu,
            compile.wall
        )?;
        write!(f, "WASI: {}, tick: {:?}", if self.allow_wasi { "locked" } else { "no" }, self.tick)
    }
}
