//! How many flights were late in the training data.
//!
//! Written by train.py; changes are overwritten.

/// The share of all flights that were late.
pub(crate) const OVERALL: f64 = 0.2284;

/// The share of the flights of each scheduled hour; of all where there were none.
#[rustfmt::skip]
pub(crate) static HOURS: [f64; 24] = [0.2284, 0.2284, 0.2284, 0.2284, 0.2284, 0.1297, 0.1492, 0.1351, 0.1768, 0.1755, 0.1785, 0.1688, 0.1984, 0.2341, 0.2495, 0.2639, 0.2629, 0.2875, 0.2659, 0.3112, 0.3074, 0.3439, 0.3387, 0.2565];
