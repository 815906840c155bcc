//! The limits of the host: each a named number with its unit.

use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::units::{self, Size, Span};

/// What callers may ask for.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct FrontLimits {
    /// Connections at once. Default 1024.
    #[serde(deserialize_with = "units::count")]
    #[schemars(range(min = 1))]
    pub connections: usize,
    /// Calls at once that wait for an answer; beyond it callers are told to come back. Default
    /// 1024.
    #[serde(deserialize_with = "units::count")]
    #[schemars(range(min = 1))]
    pub open_calls: usize,
    /// The largest body. Default `16MiB`.
    #[serde(rename = "body", deserialize_with = "units::text::<Size, _>")]
    #[schemars(with = "Size")]
    pub body_bytes: u64,
    /// The largest head. Default `64KiB`.
    #[serde(rename = "head", deserialize_with = "units::text::<Size, _>")]
    #[schemars(with = "Size")]
    pub head_bytes: u64,
    /// How long a caller may take for the head. Default `10s`.
    #[serde(deserialize_with = "units::text::<Span, _>")]
    #[schemars(with = "Span")]
    pub head_timeout: Duration,
    /// How long a caller may take for the body. Default `30s`.
    #[serde(deserialize_with = "units::text::<Span, _>")]
    #[schemars(with = "Span")]
    pub body_timeout: Duration,
    /// How long an idle connection is kept. Default `1min`.
    #[serde(deserialize_with = "units::text::<Span, _>")]
    #[schemars(with = "Span")]
    pub idle_timeout: Duration,
    /// How long open calls may take when the host stops. Default `10s`.
    #[serde(deserialize_with = "units::text::<Span, _>")]
    #[schemars(with = "Span")]
    pub drain_timeout: Duration,
}

/// The threads that run models.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct LaneLimits {
    /// Threads of the live lane. Without it: one for each processor.
    #[serde(deserialize_with = "units::optional_count")]
    #[schemars(range(min = 1))]
    pub live_threads: Option<usize>,
    /// Threads that the live lane may grow to while slow models hold the others. Without it: four
    /// times `live_threads`.
    #[serde(deserialize_with = "units::optional_count")]
    #[schemars(range(min = 1))]
    pub live_threads_limit: Option<usize>,
    /// Threads of the shadow lane. Without it: one for each processor.
    #[serde(deserialize_with = "units::optional_count")]
    #[schemars(range(min = 1))]
    pub shadow_threads: Option<usize>,
}

/// The models that are loaded when they are wanted: those that a route with `models` leads to, and
/// that nothing else names.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct RoutedLimits {
    /// The memory of all of them together, of every endpoint: compiled code, and what their sessions
    /// hold. Who was used longest ago makes room. Default `512MiB`.
    #[serde(rename = "memory", deserialize_with = "units::text::<Size, _>")]
    #[schemars(with = "Size")]
    pub memory_bytes: u64,
    /// After how long without use a model leaves though nobody needs the room. Without it, none does.
    #[serde(deserialize_with = "units::optional::<Span, _>")]
    #[schemars(with = "Option<Span>")]
    pub idle: Option<Duration>,
    /// Models at once that wait to be loaded. Requests for others are answered by the next of their
    /// order. Default 1024.
    #[serde(deserialize_with = "units::count")]
    #[schemars(range(min = 1))]
    pub waiting: usize,
}

/// What compiling a component may use.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct CompileLimits {
    /// Components that are compiled at once. Default 1.
    #[serde(deserialize_with = "units::count")]
    #[schemars(range(min = 1))]
    pub parallel: usize,
    /// Address space of one compilation. Default `4GiB`.
    #[serde(rename = "memory", deserialize_with = "units::text::<Size, _>")]
    #[schemars(with = "Size")]
    pub memory_bytes: u64,
    /// CPU time of one compilation. Default `1min`.
    #[serde(deserialize_with = "units::text::<Span, _>")]
    #[schemars(with = "Span")]
    pub cpu: Duration,
    /// Time of the clock on the wall of one compilation. Default `2min`.
    #[serde(deserialize_with = "units::text::<Span, _>")]
    #[schemars(with = "Span")]
    pub wall: Duration,
}

impl Default for FrontLimits {
    fn default() -> Self {
        Self {
            connections: 1024,
            open_calls: 1024,
            body_bytes: 16 << 20,
            head_bytes: 64 << 10,
            head_timeout: Duration::from_secs(10),
            body_timeout: Duration::from_secs(30),
            idle_timeout: Duration::from_secs(60),
            drain_timeout: Duration::from_secs(10),
        }
    }
}

impl Default for RoutedLimits {
    fn default() -> Self {
        Self { memory_bytes: 512 << 20, idle: None, waiting: 1024 }
    }
}

impl Default for CompileLimits {
    fn default() -> Self {
        Self {
            parallel: 1,
            memory_bytes: 4 << 30,
            cpu: Duration::from_secs(60),
            wall: Duration::from_secs(120),
        }
    }
}
