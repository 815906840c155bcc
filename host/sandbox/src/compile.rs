//! Compiling: from a component to an artefact that the engine can map.

pub(crate) mod cache;
pub(crate) mod child;

use std::ffi::OsString;
use std::fmt;
use std::fs;
use std::io::{self, Read as _, Write as _};
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use parking_lot::{Condvar, Mutex};
use wasmtime::Engine;

use self::cache::Cache;
use crate::fault::line;

/// Where components are compiled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CompileIn {
    /// In a process of its own, which calls [`compile_child`](crate::compile_child) and ends.
    Child {
        /// The program to start.
        program: PathBuf,
        /// Its arguments.
        args: Vec<OsString>,
    },
    /// In this process, without limits. For tests and for components that one trusts.
    Process,
}

/// What one compilation may take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CompileLimits {
    /// The address space of the child.
    pub memory_bytes: u64,
    /// The CPU time of the child, in whole seconds.
    pub cpu: Duration,
    /// How long the child may last on the clock on the wall.
    pub wall: Duration,
    /// How many compilations may run at once.
    pub parallel: usize,
}

impl Default for CompileLimits {
    fn default() -> Self {
        Self {
            memory_bytes: 4 << 30,
            cpu: Duration::from_secs(120),
            wall: Duration::from_secs(300),
            parallel: 2,
        }
    }
}

/// A component could not be compiled.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct CompileError {
    /// Why, for metrics.
    pub why: CompileWhy,
    /// What happened, for people.
    pub message: String,
}

/// Why a component could not be compiled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CompileWhy {
    /// Because it needed more memory than a compilation may have.
    Memory,
    /// Because it needed more CPU time.
    Cpu,
    /// Because it lasted longer.
    Wall,
    /// Because the artefact was larger than one may be.
    Output,
    /// Because the component is invalid, or needs what the engine does not have.
    Invalid,
    /// Because the child or the folder for artefacts did not work; the component is not to blame.
    Host,
}

impl CompileWhy {
    /// The name in records and metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Memory => "memory",
            Self::Cpu => "cpu",
            Self::Wall => "wall",
            Self::Output => "output",
            Self::Invalid => "invalid",
            Self::Host => "host",
        }
    }
}

impl fmt::Display for CompileWhy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// Compiles, a bounded number of components at once.
#[derive(Debug)]
pub(crate) struct Compiler {
    place: CompileIn,
    limits: CompileLimits,
    running: Mutex<usize>,
    finished: Condvar,
}

impl Compiler {
    pub(crate) fn new(place: CompileIn, limits: CompileLimits) -> Self {
        Self { place, limits, running: Mutex::new(0), finished: Condvar::new() }
    }

    /// Compiles a component to a new file. Waits while others compile.
    pub(crate) fn compile(
        &self,
        wasm: &[u8],
        output: &Path,
        engine: &Engine,
    ) -> Result<(), CompileError> {
        let mut running = self.running.lock();
        while *running >= self.limits.parallel.max(1) {
            self.finished.wait(&mut running);
        }
        *running += 1;
        drop(running);
        let result = match &self.place {
            CompileIn::Child { program, args } => {
                self.compile_in_child(program, args, wasm, output)
            }
            CompileIn::Process => compile_here(wasm, output, engine),
        };
        *self.running.lock() -= 1;
        self.finished.notify_one();
        if result.is_err() {
            fs::remove_file(output).ok();
        }
        result
    }

    fn compile_in_child(
        &self,
        program: &Path,
        args: &[OsString],
        wasm: &[u8],
        output: &Path,
    ) -> Result<(), CompileError> {
        let output = Cache::create(output).map_err(host)?;
        let mut child = Command::new(program)
            .args(args)
            .envs(child::environment(&self.limits))
            .stdin(Stdio::piped())
            .stdout(output)
            .stderr(Stdio::piped())
            .spawn()
            .map_err(host)?;
        let complaint = self.attend(&mut child, wasm);
        if complaint.is_none() {
            // It has not ended by itself. That it may do so just now is no error.
            let _ = child.kill();
        }
        let status = child.wait().map_err(host)?;
        let Some(complaint) = complaint else {
            let message = format!("it was not done after {:?}", self.limits.wall);
            return Err(CompileError { why: CompileWhy::Wall, message });
        };
        self.verdict(status, &complaint)
    }

    /// Feeds the child and waits for its end. Returns what it complained of, or nothing when it has
    /// not ended in time.
    fn attend(&self, child: &mut Child, wasm: &[u8]) -> Option<String> {
        let mut stdin = child.stdin.take().expect("invariant: standard input is a pipe");
        let mut stderr = child.stderr.take().expect("invariant: standard error is a pipe");
        let (send, receive) = mpsc::channel();
        thread::scope(|scope| {
            scope.spawn(move || {
                // A child that ends early does not read on. Its status says why.
                let _ = stdin.write_all(wasm);
            });
            scope.spawn(move || {
                let mut complaint = Vec::new();
                // What cannot be read is as good as not written, and who waits may have given up.
                let _ = stderr.by_ref().take(COMPLAINT_BYTES).read_to_end(&mut complaint);
                let _ = io::copy(&mut stderr, &mut io::sink());
                let _ = send.send(String::from_utf8_lossy(&complaint).into_owned());
            });
            match receive.recv_timeout(self.limits.wall) {
                Ok(complaint) => Some(complaint),
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
                    // The threads above end when the pipes do.
                    let _ = child.kill();
                    None
                }
            }
        })
    }

    fn verdict(&self, status: ExitStatus, complaint: &str) -> Result<(), CompileError> {
        let CompileLimits { memory_bytes, cpu, .. } = self.limits;
        let signal = status.signal().unwrap_or_default();
        let no_memory =
            complaint.contains("memory allocation") || complaint.contains("os error 12");
        let (why, message) = if status.success() {
            return Ok(());
        } else if status.code() == Some(i32::from(child::INVALID)) {
            (CompileWhy::Invalid, line(complaint))
        } else if signal == XCPU {
            (CompileWhy::Cpu, format!("it took more than {cpu:?} of CPU time"))
        } else if signal == XFSZ || complaint.contains("os error 27") {
            (
                CompileWhy::Output,
                format!("its artefact has more than {} bytes", child::OUTPUT_BYTES),
            )
        } else if no_memory {
            (CompileWhy::Memory, format!("it took more than {memory_bytes} bytes of memory"))
        } else {
            (CompileWhy::Host, line(&format!("the compile child ended with {status}: {complaint}")))
        };
        Err(CompileError { why, message })
    }
}

const COMPLAINT_BYTES: u64 = 16 << 10;
const XCPU: i32 = rustix::process::Signal::XCPU.as_raw();
const XFSZ: i32 = rustix::process::Signal::XFSZ.as_raw();

fn compile_here(wasm: &[u8], output: &Path, engine: &Engine) -> Result<(), CompileError> {
    let artefact = engine.precompile_component(wasm).map_err(|error| CompileError {
        why: CompileWhy::Invalid,
        message: line(&error.root_cause().to_string()),
    })?;
    let written = Cache::create(output).and_then(|mut file| file.write_all(&artefact));
    written.map_err(host)
}

/// An error of the host, not of the component.
pub(crate) fn host(error: impl fmt::Display) -> CompileError {
    CompileError { why: CompileWhy::Host, message: line(&error.to_string()) }
}
