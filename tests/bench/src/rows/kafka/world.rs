//! A broker, and hosts that share it: each deployment has topics of its own.

use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use kafka_testkit::{Broker, Client};
use rdkafka::ClientConfig;
use serde_json::Value;
use stream::kafka::{Role, settings};

use crate::child::Server;
use crate::folder::{Folder, THREE_MODELS};

/// How many partitions the requests have.
pub(super) const PARTITIONS: u32 = 8;
/// How long anything may take that is waited for.
pub(super) const WAIT_LIMIT: Duration = Duration::from_secs(120);

static WORLDS: AtomicU32 = AtomicU32::new(0);

/// A deployment of its own on the broker of this run.
pub(super) struct World {
    pub(super) client: Client,
    pub(super) partitions: u32,
    profile: &'static str,
    prefix: String,
    folder: Folder,
}

impl World {
    /// A deployment without hosts.
    pub(super) fn new(profile: &str, partitions: u32) -> Result<Self> {
        let broker = Broker::shared();
        let number = WORLDS.fetch_add(1, Ordering::Relaxed);
        let prefix = format!("{}-{number}.", kafka_testkit::unique("bench"));
        let folder = Folder::new()?;
        folder.three_models("")?;
        folder.configure(&format!(
            "[stream]\nbackend = 'kafka'\n[stream.kafka]\nbrokers = ['{}']\nprefix = '{prefix}'\n\
             profile = '{profile}'\n[stream.kafka.topics]\npartitions = {partitions}\n",
            broker.bootstrap()
        ))?;
        let profile = if profile == "throughput" { "throughput" } else { "low-latency" };
        let world = Self { client: broker.client(), partitions, profile, prefix, folder };
        // Those who write before a host is there need them.
        for topic in ["flights/requests", "flights/answers", "flights/scores"] {
            world.make_topic(topic);
        }
        Ok(world)
    }

    /// Configures the endpoint further. The hosts that come have to read it.
    pub(super) fn add_to_endpoint(&self, toml: &str) -> Result<()> {
        self.folder.three_models(toml)
    }

    /// Starts one more host, and waits until its models are there.
    pub(super) fn host(&self, number: usize) -> Result<Server> {
        Server::host_beside(&self.folder, &format!("data-{number}"), THREE_MODELS.len())
    }

    /// Makes a topic with as many partitions as the requests have.
    pub(super) fn make_topic(&self, name: &str) {
        self.client.create_topic(&self.topic(name), self.partitions as i32, &[]);
    }

    /// What the cluster calls a topic.
    pub(super) fn topic(&self, name: &str) -> String {
        format!("{}{}", self.prefix, name.replace('/', "."))
    }

    /// How a client of the library is configured that hosts have for this.
    pub(super) fn config(&self, role: Role) -> ClientConfig {
        let mut config = ClientConfig::new();
        for setting in settings().iter().filter(|setting| setting.roles.contains(&role)) {
            let value = match self.profile {
                "throughput" => setting.throughput,
                _ => setting.low_latency,
            };
            config.set(setting.property, value);
        }
        config.set("bootstrap.servers", Broker::shared().bootstrap());
        config
    }

    /// The value of the last record of a topic.
    pub(super) fn last_value(&self, name: &str) -> Result<Vec<u8>> {
        let records = self.client.read_all(&self.topic(name));
        let last =
            records.into_iter().rev().find_map(|record| record.value.filter(|it| !it.is_empty()));
        last.with_context(|| format!("{name} is empty"))
    }

    /// Waits until each host owns as many partitions as another, or one more.
    pub(super) fn wait_until_shared(&self, hosts: &[Server]) -> Result<()> {
        let fair = self.partitions as usize / hosts.len();
        for host in hosts {
            host.wait_until(|status| owned(status) >= fair)?;
        }
        let until = Instant::now() + WAIT_LIMIT;
        loop {
            let mut all = 0;
            for host in hosts {
                all += owned(&host.status()?);
            }
            if all == self.partitions as usize {
                return Ok(());
            }
            ensure!(Instant::now() < until, "{all} partitions are owned");
            thread::sleep(Duration::from_millis(50));
        }
    }
}

/// How many partitions of the requests a host owns.
fn owned(status: &Value) -> usize {
    status["endpoints"][0]["shared"]["owned"].as_array().map_or(0, Vec::len)
}
