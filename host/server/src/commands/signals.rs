//! Signals that ask a command to end.

use std::future::poll_fn;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;

use anyhow::{Context, Result};
use tokio::signal::unix::{SignalKind, signal};

/// Becomes true when the process is told to end by one of these signals, so that it can put things in
/// order first.
pub(super) fn told_by(kinds: &[SignalKind]) -> Result<Arc<AtomicBool>> {
    let told = Arc::new(AtomicBool::new(false));
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("cannot start the thread that waits for signals")?;
    let mut signals = {
        let _inside = runtime.enter();
        kinds.iter().map(|kind| signal(*kind)).collect::<io::Result<Vec<_>>>()?
    };
    let flag = Arc::clone(&told);
    let wait = move || {
        runtime.block_on(poll_fn(|context| {
            match signals.iter_mut().any(|signal| signal.poll_recv(context).is_ready()) {
                true => Poll::Ready(()),
                false => Poll::Pending,
            }
        }));
        flag.store(true, Ordering::Release);
    };
    // Not joined: mostly nobody sends a signal.
    std::thread::Builder::new().name("signals".into()).spawn(wait)?;
    Ok(told)
}
