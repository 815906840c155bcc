//! The host is killed, stopped and started again: what it accepted is answered, each once.

#![expect(clippy::unwrap_used, reason = "what prepares a test may fail it")]

mod kills;
mod ledger;
mod left_behind;
mod random;
mod stopping;
mod traffic;
