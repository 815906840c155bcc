//! A host in this very process, where its topics can be watched.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use server::{Host, HostArguments, HostOptions};
use stream::{Partition, ReadLimit};
use tokio::runtime::Runtime;

use crate::folder::Folder;

/// How long anything may take that is waited for.
const WAIT_LIMIT: Duration = Duration::from_secs(60);

/// A running host and the threads of its front.
pub(crate) struct HostHere {
    runtime: Runtime,
    host: Option<Host>,
}

impl HostHere {
    /// Starts a host, and waits until the models of these endpoints are live.
    pub(crate) fn start(folder: &Folder, endpoints: &[&str]) -> Result<Self> {
        let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let arguments = HostArguments {
            models: Some(folder.models()),
            data: Some(folder.data()),
            listen: Some(any),
            grpc_listen: Some(any),
            admin_listen: Some(any),
            ..HostArguments::default()
        };
        let runtime = Runtime::new()?;
        let host = runtime.block_on(Host::start(HostOptions::new(arguments)?))?;
        let here = Self { runtime, host: Some(host) };
        let until = Instant::now() + WAIT_LIMIT;
        while !endpoints.iter().all(|endpoint| here.host().is_settled(endpoint)) {
            ensure!(Instant::now() < until, "the models are not there: {}", here.host().status());
            thread::sleep(Duration::from_millis(10));
        }
        Ok(here)
    }

    /// The host.
    pub(crate) fn host(&self) -> &Host {
        self.host.as_ref().expect("invariant: it runs until this is dropped")
    }

    /// The threads of its front.
    pub(crate) const fn runtime(&self) -> &Runtime {
        &self.runtime
    }

    /// A topic of an endpoint.
    pub(crate) fn topic(&self, endpoint: &str, topic: &str) -> Result<Arc<dyn Partition>> {
        let found = self.host().topic(endpoint, topic);
        found.with_context(|| format!("there is no topic {topic} of {endpoint}"))
    }

    /// Waits for the event that a model went live, from an offset of the events topic on. Returns
    /// the offset behind it.
    pub(crate) fn wait_until_live(&self, endpoint: &str, model: &str, from: u64) -> Result<u64> {
        let events = self.topic(endpoint, "events")?;
        let until = Instant::now() + WAIT_LIMIT;
        let mut next = from;
        loop {
            for stored in events.read(next, ReadLimit::default())? {
                next = stored.offset + 1;
                let event: serde_json::Value = serde_json::from_slice(&stored.record.value)?;
                if event["model"] != model {
                    continue;
                }
                ensure!(event["event"] != "refused", "{model} was refused: {event}");
                if event["event"] == "live" {
                    return Ok(next);
                }
            }
            ensure!(Instant::now() < until, "{model} of {endpoint} does not go live");
            events.wait(next, Duration::from_secs(1));
        }
    }
}

impl Drop for HostHere {
    fn drop(&mut self) {
        if let Some(host) = self.host.take()
            && let Err(error) = self.runtime.block_on(host.stop())
        {
            eprintln!("the host did not stop well: {error:#}");
        }
    }
}
