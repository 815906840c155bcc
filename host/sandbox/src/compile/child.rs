//! The compile child: a process that reads a component, compiles it within its own limits, writes
//! the artefact, and ends.
//!
//! Compiling is the one place where a small file can take minutes and gigabytes. A process can be
//! given limits by the system and be killed without a trace; a thread cannot.

use std::fmt::Display;
use std::io::{Read, Write};
use std::process::ExitCode;

use rustix::process::{Resource, Rlimit, Signal};

use super::CompileLimits;
use crate::runtime::engine;

/// The exit status of a child that found the component invalid.
pub(super) const INVALID: u8 = 3;
/// The exit status of a child that could not work.
const BROKEN: u8 = 4;

/// The priority of compiling: below everything that answers.
const NICE: i32 = 10;

/// How large a compiled artefact may be.
pub(super) const OUTPUT_BYTES: u64 = 1 << 30;

const MEMORY_BYTES: &str = "UNDERSTUDY_COMPILE_MEMORY_BYTES";
const CPU_SECONDS: &str = "UNDERSTUDY_COMPILE_CPU_SECONDS";
/// What the allocator of the program reserves at its start. All of it would count as used.
const RESERVED_AHEAD: &str = "MIMALLOC_ARENA_RESERVE";

/// The limits, as the environment of the child carries them.
pub(super) fn environment(limits: &CompileLimits) -> [(&'static str, String); 3] {
    let cpu_seconds = limits.cpu.as_secs().max(1);
    [
        (MEMORY_BYTES, limits.memory_bytes.to_string()),
        (CPU_SECONDS, cpu_seconds.to_string()),
        (RESERVED_AHEAD, "0".to_owned()),
    ]
}

/// Runs the compile child: the component comes from standard input, the artefact goes to standard
/// output, and what is wrong goes to standard error.
///
/// Only a host starts one, with the limits in its environment. They are set on the whole process,
/// so the caller does nothing after this but end.
pub fn compile_child() -> ExitCode {
    let limit = |name| std::env::var(name).ok().and_then(|value| value.parse::<u64>().ok());
    let (Some(memory_bytes), Some(cpu_seconds)) = (limit(MEMORY_BYTES), limit(CPU_SECONDS)) else {
        return complain(BROKEN, "only a host starts this command, with limits in the environment");
    };
    match confine(memory_bytes, cpu_seconds) {
        Ok(()) => compile(std::io::stdin().lock(), std::io::stdout().lock()),
        Err(error) => complain(BROKEN, error),
    }
}

fn confine(memory_bytes: u64, cpu_seconds: u64) -> rustix::io::Result<()> {
    // The host kills the child by its handle; this is for a host that was killed itself.
    #[cfg(target_os = "linux")]
    rustix::process::set_parent_process_death_signal(Some(Signal::KILL))?;
    limit(Resource::As, memory_bytes)?;
    limit(Resource::Cpu, cpu_seconds)?;
    limit(Resource::Fsize, OUTPUT_BYTES)?;
    limit(Resource::Core, 0)?;
    rustix::process::nice(NICE).map(drop)
}

fn limit(resource: Resource, value: u64) -> rustix::io::Result<()> {
    // The hard limit lies above the soft one, so that the signal names the resource.
    let found = rustix::process::getrlimit(resource);
    let maximum = found.maximum.map_or(value.saturating_add(1), |most| most.min(value + 1));
    let limit = Rlimit { current: Some(value.min(maximum)), maximum: Some(maximum) };
    rustix::process::setrlimit(resource, limit)
}

fn compile(mut input: impl Read, mut output: impl Write) -> ExitCode {
    let mut wasm = Vec::new();
    if let Err(error) = input.read_to_end(&mut wasm) {
        return complain(BROKEN, error);
    }
    let engine = match engine::compiling() {
        Ok(engine) => engine,
        Err(error) => return complain(BROKEN, error),
    };
    let artefact = match engine.precompile_component(&wasm) {
        Ok(artefact) => artefact,
        Err(error) => return complain(INVALID, error.root_cause()),
    };
    match output.write_all(&artefact).and_then(|()| output.flush()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => complain(BROKEN, error),
    }
}

fn complain(status: u8, what: impl Display) -> ExitCode {
    // There is nobody left to tell where standard error is gone.
    let _ = writeln!(std::io::stderr(), "{what}");
    ExitCode::from(status)
}
