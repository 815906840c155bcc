//! The host is killed, stopped and started again: what it accepted is answered, each once.

mod kills;
mod ledger;
mod left_behind;
mod random;
mod stopping;
mod traffic;
