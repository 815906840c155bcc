//! The chores of all endpoints that wait for the disk: commits and retention.
//!
//! They have a thread of their own because a driver must not wait for the disk while answers are
//! due. A chore that is lost does no harm: a commit only shortens the next recovery.

use std::sync::Arc;
use std::thread::JoinHandle;

use message::Time;
use stream::Partition;

use crate::abort::AbortOnPanic;
use crate::endpoint::Endpoint;
use crate::inbox::Inbox;
use crate::journal::Journal;

/// How many chores may wait. Each endpoint has about two in a second.
const WAITING_CHORES: usize = 4096;

/// Something to do that nobody waits for.
pub(crate) enum Chore {
    /// Note how far the requests of an endpoint are done.
    Commit {
        endpoint: Arc<Endpoint>,
        /// The lowest request that is not done.
        requests: u64,
        /// Where its answer can be at the earliest.
        answers: u64,
    },
    /// Let go of what the retention of an endpoint's topics no longer keeps.
    Retain { endpoint: Arc<Endpoint>, now: Time },
    /// End.
    Stop,
}

/// The thread that does chores.
pub(crate) struct Housekeeper {
    chores: Arc<Inbox<Chore>>,
    thread: JoinHandle<()>,
}

impl Housekeeper {
    /// Starts the thread.
    pub(crate) fn start() -> std::io::Result<Self> {
        let chores = Arc::new(Inbox::new(WAITING_CHORES));
        let inbox = Arc::clone(&chores);
        let builder = std::thread::Builder::new().name("housekeeper".into());
        let thread = builder.spawn(move || run(&inbox))?;
        Ok(Self { chores, thread })
    }

    /// Where chores are left.
    pub(crate) fn chores(&self) -> Arc<Inbox<Chore>> {
        Arc::clone(&self.chores)
    }

    /// Does what is left to do, and ends the thread.
    pub(crate) fn stop(self) {
        self.chores.push(Chore::Stop);
        if self.thread.join().is_err() {
            tracing::error!("the housekeeper panicked");
        }
    }
}

fn run(inbox: &Inbox<Chore>) {
    let _guard = AbortOnPanic;
    let mut chores = Vec::new();
    loop {
        inbox.take(&mut chores, None);
        for chore in chores.drain(..) {
            match chore {
                Chore::Commit { endpoint, requests, answers } => {
                    if let Err(error) = endpoint.journal.commit(requests, answers) {
                        tracing::warn!(endpoint = %endpoint.name, %error, "commit failed");
                    }
                }
                Chore::Retain { endpoint, now } => {
                    retain(&endpoint.journal, now);
                    let plain = endpoint.topics.all();
                    let plain = plain.iter().flat_map(|(_, partitions)| partitions);
                    plain.for_each(|partition| retain_one(&**partition, now));
                }
                Chore::Stop => return,
            }
        }
    }
}

fn retain(journal: &Journal, now: Time) {
    for partition in journal.topics().into_iter().flat_map(|(_, partitions)| partitions) {
        retain_one(&**partition, now);
    }
}

fn retain_one(partition: &dyn Partition, now: Time) {
    if let Err(error) = partition.retain(now) {
        tracing::warn!(topic = partition.topic(), %error, "retention failed");
    }
}
