//! Trained models as plain steps, and how they are run.
//!
//! A reader (`sdk/pack`) turns the file of a library into a [`Pipeline`]; the runner (`sdk/runner`) is a component that holds the
//! bytes of one and runs it. Both use this crate, so what is tested outside of the sandbox is what runs inside of it. The bytes travel
//! together with the runner that reads them: there is no older form to understand.
//!
//! Nothing here approximates. A step does what its library does, in the same type and the same order of operations; what cannot
//! be done so has no step, and the reader refuses it by name.

mod block;
mod exponential;
pub mod net;
pub mod ops;
mod packed;
mod pipeline;
mod refused;

pub use block::{Block, ValueType, Values};
pub use ops::Op;
pub use pipeline::{Column, Inputs, Kind, Output, Pipeline, PipelineError, Rows, Run, Slot, Step};
pub use refused::Refused;
