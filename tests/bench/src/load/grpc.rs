//! A generator of load over gRPC. What HTTP/2 costs the caller weighs on both that are compared.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use bytes::{BufMut, Bytes, BytesMut};
use http_body_util::{BodyExt, Full};
use hyper::Request;
use hyper::client::conn::http2::{SendRequest, handshake};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpStream;
use tokio::runtime::{self, Runtime};
use tokio::task::JoinSet;

use super::Load;
use crate::measure::Latencies;

/// How many callers share a connection: one connection alone is a queue.
const CALLERS_PER_CONNECTION: usize = 8;

/// Asks over connections that it keeps.
pub(crate) struct GrpcGenerator {
    runtime: Runtime,
    callers: Vec<SendRequest<Full<Bytes>>>,
    url: String,
    bodies: Arc<[Bytes]>,
}

impl GrpcGenerator {
    /// As many callers as said, who send these messages.
    pub(crate) fn connect(
        address: SocketAddr,
        callers: usize,
        messages: &[Vec<u8>],
    ) -> Result<Self> {
        let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
        let callers = runtime.block_on(async {
            let mut open = Vec::with_capacity(callers);
            while open.len() < callers {
                let stream = TcpStream::connect(address).await?;
                stream.set_nodelay(true)?;
                let (sender, connection) =
                    handshake(TokioExecutor::new(), TokioIo::new(stream)).await?;
                tokio::spawn(connection);
                let left = callers - open.len();
                open.extend((0..left.min(CALLERS_PER_CONNECTION)).map(|_| sender.clone()));
            }
            Ok::<_, anyhow::Error>(open)
        })?;
        let framed = |message: &Vec<u8>| {
            let mut body = BytesMut::with_capacity(message.len() + 5);
            body.put_u8(0);
            body.put_u32(u32::try_from(message.len()).expect("invariant: a short message"));
            body.put_slice(message);
            body.freeze()
        };
        let bodies = messages.iter().map(framed).collect();
        let url = format!("http://{address}/inference.GRPCInferenceService/ModelInfer");
        Ok(Self { runtime, callers, url, bodies })
    }

    /// Each caller asks again as soon as it is answered.
    pub(crate) fn closed_loop(&self, length: Duration) -> Result<Load> {
        let started = Instant::now();
        let until = started + length;
        let latencies = self.runtime.block_on(async {
            let mut asking = JoinSet::new();
            for (index, caller) in self.callers.iter().enumerate() {
                let (caller, url) = (caller.clone(), self.url.clone());
                let bodies = Arc::clone(&self.bodies);
                asking.spawn(ask(caller, url, bodies, index * 7, until));
            }
            let mut all = Latencies::new();
            while let Some(asked) = asking.join_next().await {
                all.add(&asked.context("a caller panicked")??);
            }
            Ok::<_, anyhow::Error>(all)
        })?;
        Ok(Load { latencies, took: started.elapsed() })
    }
}

async fn ask(
    mut caller: SendRequest<Full<Bytes>>,
    url: String,
    bodies: Arc<[Bytes]>,
    skip: usize,
    until: Instant,
) -> Result<Latencies> {
    let mut latencies = Latencies::new();
    let mut begun = Instant::now();
    for body in bodies.iter().cycle().skip(skip) {
        let request = Request::post(&url)
            .header("content-type", "application/grpc")
            .header("te", "trailers")
            .body(Full::new(body.clone()))?;
        let response = caller.send_request(request).await?.into_body().collect().await?;
        let status = response.trailers().and_then(|trailers| trailers.get("grpc-status"));
        let is_ok = status.is_some_and(|status| status == "0");
        ensure!(is_ok, "found the status {status:?}, expected 0");
        let now = Instant::now();
        latencies.record(now - begun);
        begun = now;
        if now >= until {
            break;
        }
    }
    Ok(latencies)
}
