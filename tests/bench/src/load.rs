//! A generator of load over HTTP: lean, so that it is not what is measured.
//!
//! It has one thread and writes bytes that were made beforehand. The same one asks the host and the
//! reference, so what it costs weighs on both.

mod connection;
mod open;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use tokio::runtime::{self, Runtime};
use tokio::task::JoinSet;

use crate::measure::{Latencies, per_second};
use connection::Connection;

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
        let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
        let head = |body: &String| {
            format!(
                "POST /v2/models/{endpoint}/infer HTTP/1.1\r\nhost: {address}\r\n\
                 content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
                body.len()
            )
        };
        let requests = documents.iter().map(|body| head(body).into_bytes()).collect();
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
