//! Write a model for Understudy in Rust.
