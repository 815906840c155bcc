//! What an endpoint makes of models that fault or are late.

use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::units::{self, Share, Span};

/// When a model that faults is rolled back to the revision before it, or set aside.
///
/// A fault is a trap, a limit or the CPU budget overrun, or a result that breaks the model's own
/// promises; a refusal is none. The fallback is never set aside.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Quarantine {
    /// So many faults in a row are too many. Default 7.
    #[serde(deserialize_with = "units::count")]
    #[schemars(range(min = 1))]
    pub consecutive_faults: usize,
    /// So many faults within `window` are too many as well, if they are `fault_share` of at least
    /// `calls` calls. Default 5.
    #[serde(deserialize_with = "units::count")]
    #[schemars(range(min = 1))]
    pub faults: usize,
    /// See `faults`. Default `10%`: what computes has no bad luck, as a network has.
    #[serde(deserialize_with = "units::text::<Share, _>")]
    #[schemars(with = "Share")]
    pub fault_share: f64,
    /// See `faults`. Default 50.
    #[serde(deserialize_with = "units::count")]
    #[schemars(range(min = 1))]
    pub calls: usize,
    /// The time in which faults are counted together. Default `1min`.
    #[serde(deserialize_with = "units::text::<Span, _>")]
    #[schemars(with = "Span")]
    pub window: Duration,
    /// How long a model is first set aside; doubled each time a probe fails. Default `1s`.
    #[serde(deserialize_with = "units::text::<Span, _>")]
    #[schemars(with = "Span")]
    pub backoff_first: Duration,
    /// How long it is set aside at most. Default `1min`.
    #[serde(deserialize_with = "units::text::<Span, _>")]
    #[schemars(with = "Span")]
    pub backoff_longest: Duration,
    /// Whether a revision with too many faults gives way to the one before it. Default true.
    pub rollback: bool,
    /// How long after a revision went live it may give way like that. Default `1min`.
    #[serde(deserialize_with = "units::text::<Span, _>")]
    #[schemars(with = "Span")]
    pub probation: Duration,
    /// Whether an output that is not a number counts as a fault, which is no answer. Default false:
    /// it is a number like any other.
    pub nan_is_fault: bool,
    /// How many faults a revision may have over a long time before it gives way to the others.
    pub budget: ErrorBudget,
}

/// How many faults a revision may have over a long time.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ErrorBudget {
    /// The share of its calls that may fault. Default `1%`; with `100%` the budget is never spent.
    #[serde(rename = "faults", deserialize_with = "units::text::<Share, _>")]
    #[schemars(with = "Share")]
    pub fault_share: f64,
    /// The time over which they are counted. Default `1h`.
    #[serde(deserialize_with = "units::text::<Span, _>")]
    #[schemars(with = "Span")]
    pub over: Duration,
    /// A revision that was called less often is judged as if it had been called so often. Default
    /// 1000: the first ten faults are forgiven.
    #[serde(deserialize_with = "units::count")]
    #[schemars(range(min = 1))]
    pub calls: usize,
}

/// When a model that is late gives way to the others, and when it gets its place back.
///
/// Late is a score that is not there when the wait for its model ends: at its `until`, or at the
/// deadline. The fallback never gives way.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Pace {
    /// The share of requests for which a model may be late. Default `50%`; with `100%` no model ever
    /// gives way.
    #[serde(rename = "late", deserialize_with = "units::text::<Share, _>")]
    #[schemars(with = "Share")]
    pub late_share: f64,
    /// The time in which requests are counted together. Default `10s`.
    #[serde(deserialize_with = "units::text::<Span, _>")]
    #[schemars(with = "Span")]
    pub window: Duration,
    /// With fewer requests in the window nothing is concluded. Default 50.
    #[serde(deserialize_with = "units::count")]
    #[schemars(range(min = 1))]
    pub requests: usize,
    /// How long a model may be late more often than that. Default `10s`.
    #[serde(deserialize_with = "units::text::<Span, _>")]
    #[schemars(with = "Span")]
    pub slow_for: Duration,
    /// How long it has to be late for at most half of `late` before it gets its place back; doubled
    /// each time. Default `30s`.
    #[serde(deserialize_with = "units::text::<Span, _>")]
    #[schemars(with = "Span")]
    pub recover_after: Duration,
    /// How long at most. Default `5min`.
    #[serde(deserialize_with = "units::text::<Span, _>")]
    #[schemars(with = "Span")]
    pub recover_longest: Duration,
}

impl Default for Quarantine {
    /// The numbers of Linkerd's failure accrual, and a window after Envoy's outlier detection.
    fn default() -> Self {
        Self {
            consecutive_faults: 7,
            faults: 5,
            fault_share: 0.1,
            calls: 50,
            window: Duration::from_secs(60),
            backoff_first: Duration::from_secs(1),
            backoff_longest: Duration::from_secs(60),
            rollback: true,
            probation: Duration::from_secs(60),
            nan_is_fault: false,
            budget: ErrorBudget::default(),
        }
    }
}

impl Default for ErrorBudget {
    fn default() -> Self {
        Self { fault_share: 0.01, over: Duration::from_secs(3600), calls: 1000 }
    }
}

impl Default for Pace {
    /// The interval, the volume and the times of ejection of Envoy's outlier detection.
    fn default() -> Self {
        Self {
            late_share: 0.5,
            window: Duration::from_secs(10),
            requests: 50,
            slow_for: Duration::from_secs(10),
            recover_after: Duration::from_secs(30),
            recover_longest: Duration::from_secs(300),
        }
    }
}
