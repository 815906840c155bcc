//! Load, bound, run and dispose of model components.
