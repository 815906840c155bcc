//! The watched folder as a value.
