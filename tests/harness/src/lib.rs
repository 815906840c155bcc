//! Starts the real binary and talks to it, as an operator and a caller would.
//!
//! Nothing here waits for a time that may or may not be enough: it waits for a condition, and gives up, with all that the
//! host said, only after a time in which anything must have happened. See [`wait`].

mod client;
mod host;
mod kafka;
mod load;
mod models;
pub mod python;
mod terminal;
mod topic;
pub mod wait;

pub use guests::{
    ALL as GUESTS, Contract, Expected, broken, huge_function, many_functions, with_contract,
};

pub use client::{Client, Response, infer_body};
pub use host::{Ended, Host, Options, Stopped, binary, understudy};
pub use kafka::Deployment;
pub use load::{Call, Load, LoadOptions, LoadReport};
pub use models::Models;
pub use terminal::Terminal;
pub use topic::{Record, read_topic, read_topic_from};
pub use wait::until;

/// The component of a guest of `tests/guests`, such as `identity` or `times-7`.
///
/// # Panics
///
/// Where there is no such guest.
pub fn guest(name: &str) -> Vec<u8> {
    guests::build(name)
}

/// The same component with so many bytes more, in a section that means nothing.
pub fn padded(mut wasm: Vec<u8>, bytes: usize) -> Vec<u8> {
    const NAME: &[u8] = b"\x07padding";
    wasm.push(0);
    let mut length = bytes + NAME.len();
    loop {
        let low = (length & 0x7f) as u8;
        length >>= 7;
        wasm.push(if length == 0 { low } else { low | 0x80 });
        if length == 0 {
            break;
        }
    }
    wasm.extend_from_slice(NAME);
    wasm.resize(wasm.len() + bytes, 0x55);
    wasm
}
