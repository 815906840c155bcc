//! The logistic regression: what is known adds up to log-odds.

#[allow(clippy::unreadable_literal, reason = "the file is generated")]
mod trained;

use crate::{Flight, find};
use trained::{
    CARRIERS, DESTS, DISTANCE, HOURS, INTERCEPT, ORIGINS, PRECIP, VISIB, WEEKDAYS, WIND_SPEED,
};

/// The log-odds that a flight is late. A name that was not in the training data adds nothing.
pub fn log_odds(flight: &Flight) -> f64 {
    INTERCEPT
        + find(&CARRIERS, flight.carrier).unwrap_or(0.0)
        + find(&ORIGINS, flight.origin).unwrap_or(0.0)
        + find(&DESTS, flight.dest).unwrap_or(0.0)
        + HOURS[usize::from(flight.hour)]
        + WEEKDAYS[usize::from(flight.weekday)]
        + DISTANCE * f64::from(flight.distance)
        + WIND_SPEED * f64::from(flight.wind_speed)
        + PRECIP * f64::from(flight.precip)
        + VISIB * f64::from(flight.visib)
}
