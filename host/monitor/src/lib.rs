//! Counters, histograms and comparisons that never touch an answer.
//!
//! Two kinds of things live here. [`Metrics`] is shared by everybody and only ever adds: its handles
//! are atomics that are looked up once, so that counting costs no lock and no allocation.
//! [`Latency`], [`Comparison`] and [`Quality`] are plain values with one owner; they have no clock,
//! a fixed bound of memory, and turn away what is not a finite number before it can spoil a sum.

pub mod comparison;
pub mod latency;
pub mod metrics;
pub mod quality;
pub mod scalar;

pub use comparison::{Agreement, Comparison};
pub use latency::{Latency, Quantiles};
pub use metrics::{
    BrokerReading, BrokersReading, Build, CallMetrics, CallTotals, EndpointMetrics,
    ExternalMetrics, FlowMetrics, Lane, Metrics, ModelMetrics, ModelTotals, RoutedMetrics,
    SharingMetrics, TopicMetrics,
};
pub use quality::{Auc, BinaryQuality, Quality};
pub use scalar::scalar;
