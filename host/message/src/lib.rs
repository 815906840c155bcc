//! The words of the design as types, and their bytes.
//!
//! Everything here is plain data. There is no clock in this crate: a [`Time`] is always handed in.

pub mod answer;
pub mod name;
pub mod oip;
pub mod record;
pub mod request;
pub mod role;
pub mod score;
pub mod tensor;
pub mod time;

pub use answer::{Answer, Chosen, Combine, Reason, Selection};
pub use name::{EndpointName, ModelName, RequestId, Revision};
pub use request::{Parameter, Parameters, Request};
pub use role::Role;
pub use score::{Fault, FaultClass, Outcome, Prediction, Refusal, Score};
pub use tensor::{Contents, Datatype, Tensor};
pub use time::Time;
