//! The watched folder as a value.
//!
//! [`Scanner`] makes a [`Catalog`] of a folder, [`diff()`] says what changed between two, and
//! [`Watcher`] does the scanning whenever something may have happened. Nothing that runs is touched
//! from here, and nothing here knows what a component is beyond the lengths of its sections. The
//! surprising part is what is *not* believed: a folder that is suddenly empty, a file that is
//! suddenly gone, or one that somebody may still be writing changes nothing.

pub mod access;
pub mod catalog;
pub mod default_outputs;
pub mod diff;
mod document;
pub mod draft;
pub mod edit;
pub mod endpoint;
pub mod expression;
mod file;
pub mod host;
pub mod manifest;
pub mod problem;
pub mod scanner;
pub mod schema;
mod units;
pub mod watcher;
pub mod write;

pub use access::{AccessConfig, Quota, TenantConfig, TokenConfig};
pub use catalog::{Catalog, EndpointSpec, ModelFile, ReadError};
pub use default_outputs::{DefaultError, default_outputs};
pub use diff::{Change, diff};
pub use draft::{Draft, ENDPOINT_FILE};
pub use endpoint::flow;
pub use endpoint::{
    Arm, Decoy, DefaultValue, EndpointConfig, EndpointLimits, EndpointPolicy, Ensemble, External,
    Externals, Flow, FlowDelivery, Fsync, ModelPattern, Place, PolicyConfig, Preference, Preferred,
    Quarantine, Ramp, Retention, Roles, Route, RouteKind, SchemaConfig, SchemaError, Split,
    StreamConfig, TensorForm, TensorSchema, Weighted,
};
pub use expression::{EvaluationError, Expression, ExpressionError, Facts};
pub use host::kafka::{KafkaConfig, problem_of_property};
pub use host::stream::{Backend, HostStream};
pub use host::{HostConfig, RoutedLimits, TlsConfig};
pub use manifest::{Grants, ModelLimits, ModelManifest};
pub use problem::{Problem, Severity};
pub use scanner::{Defaults, Hint, Scan, ScanOptions, Scanner};
pub use schema::{Kind, schema};
pub use units::is_name;
pub use watcher::{WatchOptions, Watcher};
