//! The logistic regression of the example, native.
//!
//! The weights are the example's own, by the path of their file: its package has the library for
//! authors of models in it, with which Cargo would compile the engine once more.

#[allow(clippy::unreadable_literal, reason = "the file is generated")]
#[path = "../../../examples/flights/models/flight/src/regression/trained.rs"]
mod trained;

use trained::{
    CARRIERS, DESTS, DISTANCE, HOURS, INTERCEPT, ORIGINS, PRECIP, VISIB, WEEKDAYS, WIND_SPEED,
};

/// A flight, as the regression reads it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Flight<'a> {
    pub(crate) carrier: &'a str,
    pub(crate) origin: &'a str,
    pub(crate) dest: &'a str,
    pub(crate) distance: f32,
    pub(crate) hour: u8,
    pub(crate) weekday: u8,
    pub(crate) wind_speed: f32,
    pub(crate) precip: f32,
    pub(crate) visib: f32,
}

impl Flight<'_> {
    /// How likely it is to be late.
    pub(crate) fn delayed(&self) -> f64 {
        1.0 / (1.0 + (-self.log_odds()).exp())
    }

    /// What is known adds up; a name that was not in the training data adds nothing.
    fn log_odds(&self) -> f64 {
        INTERCEPT
            + find(&CARRIERS, self.carrier)
            + find(&ORIGINS, self.origin)
            + find(&DESTS, self.dest)
            + HOURS[usize::from(self.hour)]
            + WEEKDAYS[usize::from(self.weekday)]
            + DISTANCE * f64::from(self.distance)
            + WIND_SPEED * f64::from(self.wind_speed)
            + PRECIP * f64::from(self.precip)
            + VISIB * f64::from(self.visib)
    }
}

/// What was learnt about a name, in a table that is sorted by name.
fn find(table: &[(&str, f64)], name: &str) -> f64 {
    table.binary_search_by_key(&name, |(known, _)| known).map_or(0.0, |index| table[index].1)
}
