//! Scans of real folders in which everything happens that happens to folders, by a clock that is
//! moved by hand.
#![expect(clippy::unwrap_used, reason = "what prepares a test may fail it")]

mod configuration;
mod copying;
mod doubt;
mod folder;
mod names;
