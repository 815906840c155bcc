//! Models of ONNX.

use crate::{ReadError, ReadOptions, Trained};

/// Reads a model of ONNX.
///
/// # Errors
///
/// Those of [`crate::read`].
pub(crate) fn read(_bytes: &[u8], _options: &ReadOptions) -> Result<Trained, ReadError> {
    Err(ReadError::Unsupported {
        place: "the file".to_owned(),
        what: "a model of ONNX".to_owned(),
        hint: None,
    })
}
