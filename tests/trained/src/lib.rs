//! Compares packed models with the libraries that trained them.
