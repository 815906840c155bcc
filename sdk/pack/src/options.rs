//! What the user says of a file, because the file does not.

use trained::Kind;

/// What is asked of a reader.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ReadOptions {
    /// All columns in the order of training, where the file has no names for them, or other ones are wanted.
    pub columns: Option<Vec<ColumnOption>>,
    /// The columns that are texts, by name, where the file does not say it.
    pub categorical: Vec<String>,
    /// One tensor `features` with all columns of a row, whatever names the file has. Categorical columns are then their codes.
    pub matrix: bool,
    /// As many rows in one request as it likes: every tensor has one more dimension, the first.
    pub rows: bool,
    /// The name of the first output, where another is wanted than the task's own.
    pub output: Option<String>,
    /// An output `raw` with the scores before their link.
    pub raw: bool,
    /// The number that stood for a missing value in training, where the file does not keep it (XGBoost's `missing`).
    pub missing: Option<f64>,
}

/// A column as the user names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColumnOption {
    /// Its name.
    pub name: String,
    /// The type of its tensor, where it shall be another than the reader would choose.
    pub kind: Option<Kind>,
}
