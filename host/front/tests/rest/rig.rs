//! A listener on a port of the system's choice, before a fake host.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use front::{AdminRoutes, FrontLimits, Guard, PublicRoutes, Routes, ServeError, Tls, serve};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::client::{Client, Received};
use crate::fake_host::FakeHost;

pub(crate) struct Rig {
    pub(crate) address: SocketAddr,
    pub(crate) host: Arc<FakeHost>,
    /// Begins the shutdown when it is sent or dropped.
    pub(crate) stop: Option<oneshot::Sender<()>>,
    pub(crate) served: JoinHandle<Result<(), ServeError>>,
    pub(crate) routes: PublicRoutes<FakeHost>,
}

impl Rig {
    pub(crate) async fn start(limits: FrontLimits) -> Self {
        Self::guarded(limits, Guard::open(), None).await
    }

    /// A listener that lets in whom `guard` does, encrypted with `tls`.
    pub(crate) async fn guarded(limits: FrontLimits, guard: Guard, tls: Option<Tls>) -> Self {
        let host = Arc::new(FakeHost::default());
        let routes = PublicRoutes::new(Arc::clone(&host), limits.clone(), guard);
        let (address, stop, served) = listen(routes.clone(), limits, tls).await;
        Self { address, host, stop: Some(stop), served, routes }
    }

    /// A listener for gRPC beside it, for as long as the process runs.
    pub(crate) async fn grpc(&self) -> SocketAddr {
        let (address, stop, _) = self.serve_grpc().await;
        // Dropping it would stop the listener.
        std::mem::forget(stop);
        address
    }

    /// The same; dropping the sender stops it.
    pub(crate) async fn serve_grpc(
        &self,
    ) -> (SocketAddr, oneshot::Sender<()>, JoinHandle<Result<(), ServeError>>) {
        listen(self.routes.grpc(), FrontLimits::default(), None).await
    }

    pub(crate) async fn connect(&self) -> Client {
        Client::connect(self.address).await
    }

    /// The reply to one call on a connection of its own.
    pub(crate) async fn call(&self, bytes: impl AsRef<[u8]>) -> Received {
        self.connect().await.call(bytes).await
    }

    /// Begins the shutdown.
    pub(crate) fn stop(&mut self) {
        self.stop = None;
    }

    /// Begins the shutdown, and waits for its end.
    pub(crate) async fn end(mut self) -> Result<(), ServeError> {
        self.stop();
        self.served.await.expect("serving does not panic")
    }
}

/// An admin listener; dropping the sender stops it.
pub(crate) async fn start_admin(guard: Guard) -> (SocketAddr, oneshot::Sender<()>) {
    let routes = AdminRoutes::new(Arc::new(FakeHost::default()), guard, tight());
    let (address, stop, _) = listen(routes, FrontLimits::default(), None).await;
    (address, stop)
}

/// Limits of size that a test comes up against soon.
pub(crate) fn tight() -> FrontLimits {
    FrontLimits {
        connections_max: 16,
        calls_open_max: 2,
        body_bytes_max: 4_096,
        bodies_bytes_max: 6_000,
        head_bytes_max: 8_192,
        ..FrontLimits::default()
    }
}

/// Limits of time that a test comes up against soon.
pub(crate) fn hasty() -> FrontLimits {
    FrontLimits {
        head_read_time: Duration::from_millis(50),
        body_read_time: Duration::from_millis(50),
        idle_time: Duration::from_millis(200),
        ..FrontLimits::default()
    }
}

async fn listen(
    routes: impl Routes,
    limits: FrontLimits,
    tls: Option<Tls>,
) -> (SocketAddr, oneshot::Sender<()>, JoinHandle<Result<(), ServeError>>) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("the system has a port");
    let address = listener.local_addr().expect("a listener has an address");
    let (stop, stopped) = oneshot::channel::<()>();
    let shutdown = async { drop(stopped.await) };
    (address, stop, tokio::spawn(serve(listener, tls, routes, limits, shutdown)))
}
