//! What stands for weather that is unknown: the medians of the training data.
//!
//! Written by train.py; changes are overwritten.

/// The median of `temp`.
pub(crate) const TEMP: f32 = 37.94;

/// The median of `wind_speed`.
pub(crate) const WIND_SPEED: f32 = 11.51;

/// The median of `precip`.
pub(crate) const PRECIP: f32 = 0.0;

/// The median of `visib`.
pub(crate) const VISIB: f32 = 10.0;
