//! Starts the real binary and talks to it.
