//! Makes a component without imports from a core module.
