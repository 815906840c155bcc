//! The terminal view of a host that runs: who answers, how fast, and what is wrong.
//!
//! Everything but [`run`] is pure: an [`Event`] changes the [`State`], which may ask for a
//! [`Command`] in return, and a view paints the state. What the host says reaches it through
//! [`Source`], which the binary implements; so this crate knows neither sockets nor the host.

mod history;
mod key;
mod run;
mod snapshot;
mod source;
mod state;
mod theme;
mod units;
mod update;
mod view;

pub use run::{RunError, run};
pub use source::{Change, How, Source, Verb};
pub use state::{Command, Event, Settings, State};
pub use theme::Theme;
pub use update::update;
pub use view::view;
