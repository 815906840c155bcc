//! Tasks that hyper begins by itself: one for each stream of HTTP/2.
//!
//! They end with their connection, but a moment after it; whoever stops wants to know when.

use std::future::Future;

use hyper::rt::Executor;
use tokio::sync::mpsc;

/// Begins tasks, and lets [`Ended`] know when all have ended.
#[derive(Debug, Clone)]
pub(crate) struct Tasks(mpsc::Sender<()>);

/// The end of all tasks.
#[derive(Debug)]
pub(crate) struct Ended(mpsc::Receiver<()>);

impl Tasks {
    /// No task yet.
    pub(crate) fn new() -> (Self, Ended) {
        let (alive, ended) = mpsc::channel(1);
        (Self(alive), Ended(ended))
    }
}

impl Ended {
    /// Waits until every [`Tasks`] is dropped and every task has ended.
    pub(crate) async fn wait(mut self) {
        // Nobody ever sends: this ends when the last sender is gone.
        self.0.recv().await;
    }
}

impl<F> Executor<F> for Tasks
where
    F: Future<Output = ()> + Send + 'static,
{
    fn execute(&self, task: F) {
        let alive = self.0.clone();
        tokio::spawn(async move {
            task.await;
            drop(alive);
        });
    }
}
