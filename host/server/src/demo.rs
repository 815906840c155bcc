//! The demo: a year of real flights played through the host, and what came of it.
//!
//! It uses the host as everybody else does: it appends requests, and follows the topics. What it
//! knows beyond that is the truth, which it compares with every score.

pub(crate) mod flights;
pub(crate) mod player;
pub(crate) mod scorekeeper;
pub(crate) mod screen;
