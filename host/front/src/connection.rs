//! One connection, from its first byte to its last.
//!
//! hyper's own timer for heads is off: it would cost a timer for each call, does not run before the
//! first bytes have told the version, and ends idle connections too. One watch for each connection
//! does all three instead.

mod pulse;
mod socket;
mod tasks;
mod wire;

use std::convert::Infallible;
use std::error::Error;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;

use hyper::body::Incoming;
use hyper::http::Extensions;
use hyper::service::service_fn;
use hyper::{Request, Version};
use hyper_util::rt::TokioIo;
use hyper_util::server::conn::auto::Builder;
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::timeout;

use crate::connection::pulse::{Pulse, Verdict};
use crate::connection::socket::Socket;
pub(crate) use crate::connection::tasks::{Ended, Tasks};
use crate::connection::wire::Wire;
use crate::guard::Peer;
use crate::limits::FrontLimits;
use crate::routes::Routes;
use crate::tls::{self, Tls};

/// Whether the listener is about to stop, for replies that would go on for as long as they may.
#[derive(Debug, Clone)]
pub(crate) struct Stopping(watch::Receiver<bool>);

impl Stopping {
    /// That of a call; of one that cannot go on for long, a listener that never stops.
    pub(crate) fn of(extensions: &Extensions) -> Self {
        extensions.get::<Self>().cloned().unwrap_or_else(|| Self(watch::channel(false).1))
    }

    /// Returns when it is. May be dropped and called anew.
    pub(crate) async fn begun(&mut self) {
        if self.0.wait_for(|stopping| *stopping).await.is_err() {
            // Whoever could have said so is gone without having said it.
            std::future::pending::<()>().await;
        }
    }
}

/// How the connections of a listener speak HTTP.
pub(crate) struct Protocol {
    builder: Builder<Tasks>,
    limits: FrontLimits,
    tls: Option<Tls>,
}

impl Protocol {
    /// HTTP/1.1, and HTTP/2 for those who begin with it; below it `tls`, if there is one.
    pub(crate) fn new(limits: FrontLimits, tls: Option<Tls>, tasks: Tasks) -> Self {
        let mut builder = Builder::new(tasks);
        let head_bytes_max = limits.head_bytes_max.max(8_192);
        builder.http1().header_read_timeout(None).max_buf_size(head_bytes_max);
        builder
            .http2()
            .max_header_list_size(u32::try_from(head_bytes_max).unwrap_or(u32::MAX))
            .max_concurrent_streams(limits.streams_max);
        Self { builder, limits, tls }
    }

    /// Serves a connection until the caller closes it, loses it by being slow, or the host stops.
    pub(crate) async fn run(
        self: Arc<Self>,
        stream: TcpStream,
        address: SocketAddr,
        routes: impl Routes,
        mut stopping: watch::Receiver<bool>,
    ) {
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "cannot switch off delays on a connection");
        }
        let begun = tokio::select! {
            begun = self.begin(stream, address) => begun,
            _ = stopping.wait_for(|stopping| *stopping) => None,
        };
        let Some((socket, peer)) = begun else { return };
        let (pulse, peer) = (Arc::new(Pulse::default()), Arc::new(peer));
        let until_stopped = Stopping(stopping.clone());
        let service = service_fn(|mut request: Request<Incoming>| {
            if request.version() == Version::HTTP_2 {
                // Streams of gRPC have no end of their own.
                request.extensions_mut().insert(until_stopped.clone());
            }
            let (routes, peer) = (routes.clone(), Arc::clone(&peer));
            let running = Pulse::begin_call(&pulse);
            async move {
                let reply = routes.reply(request, &peer).await;
                drop(running);
                Ok::<_, Infallible>(reply)
            }
        });
        let wire = TokioIo::new(Wire::new(socket, Arc::clone(&pulse)));
        let mut connection = pin!(self.builder.serve_connection(wire, service));
        tokio::select! {
            result = connection.as_mut() => return note(result),
            verdict = pulse.watch(&self.limits) => if verdict == Verdict::TooSlow { return },
            _ = stopping.wait_for(|stopping| *stopping) => {}
        }
        connection.as_mut().graceful_shutdown();
        self.finish(connection, &pulse).await;
    }

    /// Agrees on a key, where the listener wants one.
    async fn begin(&self, stream: TcpStream, address: SocketAddr) -> Option<(Socket, Peer)> {
        let Some(tls) = &self.tls else {
            return Some((Socket::Plain(stream), Peer { address, certificate: None }));
        };
        match timeout(self.limits.handshake_time, tls.accept(stream)).await {
            Ok(Ok(stream)) => {
                let certificate = tls::fingerprint(&stream);
                Some((Socket::Encrypted(Box::new(stream)), Peer { address, certificate }))
            }
            Ok(Err(error)) => {
                tracing::debug!(%error, "a handshake failed");
                None
            }
            Err(_) => {
                tracing::debug!("a handshake did not end in its time");
                None
            }
        }
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
