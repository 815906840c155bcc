//! The locked WASI: what a component gets that was built for an ordinary system.
//!
//! No file, no socket, no environment. Time is the request's, randomness is seeded by its id, and a
//! sleep is over at once, because nothing a guest does may depend on the machine or block a thread.
//! The interfaces for files and sockets are there, so that such components load, but there is no
//! folder to open and no socket can be made.

mod clocks;
pub(crate) mod log;

use std::sync::Arc;

use message::Request;
use wasmtime::component::{HasData, Linker, Resource, ResourceTable};
use wasmtime_wasi::p2::DynOutputStream;
use wasmtime_wasi::p2::bindings::{cli, clocks as clock, random};
use wasmtime_wasi::{I32Exit, WasiCtx, WasiCtxView, WasiView};

use self::clocks::Machine;
use self::log::{Log, LogStream};
use crate::guest::Guest;

/// The packages of WASI that a component may import, at any 0.2 version.
const PACKAGES: [&str; 6] = ["cli", "clocks", "filesystem", "io", "random", "sockets"];

/// Returns whether the locked WASI has the interface of this name.
pub(crate) fn has(import: &str) -> bool {
    let Some((package, interface)) = import.strip_prefix("wasi:").and_then(|it| it.split_once('/'))
    else {
        return false;
    };
    let version = interface.split_once('@').map_or("", |(_, version)| version);
    PACKAGES.contains(&package) && version.starts_with("0.2.")
}

/// What the locked WASI keeps for one session.
pub(crate) struct Locked {
    context: WasiCtx,
    table: ResourceTable,
    machine: Machine,
    log: LogStream,
}

/// Handles that a guest may hold at once.
const HANDLES: usize = 1024;

impl Locked {
    pub(crate) fn new(log: &Arc<Log>) -> Self {
        let mut table = ResourceTable::new();
        table.set_max_capacity(HANDLES);
        let context = WasiCtx::builder()
            .allow_tcp(false)
            .allow_udp(false)
            .allow_ip_name_lookup(false)
            .build();
        let (machine, log) = (Machine::default(), LogStream::new(log.clone()));
        Self { context, table, machine, log }
    }

    /// Sets time and randomness to what this request gives.
    pub(crate) fn begin(&mut self, request: &Request) {
        self.machine = Machine::new(request);
    }
}

impl WasiView for Guest {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        let Locked { context, table, .. } = self.locked();
        WasiCtxView { ctx: context, table }
    }
}

impl Guest {
    fn locked(&mut self) -> &mut Locked {
        self.locked.as_mut().expect("invariant: who links WASI makes guests with a locked one")
    }
}

struct HasMachine;

impl HasData for HasMachine {
    type Data<'a> = MachineView<'a>;
}

/// What the sandbox gives instead of the engine's: clocks, random numbers, and where to print.
pub(crate) struct MachineView<'a> {
    machine: &'a mut Machine,
    table: &'a mut ResourceTable,
    log: &'a LogStream,
}

impl cli::stdout::Host for MachineView<'_> {
    fn get_stdout(&mut self) -> wasmtime::Result<Resource<DynOutputStream>> {
        let stream: DynOutputStream = Box::new(self.log.clone());
        Ok(self.table.push(stream)?)
    }
}

impl cli::stderr::Host for MachineView<'_> {
    fn get_stderr(&mut self) -> wasmtime::Result<Resource<DynOutputStream>> {
        cli::stdout::Host::get_stdout(self)
    }
}

/// The status with which a guest exited, if that is what the error says.
pub(crate) fn exit_status(error: &wasmtime::Error) -> Option<i32> {
    error.downcast_ref::<I32Exit>().map(|exit| exit.0)
}

/// Links the locked WASI: the engine's own, with clocks, randomness and output replaced.
pub(crate) fn link(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    fn machine(guest: &mut Guest) -> MachineView<'_> {
        let Locked { machine, table, log, .. } = guest.locked();
        MachineView { machine, table, log }
    }
    wasmtime_wasi::p2::add_to_linker_sync(linker)?;
    linker.allow_shadowing(true);
    clock::wall_clock::add_to_linker::<Guest, HasMachine>(linker, machine)?;
    clock::monotonic_clock::add_to_linker::<Guest, HasMachine>(linker, machine)?;
    random::random::add_to_linker::<Guest, HasMachine>(linker, machine)?;
    random::insecure::add_to_linker::<Guest, HasMachine>(linker, machine)?;
    random::insecure_seed::add_to_linker::<Guest, HasMachine>(linker, machine)?;
    cli::stdout::add_to_linker::<Guest, HasMachine>(linker, machine)?;
    cli::stderr::add_to_linker::<Guest, HasMachine>(linker, machine)?;
    linker.allow_shadowing(false);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_has_the_interfaces_of_0_2_without_http() {
        for name in ["wasi:cli/stdout@0.2.0", "wasi:io/poll@0.2.6", "wasi:sockets/tcp@0.2.3"] {
            assert!(has(name), "{name}");
        }
        for name in ["wasi:http/types@0.2.0", "wasi:cli/stdout@0.3.0", "wasi:cli/stdout", "a"] {
            assert!(!has(name), "{name}");
        }
    }
}
