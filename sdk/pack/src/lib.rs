//! Makes components from the files of trained models.
//!
//! Each format has a reader that turns its file into a [`trained::Pipeline`]. What a reader does not know is refused by its name and
//! place; nothing is approximated.

mod error;

pub use error::ReadError;
