//! What befalls hosts and brokers, and how it ends.

use std::thread;
use std::time::{Duration, Instant};

use super::{BROKERS, LOOK, World};
use crate::Fault;

/// In this time others take over what a host had that stands still: by then its session is over, unless the brokers were
/// troubled as well, or it had nothing.
const TAKEOVER: Duration = Duration::from_secs(15);
/// For so long at least nobody knows that a host stands still: a session, without the time between two signs of life.
const SESSION_AT_LEAST: Duration = Duration::from_secs(5);

impl World {
    pub(super) fn begin(&mut self, fault: Fault) {
        match fault {
            Fault::KillHost(host) => self.hosts.kill(host),
            Fault::LeaveHost(host) => {
                if let Err(error) = self.hosts.stop(host) {
                    self.stuck.push(error);
                }
            }
            Fault::PauseHost(host) | Fault::FreezeHost(host) => self.hosts.pause(host),
            Fault::KillBroker(broker) => self.cluster.kill(broker),
            Fault::PauseBroker(broker) => self.cluster.pause(broker),
            Fault::CutBroker(broker) => self.cluster.proxy(broker).cut(),
            Fault::SilenceBroker(broker) => self.cluster.proxy(broker).silence(),
            Fault::CutAll => (1..=BROKERS).for_each(|broker| self.cluster.proxy(broker).cut()),
        }
    }

    pub(super) fn end(&mut self, fault: Fault) {
        match fault {
            Fault::KillHost(host) | Fault::LeaveHost(host) => self.hosts.restart(host),
            Fault::PauseHost(host) | Fault::FreezeHost(host) => self.hosts.resume(host),
            Fault::KillBroker(broker) => self.cluster.restart(broker),
            Fault::PauseBroker(broker) => self.cluster.resume(broker),
            Fault::CutBroker(broker) | Fault::SilenceBroker(broker) => {
                self.cluster.proxy(broker).mend();
            }
            Fault::CutAll => (1..=BROKERS).for_each(|broker| self.cluster.proxy(broker).mend()),
        }
    }

    /// Waits until somebody takes over what a host had that stands still since a moment.
    pub(super) fn wait_for_takeover(&self, since: Instant) {
        // What is taken over before is not taken from that host.
        thread::sleep((since + SESSION_AT_LEAST).saturating_duration_since(Instant::now()));
        let fences = self.watcher.fences();
        let give_up = Instant::now() + TAKEOVER;
        while self.watcher.fences() == fences && Instant::now() < give_up {
            thread::sleep(LOOK);
        }
    }
}
