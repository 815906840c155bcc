//! Limits of what a file may merely say: a number takes a few bytes of it, and what follows from the number takes memory.

use crate::ReadError;

/// How many columns a model can have.
pub(crate) const COLUMNS: usize = 1 << 20;
/// How many scores a row can have.
pub(crate) const OUTPUTS: usize = 1 << 16;
/// How many columns all steps of a model can read and make together.
pub(crate) const CELLS: usize = 1 << 23;
/// How many words of 32 bits the sets of categories of a model can have together.
pub(crate) const SET_WORDS: usize = 1 << 25;
/// How many values the leaves of a model of several scores can have together.
pub(crate) const LEAF_VALUES: usize = 1 << 25;
/// How many bins the keys of a table can have together.
pub(crate) const TABLE_BINS: usize = 1 << 27;

/// Fails where there is more of `what` than a model can have.
pub(crate) fn check(place: &str, found: usize, what: &str, limit: usize) -> Result<(), ReadError> {
    if found <= limit {
        return Ok(());
    }
    Err(ReadError::Unsupported {
        place: place.to_owned(),
        what: format!("a model with {found} {what}, which is more than {limit},"),
        hint: None,
    })
}
