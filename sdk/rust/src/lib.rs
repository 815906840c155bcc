//! Write a model for Understudy in Rust.
//!
//! A model is a WebAssembly component that says what tensors it takes and gives, and answers requests. It imports
//! nothing: no file, no socket, no clock, no random number. The same request therefore always gets the same
//! prediction.
//!
//! Implement [`Model`], name it in [`export!`], and build the crate as a `cdylib` for `wasm32-unknown-unknown`:
//!
//! ```
//! use understudy_model::{Description, Model, Prediction, Refusal, Request};
//!
//! /// Says how likely a flight is to be late, from how far it goes and who flies it.
//! struct Late;
//!
//! impl Model for Late {
//!     fn describe() -> Description {
//!         Description::new()
//!             .input::<String>("carrier", [1])
//!             .input::<f32>("distance", [1])
//!             .output::<f64>("delayed", [1])
//!     }
//!
//!     fn predict(request: &Request) -> Result<Prediction, Refusal> {
//!         let distance = request.input("distance")?.scalar::<f32>()?;
//!         let of_carrier = match request.input("carrier")?.text()? {
//!             "HA" => -1.9,
//!             "EV" => -0.8,
//!             "UA" | "DL" => -1.4,
//!             other => return Err(Refusal::abstain(format!("carrier `{other}` was not in the training data"))),
//!         };
//!         let logit = of_carrier + 1.0e-4 * f64::from(distance);
//!         Ok(Prediction::new().output("delayed", [1], [1.0 / (1.0 + (-logit).exp())]))
//!     }
//! }
//!
//! understudy_model::export!(Late);
//!
//! // Outside of WebAssembly a model is plain Rust, and so are its tests.
//! let request = Request::new("1").with_text("carrier", "UA").with_input("distance", [1], [2475.0_f32]);
//! let prediction = Late::predict(&request).expect("UA is a known carrier");
//! let delayed = prediction.tensor("delayed").expect("the model promised it").scalar::<f64>();
//! assert!((0.23..0.25).contains(&delayed.unwrap()));
//! ```
//!
//! A model that gains from seeing many requests at once implements [`BatchModel`] instead; the same macro exports it.
//!
//! # Datatypes
//!
//! | on the wire | in a [`Description`] and when reading |
//! |---|---|
//! | `BOOL` | `bool` |
//! | `UINT8` … `UINT64` | `u8`, `u16`, `u32`, `u64` |
//! | `INT8` … `INT64` | `i8`, `i16`, `i32`, `i64` |
//! | `FP16`, `BF16` | [`struct@f16`], [`struct@bf16`], which have `to_f32` |
//! | `FP32`, `FP64` | `f32`, `f64` |
//! | `BYTES` | `String` where it is UTF-8, `Vec<u8>` where it need not be |
//!
//! # From a crate to a component
//!
//! `understudy new rust NAME` writes a project to start from, and `understudy build` makes its component.

pub mod bindings;
mod description;
mod prediction;
mod refusal;
mod request;
mod tensor;

use std::marker::PhantomData;

pub use bindings::exports::understudy::model::predictor::{
    Description, Prediction, Refusal, Request,
};
pub use bindings::understudy::model::types::{Contents, Datatype, Tensor, TensorType};
pub use description::ANY_LENGTH;
pub use half::{bf16, f16};
pub use tensor::{Element, Matrix};

/// Answers one request at a time.
///
/// A panic or an endless loop in either function is a fault: the host throws the instance away and counts it against the
/// model. A [`Refusal`] is not.
pub trait Model {
    /// Says what the model takes and gives. Called once after loading; must always return the same.
    fn describe() -> Description;

    /// Answers one request, or says why not.
    fn predict(request: &Request) -> Result<Prediction, Refusal>;
}

/// Answers many requests at a time. Every [`Model`] is one, too.
pub trait BatchModel {
    /// Says what the model takes and gives, as in [`Model::describe`].
    fn describe() -> Description;

    /// Answers `requests`: exactly one result for each, in their order. The host chooses how many it hands over, so
    /// an answer must not depend on its neighbours.
    fn predict_batch(requests: &[Request]) -> Vec<Result<Prediction, Refusal>>;
}

impl<M: Model> BatchModel for M {
    fn describe() -> Description {
        M::describe()
    }

    fn predict_batch(requests: &[Request]) -> Vec<Result<Prediction, Refusal>> {
        requests.iter().map(M::predict).collect()
    }
}

/// Joins a model to the generated bindings. Only [`export!`] has a use for it.
#[doc(hidden)]
#[derive(Debug)]
pub struct Component<M>(PhantomData<M>);

impl<M: BatchModel> bindings::exports::understudy::model::predictor::Guest for Component<M> {
    fn describe() -> Description {
        M::describe()
    }

    fn predict(requests: Vec<Request>) -> Vec<Result<Prediction, Refusal>> {
        M::predict_batch(&requests)
    }
}

/// Exports a type as the model of this crate: a [`Model`] or a [`BatchModel`]. To be called once in a `cdylib` crate.
///
/// Outside of WebAssembly it exports nothing and only checks that the type is a model, so that the crate's tests run
/// natively.
#[macro_export]
macro_rules! export {
    ($model:ty) => {
        #[cfg(target_arch = "wasm32")]
        const _: () = {
            type Component = $crate::Component<$model>;
    $crate::bindings::export_component!(Component with_types_in $crate::bindings);
        };
        #[cfg(not(target_arch = "wasm32"))]
        const _: fn() -> $crate::Description = <$model as $crate::BatchModel>::describe;
    };
}
