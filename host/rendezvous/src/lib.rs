//! The decision machine: one official answer per request, by its deadline.
