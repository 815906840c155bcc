//! The host: joins the crates into tasks and commands.
//!
//! Whatever deserves a unit test of its own lives in one of those crates. This is a library so that
//! benches can run a [`Host`] inside of their own process; the binary is one call of [`main`].

mod abort;
mod access;
mod address;
mod asks;
mod client;
mod clock;
mod commands;
mod demo;
mod drivers;
mod endpoint;
mod envelope;
mod external;
mod host;
mod ids;
mod inbox;
mod inputs;
mod journal;
mod live;
mod meter;
mod operations;
mod options;
mod outbox;
mod routed;
mod sink;
mod stage;
mod standing;
mod status;
mod storage;
mod topics;

use std::io::Write as _;
use std::process::ExitCode;

pub use address::Addresses;
pub use host::Host;
pub use options::{HostArguments, HostOptions};

/// Without a lock that threads share. Requests are made on one thread and dropped on another, and
/// threads of low priority work beside those that answer: a lock that one of them holds while it
/// waits for the processor would hold up an answer.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Runs the command line of this process.
pub fn main() -> ExitCode {
    match commands::run() {
        Ok(code) => code,
        Err(error) if error.is::<commands::Unread>() => ExitCode::SUCCESS,
        Err(error) => {
            // One line, causes included, so that it can be read in a log. Where nobody reads it, it is no reason to panic.
            let why = format!("{error:#}");
            let _unseen = writeln!(std::io::stderr(), "understudy: {}", commands::plain(&why));
            ExitCode::FAILURE
        }
    }
}
