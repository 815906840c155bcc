//! Progress: what is told to somebody who waits.

/// Hears what a build or an installation does.
pub trait Progress {
    /// A step begins, as in "compiling with cargo".
    fn step(&mut self, what: &str);

    /// A tool has written a line.
    fn line(&mut self, line: &str);
}

/// Tells nobody.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Progress for Silent {
    fn step(&mut self, _what: &str) {}

    fn line(&mut self, _line: &str) {}
}
