//! One connection, from its first byte to its last.
//!
//! hyper's own timer for heads is off: it would cost a timer for each call, does not run before the
//! first bytes have told the version, and ends idle connections too. One watch for each connection
//! does all three instead.

mod pulse;
mod tasks;
mod wire;

use std::convert::Infallible;
use std::error::Error;
use std::pin::{Pin, pin};
use std::sync::Arc;

use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use hyper_util::server::conn::auto::Builder;
use tokio::net::TcpStream;
use tokio::sync::watch;

use crate::connection::pulse::{Pulse, Verdict};
pub(crate) use crate::connection::tasks::{Ended, Tasks};
use crate::connection::wire::Wire;
use crate::guard::Peer;
use crate::limits::FrontLimits;
use crate::routes::Routes;

/// How the connections of a listener speak HTTP.
pub(crate) struct Protocol {
    builder: Builder<Tasks>,
    limits: FrontLimits,
}

impl Protocol {
    /// HTTP/1.1, and HTTP/2 for those who begin with it.
    pub(crate) fn new(limits: FrontLimits, tasks: Tasks) -> Self {
        let mut builder = Builder::new(tasks);
        let head_bytes_max = limits.head_bytes_max.max(8_192);
        builder.http1().header_read_timeout(None).max_buf_size(head_bytes_max);
        builder
            .http2()
            .max_header_list_size(u32::try_from(head_bytes_max).unwrap_or(u32::MAX))
            .max_concurrent_streams(limits.streams_max);
        Self { builder, limits }
    }

    /// Serves a connection until the caller closes it, loses it by being slow, or the host stops.
    pub(crate) async fn run(
        self: Arc<Self>,
        stream: TcpStream,
        peer: Peer,
        routes: impl Routes,
        mut stopping: watch::Receiver<bool>,
    ) {
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "cannot switch off delays on a connection");
        }
        let (pulse, peer) = (Arc::new(Pulse::default()), Arc::new(peer));
        let service = service_fn(|request| {
            let (routes, peer) = (routes.clone(), Arc::clone(&peer));
            let running = Pulse::begin_call(&pulse);
            async move {
                let reply = routes.reply(request, &peer).await;
                drop(running);
                Ok::<_, Infallible>(reply)
            }
        });
        let wire = TokioIo::new(Wire::new(stream, Arc::clone(&pulse)));
        let mut connection = pin!(self.builder.serve_connection(wire, service));
        tokio::select! {
            result = connection.as_mut() => return note(result),
            verdict = pulse.watch(&self.limits) => if verdict == Verdict::TooSlow { return },
            _ = stopping.wait_for(|stopping| *stopping) => {}
        }
        connection.as_mut().graceful_shutdown();
        self.finish(connection, &pulse).await;
    }

    /// Lets a connection that takes no new calls end those that it has.
    async fn finish<C, E>(&self, connection: Pin<&mut C>, pulse: &Pulse)
    where
        C: Future<Output = Result<(), E>>,
        E: Into<Box<dyn Error + Send + Sync>>,
    {
        tokio::select! {
            result = connection => note(result),
            _ = pulse.watch(&self.limits) => {}
        }
    }
}

fn note<E: Into<Box<dyn Error + Send + Sync>>>(result: Result<(), E>) {
    if let Err(error) = result {
        tracing::debug!(error = error.into(), "a connection ended early");
    }
}
