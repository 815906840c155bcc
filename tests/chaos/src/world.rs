//! Some hosts on a cluster, people who use them, and what befalls them.
//!
//! What would surprise: nothing here judges. A run ends with the histories of its endpoints, also when hosts never came back;
//! whoever reads them says what is wrong.

mod callers;
mod collect;
mod endpoint;
mod faults;
mod hosts;
mod producer;
mod watcher;

use std::time::{Duration, Instant};

use harness::{Deployment, Models};
use kafka_testkit::{Cluster, Options};

use crate::{Fault, History, Scale, Schedule, Step};
use callers::Callers;
use endpoint::Endpoint;
use hosts::Hosts;
use producer::Producer;
use watcher::Watcher;

/// How many brokers there are; two of them are a majority.
pub const BROKERS: usize = 3;
/// How many partitions the requests of an endpoint have.
const PARTITIONS: u32 = 4;
/// In this time hosts that nobody troubles any more answer again, and finish what was left.
const HEALING: Duration = Duration::from_secs(150);
/// How often to look whether something has happened.
const LOOK: Duration = Duration::from_millis(20);
/// After so long without a sign of life a host is out of its group.
const SESSION: &str =
    "[stream.kafka.properties]\n'session.timeout.ms' = '6000'\n'heartbeat.interval.ms' = '500'\n";

/// How a run is.
#[derive(Debug, Clone, Copy)]
pub struct Setup {
    /// Decides about everything that is left to chance.
    pub seed: u64,
    /// How many hosts.
    pub hosts: usize,
    /// How many records a second are written to each endpoint.
    pub rate: u64,
    /// How many callers call all the time.
    pub callers: usize,
    /// No step begins after this time.
    pub at_most: Duration,
}

/// What a run has left.
#[derive(Debug)]
pub struct Outcome {
    /// What happened in each endpoint.
    pub histories: Vec<History>,
    /// What was done, each with how long after the start.
    pub done: Vec<(Duration, String)>,
    /// What should have happened and did not.
    pub stuck: Vec<String>,
    /// How often a host was killed or stopped.
    pub deaths: u64,
    /// What each life of each host wrote to standard error.
    pub logs: Vec<(String, String)>,
}

/// Everything that runs.
struct World {
    cluster: Cluster,
    deployment: Deployment,
    hosts: Hosts,
    watcher: Watcher,
    started: Instant,
    done: Vec<(Duration, String)>,
    stuck: Vec<String>,
}

/// Does what a schedule says, and returns what it led to.
///
/// # Panics
///
/// Where brokers or hosts do not start.
pub fn run(setup: &Setup, schedule: &Schedule) -> Outcome {
    let cluster = Cluster::start(BROKERS, &Options::default().proxied());
    let deployment = Deployment::on_cluster(&cluster).partitions(PARTITIONS).with_sections(SESSION);
    let models = Models::new();
    let endpoints = Endpoint::all(&deployment);
    for endpoint in &endpoints {
        endpoint.install(&models, &cluster.client());
    }
    let hosts = Hosts::start(setup.hosts, &models, &deployment);
    hosts.wait_until_settled(&endpoints);
    let watcher = Watcher::start(&cluster.client(), &endpoints);
    let mut world = World {
        watcher,
        hosts,
        deployment,
        cluster,
        started: Instant::now(),
        done: Vec::new(),
        stuck: Vec::new(),
    };
    let producers: Vec<_> = endpoints
        .iter()
        .zip(setup.seed..)
        .map(|(endpoint, seed)| Producer::start(world.cluster.client(), endpoint, seed, setup.rate))
        .collect();
    let called = endpoints[0].name;
    let callers = Callers::start(world.hosts.addresses(), called, setup.seed, setup.callers);
    world.wait_for_answers(1, HEALING, "the first answer");
    world.follow(setup, schedule);
    let sent = producers.into_iter().map(Producer::finish).collect();
    let calls = callers.finish();
    world.finish(&endpoints, sent, calls)
}

impl World {
    /// Does one step after the other, until there is none left or no time.
    fn follow(&mut self, setup: &Setup, schedule: &Schedule) {
        for step in &schedule.steps {
            if self.started.elapsed() >= setup.at_most || !self.stuck.is_empty() {
                return;
            }
            self.wait_for_answers(step.after_answers.max(1), HEALING, "answers between troubles");
            self.follow_step(step);
        }
    }

    fn follow_step(&mut self, step: &Step) {
        let since = Instant::now();
        let mut faults = step.faults.clone();
        // Brokers first: so hosts are also started and stopped while they are troubled.
        faults.sort_unstable_by_key(|fault| fault.host().is_some());
        for fault in &faults {
            self.note(fault.to_string());
            self.begin(*fault);
        }
        let over = Instant::now() + step.at_most;
        let enough = self.watcher.answers() + step.until_answers;
        while Instant::now() < over && self.watcher.answers() < enough {
            std::thread::sleep(LOOK);
        }
        if faults.iter().any(|fault| matches!(fault, Fault::FreezeHost(_))) {
            self.wait_for_takeover(since);
        }
        for fault in &faults {
            self.note(format!("over: {fault}"));
            self.end(*fault);
        }
    }

    fn note(&mut self, what: String) {
        self.done.push((self.started.elapsed(), what));
    }

    fn wait_for_answers(&mut self, more: u64, at_most: Duration, what: &str) {
        let enough = self.watcher.answers() + more;
        let give_up = Instant::now() + at_most;
        while self.watcher.answers() < enough {
            if Instant::now() > give_up {
                self.stuck.push(format!("found no {what} in {} s", at_most.as_secs()));
                return;
            }
            std::thread::sleep(LOOK);
        }
    }
}

/// How much there is to trouble in a run.
impl From<&Setup> for Scale {
    fn from(setup: &Setup) -> Self {
        Self { hosts: setup.hosts, brokers: BROKERS }
    }
}
