//! What happens when a task loop panics.

/// Ends the process when the thread that holds it panics.
///
/// A host without one of its loops would take calls and never answer them. One that has ended is
/// started again, reads what was accepted, and answers it.
pub(crate) struct AbortOnPanic;

impl Drop for AbortOnPanic {
    fn drop(&mut self) {
        if std::thread::panicking() {
            tracing::error!("a task loop panicked: the host ends, so that it can be started again");
            std::process::abort();
        }
    }
}
