//! Looks again and again at the files that say who may use the host.

use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

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
    /// Starts the thread; it looks once in every `period`.
    pub(crate) fn start(
        shared: Arc<Shared>,
        mut sources: Vec<Source>,
        period: Duration,
    ) -> std::io::Result<Self> {
        let (stop, stopped) = bounded(0);
        let builder = std::thread::Builder::new().name("porter".into());
        let thread = builder.spawn(move || {
            let _guard = AbortOnPanic;
            while stopped.recv_timeout(period) == Err(RecvTimeoutError::Timeout) {
                look(&shared, &mut sources);
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

fn look(shared: &Shared, sources: &mut [Source]) {
    let mut is_new = false;
    for source in &mut *sources {
        if source.look() {
            is_new = true;
            let files = source.names();
            match source.problem() {
                None => tracing::info!(files, "access files taken"),
                Some(problem) => tracing::error!(%problem, "access files not taken"),
            }
        }
    }
    if is_new {
        let problems = sources.iter().filter_map(Source::problem).cloned().collect();
        shared.access_problems.store(Arc::new(problems));
    }
}
