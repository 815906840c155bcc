//! Builds a model in every language, and asks all of them the same.
