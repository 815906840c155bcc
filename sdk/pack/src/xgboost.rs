//! Models of XGBoost.

use crate::{ReadError, ReadOptions, Trained};

/// Reads a model of XGBoost.
///
/// # Errors
///
/// Those of [`crate::read`].
pub(crate) fn read(_bytes: &[u8], _options: &ReadOptions) -> Result<Trained, ReadError> {
    Err(ReadError::Unsupported {
        place: "the file".to_owned(),
        what: "a model of XGBoost".to_owned(),
        hint: None,
    })
}
