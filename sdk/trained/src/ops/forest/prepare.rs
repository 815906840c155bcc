//! Rows as the tests of a forest read them.
//!
//! A column of the input may be read in several ways, and each is a column here. What is missing is NaN where a test sends it to
//! the right, since nothing is "at most" anything then; and minus infinity where a test sends it to the left.

use serde::{Deserialize, Serialize};

use super::build::{Missing, Reading};
use crate::packed::Fixed;

/// LightGBM's zero: whatever is not farther from zero than this number of single precision.
const TINY: f64 = 1e-35_f32 as f64;
/// A category that is in no set: it is past the words of all.
const NO_CATEGORY: f64 = u32::MAX as f64;

/// The ways in which columns are read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Columns {
    #[serde(with = "crate::packed")]
    pub(super) columns: Vec<Column>,
    /// Whether tiny numbers of the input are zero.
    pub(super) flush_tiny: bool,
}

/// One way to read a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Column {
    /// The column of the input.
    pub(super) source: u32,
    pub(super) reading: Reading,
    /// Whether the tests that read it are sets of categories.
    pub(super) category: bool,
    /// Whether what is missing goes to the left.
    pub(super) missing_left: bool,
}

impl Columns {
    pub(super) fn count(&self) -> usize {
        self.columns.len()
    }

    pub(super) fn check(&self, width: usize) -> Result<(), String> {
        match self.columns.iter().find(|column| column.source as usize >= width) {
            None => Ok(()),
            Some(column) => Err(format!("a forest reads column {} of {width}", column.source)),
        }
    }

    /// Prepares rows of `width` values each.
    pub(super) fn prepare<T: Copy + Into<f64>>(
        &self,
        rows: &[T],
        width: usize,
        into: &mut Vec<f64>,
    ) {
        into.clear();
        for row in rows.chunks_exact(width.max(1)) {
            into.extend(
                self.columns
                    .iter()
                    .map(|column| column.read(self.flushed(row[column.source as usize].into()))),
            );
        }
    }

    /// A value as the library sees it.
    pub(super) fn flushed(&self, value: f64) -> f64 {
        if self.flush_tiny && value.abs() <= TINY { 0.0 } else { value }
    }
}

impl Column {
    #[inline]
    fn read(self, value: f64) -> f64 {
        let value = if self.reading.round { f64::from(value as f32) } else { value };
        let value = match self.reading.missing {
            Missing::Nan => value,
            Missing::Never if value.is_nan() => 0.0,
            Missing::Zero if value.abs() <= TINY => f64::NAN,
            Missing::Never | Missing::Zero => value,
        };
        if value.is_nan() {
            // A set of categories tells its sides by the node; see there.
            return if self.missing_left { f64::NEG_INFINITY } else { f64::NAN };
        }
        if !self.category {
            return value;
        }
        let whole = value.trunc();
        if (0.0..NO_CATEGORY).contains(&whole) { whole } else { NO_CATEGORY }
    }
}

impl Fixed for Column {
    const BYTES: usize = 8;

    fn write(&self, bytes: &mut Vec<u8>) {
        self.source.write(bytes);
        let missing = match self.reading.missing {
            Missing::Nan => 0,
            Missing::Never => 1,
            Missing::Zero => 2,
        };
        bytes.extend([
            missing,
            u8::from(self.reading.round),
            u8::from(self.category),
            u8::from(self.missing_left),
        ]);
    }

    fn read(bytes: &[u8]) -> Self {
        let missing = match bytes[4] {
            0 => Missing::Nan,
            1 => Missing::Never,
            _ => Missing::Zero,
        };
        Self {
            source: u32::read(&bytes[..4]),
            reading: Reading { missing, round: bytes[5] == 1 },
            category: bytes[6] == 1,
            missing_left: bytes[7] == 1,
        }
    }
}
