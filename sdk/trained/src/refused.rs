//! Rows that a step turned away, because its library does.

use std::collections::BTreeMap;
use std::ops::Range;

/// The rows that were turned away, with what is said of each: which column, what was found, and what was expected.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Refused {
    rows: BTreeMap<usize, String>,
}

impl Refused {
    /// Turns a row away. What was said of it first stays.
    pub fn refuse(&mut self, row: usize, why: impl FnOnce() -> String) {
        self.rows.entry(row).or_insert_with(why);
    }

    /// What was said of a row, if it was turned away.
    pub fn why(&self, row: usize) -> Option<&str> {
        self.rows.get(&row).map(String::as_str)
    }

    /// The first row of a range that was turned away, and what was said of it.
    pub fn first_of(&self, rows: Range<usize>) -> Option<(usize, &str)> {
        self.rows.range(rows).next().map(|(row, why)| (*row, why.as_str()))
    }

    /// Whether no row was turned away.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }
}
