//! A generator of load over HTTP: lean, so that it is not what is measured.
//!
//! It has one thread and writes bytes that were made beforehand. The same one asks the host and the
//! reference, so what it costs weighs on both.

mod connection;
mod grpc;
mod open;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use message::oip::BinaryDocument;
use tokio::runtime::{self, Runtime};
use tokio::task::JoinSet;

use crate::measure::{Latencies, per_second};
use connection::Connection;
pub(crate) use grpc::GrpcGenerator;

/// Asks one endpoint over connections that it keeps.
pub(crate) struct Generator {
    runtime: Runtime,
    connections: Vec<Connection>,
    requests: Arc<[Vec<u8>]>,
}

/// What came of some load.
#[derive(Debug)]
pub(crate) struct Load {
    pub(crate) latencies: Latencies,
    took: Duration,
}

impl Load {
    /// How many were answered a second.
    pub(crate) fn per_second(&self) -> f64 {
        per_second(self.latencies.count(), self.took)
    }
}

impl Generator {
    /// Connects as many times as said.
    pub(crate) fn connect(
        address: SocketAddr,
        endpoint: &str,
        connections: usize,
        documents: &[String],
    ) -> Result<Self> {
        let bodies = documents.iter().map(String::as_bytes);
        let requests = bodies.map(|body| request(address, endpoint, "", body)).collect();
        Self::over(address, connections, requests)
    }

    /// The same with tensors in binary behind each document.
    pub(crate) fn connect_binary(
        address: SocketAddr,
        endpoint: &str,
        connections: usize,
        bodies: &[BinaryDocument],
    ) -> Result<Self> {
        let of = |body: &BinaryDocument| {
            let header = format!("inference-header-content-length: {}\r\n", body.document_bytes);
            request(address, endpoint, &header, &body.bytes)
        };
        Self::over(address, connections, bodies.iter().map(of).collect())
    }

    fn over(address: SocketAddr, connections: usize, requests: Arc<[Vec<u8>]>) -> Result<Self> {
        let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
        let connections = runtime.block_on(async {
            let mut open = Vec::with_capacity(connections);
            for _ in 0..connections {
                open.push(Connection::open(address).await?);
            }
            Ok::<_, anyhow::Error>(open)
        })?;
        Ok(Self { runtime, connections, requests })
    }

    /// Each connection asks again as soon as it is answered.
    pub(crate) fn closed_loop(&mut self, length: Duration) -> Result<Load> {
        let started = Instant::now();
        let until = started + length;
        let mut asking = JoinSet::new();
        for (index, mut connection) in self.connections.drain(..).enumerate() {
            let requests = Arc::clone(&self.requests);
            let ask = async move {
                let mut latencies = Latencies::new();
                let mut begun = Instant::now();
                for request in requests.iter().cycle().skip(index * 7) {
                    connection.call(request).await?;
                    let now = Instant::now();
                    latencies.record(now - begun);
                    begun = now;
                    if now >= until {
                        break;
                    }
                }
                Ok((connection, latencies))
            };
            asking.spawn_on(ask, self.runtime.handle());
        }
        let latencies = self.join(asking)?;
        Ok(Load { latencies, took: started.elapsed() })
    }

    /// Waits for every connection and takes it back.
    fn join(&mut self, mut asking: JoinSet<Result<(Connection, Latencies)>>) -> Result<Latencies> {
        let mut all = Latencies::new();
        self.runtime.block_on(async {
            while let Some(asked) = asking.join_next().await {
                let (connection, latencies) = asked.context("a connection panicked")??;
                self.connections.push(connection);
                all.add(&latencies);
            }
            Ok(all)
        })
    }
}

/// A whole call; `header` is a line more in its head, or none.
fn request(address: SocketAddr, endpoint: &str, header: &str, body: &[u8]) -> Vec<u8> {
    let kind = if header.is_empty() { "application/json" } else { "application/octet-stream" };
    let head = format!(
        "POST /v2/models/{endpoint}/infer HTTP/1.1\r\nhost: {address}\r\n\
         content-type: {kind}\r\n{header}content-length: {}\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
}
