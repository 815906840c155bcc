//! Load, bound, run and dispose of model components.
//!
//! A [`Runtime`] loads a [`Model`], a model opens [`Session`]s, and a session predicts. [`Lanes`]
//! run sessions on threads of their own. No other crate knows the engine. What a guest does wrong
//! is data here, a [`message::Fault`]; only what the host cannot do is an error.

mod compile;
mod conform;
mod contract;
mod description;
mod fault;
mod guest;
mod inspect;
pub mod lanes;
mod limits;
mod load;
mod model;
mod runtime;
mod session;
mod wasi;

pub use compile::child::compile_child;
pub use compile::{CompileError, CompileIn, CompileLimits, CompileWhy};
pub use description::{Description, DescriptionError, TensorType};
pub use inspect::{Inspection, Metadata, Producer};
pub use lanes::{Lane, Lanes, Worker};
pub use limits::{ModelLimits, Usage};
pub use load::LoadError;
pub use model::{How, Known, Model};
pub use runtime::engine::Allocation;
pub use runtime::{LimitsReport, Runtime, RuntimeConfig, RuntimeError, raise_open_files};
pub use session::{Call, Session};
