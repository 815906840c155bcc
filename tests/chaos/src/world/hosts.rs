//! Hosts that come and go.

use std::net::SocketAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};

use harness::{Deployment, Host, Models, Stopped};

use super::endpoint::Endpoint;

/// Where each host listens; none while it does not run.
pub(super) type Addresses = Arc<Vec<Mutex<Option<SocketAddr>>>>;

/// Hosts by their numbers.
pub(super) struct Hosts {
    slots: Vec<Slot>,
    addresses: Addresses,
    deaths: u64,
    logs: Vec<(String, String)>,
}

/// A host in one of its lives, or between two.
enum Slot {
    Runs(Host),
    Stopped(Stopped),
    /// It did not end when it was told to, and was killed.
    Gone,
}

impl Hosts {
    pub(super) fn start(count: usize, models: &Models, deployment: &Deployment) -> Self {
        let slots = (0..count).map(|_| Slot::Runs(deployment.host(models))).collect();
        let addresses = Arc::new((0..count).map(|_| Mutex::new(None)).collect());
        let hosts = Self { slots, addresses, deaths: 0, logs: Vec::new() };
        (0..count).for_each(|host| hosts.publish(host));
        hosts
    }

    pub(super) fn wait_until_settled(&self, endpoints: &[Endpoint]) {
        for host in self.running() {
            endpoints.iter().for_each(|endpoint| host.wait_until_settled(endpoint.name));
        }
    }

    pub(super) fn addresses(&self) -> Addresses {
        Arc::clone(&self.addresses)
    }

    /// How often a host was killed or stopped.
    pub(super) const fn deaths(&self) -> u64 {
        self.deaths
    }

    pub(super) fn kill(&mut self, host: usize) {
        if let Slot::Runs(running) = std::mem::replace(&mut self.slots[host], Slot::Gone) {
            self.has_ended(host, running.kill_hard());
        }
    }

    /// Stops a host as an operator does it.
    ///
    /// # Errors
    ///
    /// When it does not end by itself, or not well.
    pub(super) fn stop(&mut self, host: usize) -> Result<(), String> {
        let Slot::Runs(running) = std::mem::replace(&mut self.slots[host], Slot::Gone) else {
            return Ok(());
        };
        // What it said is worth more than an end of the whole run.
        match catch_unwind(AssertUnwindSafe(|| running.stop())) {
            Ok(stopped) => {
                self.has_ended(host, stopped);
                Ok(())
            }
            Err(reason) => {
                let said = reason.downcast_ref::<String>().cloned().unwrap_or_default();
                Err(format!("host {host} did not stop: {said}"))
            }
        }
    }

    /// Starts a host again on what it left behind.
    pub(super) fn restart(&mut self, host: usize) {
        match std::mem::replace(&mut self.slots[host], Slot::Gone) {
            Slot::Stopped(stopped) => self.slots[host] = Slot::Runs(stopped.start()),
            other => self.slots[host] = other,
        }
        self.publish(host);
    }

    pub(super) fn pause(&self, host: usize) {
        if let Slot::Runs(running) = &self.slots[host] {
            running.pause();
        }
    }

    pub(super) fn resume(&self, host: usize) {
        if let Slot::Runs(running) = &self.slots[host] {
            running.resume();
        }
    }

    pub(super) fn running(&self) -> impl Iterator<Item = &Host> {
        self.slots.iter().filter_map(|slot| match slot {
            Slot::Runs(host) => Some(host),
            _ => None,
        })
    }

    /// What each life of each host has said, those that still run as well.
    pub(super) fn logs(self) -> Vec<(String, String)> {
        let mut logs = self.logs;
        for (host, slot) in self.slots.into_iter().enumerate() {
            if let Slot::Runs(running) = slot {
                logs.push((format!("host-{host}-last"), running.log()));
            }
        }
        logs
    }

    pub(super) const fn count(&self) -> usize {
        self.slots.len()
    }

    fn has_ended(&mut self, host: usize, stopped: Stopped) {
        self.deaths += 1;
        self.logs.push((format!("host-{host}-{}", self.deaths), stopped.log.clone()));
        self.slots[host] = Slot::Stopped(stopped);
        self.publish(host);
    }

    fn publish(&self, host: usize) {
        let address = match &self.slots[host] {
            Slot::Runs(running) => Some(running.rest()),
            _ => None,
        };
        *self.addresses[host].lock().unwrap_or_else(PoisonError::into_inner) = address;
    }
}
