//! Looks again and again at the files that say who may use the host, and how it gets into a cluster.

use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use catalog::Severity;
use crossbeam_channel::{RecvTimeoutError, Sender, bounded};

use crate::abort::AbortOnPanic;
use crate::access::Source;
use crate::host::Shared;

/// The thread that looks.
pub(crate) struct Porter {
    stop: Sender<()>,
    thread: JoinHandle<()>,
}

impl Porter {
    /// Starts the thread; it looks once in every `period`, and again after `settle` where something
    /// has changed.
    pub(crate) fn start(
        shared: Arc<Shared>,
        mut sources: Vec<Source>,
        period: Duration,
        settle: Duration,
    ) -> std::io::Result<Self> {
        let (stop, stopped) = bounded(0);
        let builder = std::thread::Builder::new().name("porter".into());
        let thread = builder.spawn(move || {
            let _guard = AbortOnPanic;
            let mut wait = period;
            while stopped.recv_timeout(wait) == Err(RecvTimeoutError::Timeout) {
                wait = if look(&shared, &mut sources) { period } else { settle };
            }
        })?;
        Ok(Self { stop, thread })
    }

    /// Ends the thread.
    pub(crate) fn stop(self) {
        drop(self.stop);
        if self.thread.join().is_err() {
            tracing::error!("the porter panicked");
        }
    }
}

/// Looks at every file, and says whether all of them keep still.
fn look(shared: &Shared, sources: &mut [Source]) -> bool {
    let (mut is_new, mut is_still) = (false, true);
    for source in &mut *sources {
        let looked = source.look_twice();
        is_still &= looked.is_some();
        if looked == Some(true) {
            is_new = true;
            let files = source.names();
            match source.problem() {
                None => tracing::info!(files, "files taken"),
                Some(problem) if problem.severity == Severity::Warning => {
                    tracing::warn!(%problem, "files not taken yet");
                }
                Some(problem) => tracing::error!(%problem, "files not taken"),
            }
        }
    }
    if is_new {
        let problems = sources.iter().filter_map(Source::problem).cloned().collect();
        shared.access_problems.store(Arc::new(problems));
    }
    is_still
}
