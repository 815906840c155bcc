//! Models of LightGBM.

use crate::{ReadError, ReadOptions, Trained};

/// Reads a model of LightGBM.
///
/// # Errors
///
/// Those of [`crate::read`].
pub(crate) fn read(_bytes: &[u8], _options: &ReadOptions) -> Result<Trained, ReadError> {
    Err(ReadError::Unsupported {
        place: "the file".to_owned(),
        what: "a model of LightGBM".to_owned(),
        hint: None,
    })
}
