//! Builds a model in every language, and asks all of them the same.
//!
//! The requests are those of `sdk/conformance/requests.jsonl`; the answers come from a reference of our own, which shares
//! nothing with the libraries. So all languages agree, and on what is right.

mod elements;
mod models;
mod random;
pub mod reference;
mod same;
mod table;

pub use models::{
    Loud, build, cache, component, conformance, proof, proof_with, repository, toolchain,
};
pub use same::{Wire, difference};
pub use table::{Row, rows};
