//! The accept loop of a listener, from its first connection to the end of its last.
//!
//! It is our own, because the one that comes with axum installs no timer, bounds no connections and
//! cannot say whether everybody got an answer when it stops.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{JoinError, JoinSet};
use tokio::time::{sleep, timeout};

use crate::connection::{Ended, Protocol, Tasks};
use crate::limits::FrontLimits;
use crate::routes::Routes;
use crate::tls::Tls;

/// How long to wait when the system has no socket to give.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Why a listener did not end as it should.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum ServeError {
    /// Because some connections were still busy when the time to drain was over.
    #[error("{connections} connections were cut after {} ms of draining", drain_time.as_millis())]
    Cut {
        /// How many.
        connections: usize,
        /// How long they had.
        drain_time: Duration,
    },
}

/// Serves `routes` on a listener until `shutdown` comes; then lets the open calls finish. With
/// `tls`, every connection is encrypted.
///
/// When this returns, the listener is closed and every task that it began has ended.
pub async fn serve(
    listener: TcpListener,
    tls: Option<Tls>,
    routes: impl Routes,
    limits: FrontLimits,
    shutdown: impl Future<Output = ()> + Send,
) -> Result<(), ServeError> {
    let (tasks, ended) = Tasks::new();
    let protocol = Arc::new(Protocol::new(limits.clone(), tls, tasks));
    let (stop, stopping) = watch::channel(false);
    let mut connections = JoinSet::new();
    let mut shutdown = pin!(shutdown);
    loop {
        tokio::select! {
            () = &mut shutdown => break,
            Some(ended) = connections.join_next() => note(ended),
            (stream, address) = accept(&listener), if connections.len() < limits.connections_max => {
                let protocol = Arc::clone(&protocol);
                connections.spawn(protocol.run(stream, address, routes.clone(), stopping.clone()));
            }
        }
    }
    drop((listener, protocol));
    stop.send_replace(true);
    drain(connections, ended, limits.drain_time).await
}

async fn accept(listener: &TcpListener) -> (TcpStream, SocketAddr) {
    loop {
        match listener.accept().await {
            Ok(accepted) => return accepted,
            Err(error) if is_of_one_connection(&error) => {}
            Err(error) => {
                tracing::warn!(%error, "cannot accept a connection");
                sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

async fn drain(
    mut connections: JoinSet<()>,
    tasks: Ended,
    drain_time: Duration,
) -> Result<(), ServeError> {
    let all = async {
        while let Some(ended) = connections.join_next().await {
            note(ended);
        }
    };
    let drained = timeout(drain_time, all).await;
    let cut = connections.len();
    connections.shutdown().await;
    tasks.wait().await;
    drained.map_err(|_| ServeError::Cut { connections: cut, drain_time })
}

fn note(ended: Result<(), JoinError>) {
    if let Err(error) = ended {
        tracing::error!(%error, "a connection ended in a panic");
    }
}

fn is_of_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}
