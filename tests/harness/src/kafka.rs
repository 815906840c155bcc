//! Several hosts on one cluster of Kafka, apart from all others by the names of their topics.

use kafka_testkit::{Broker, Client, Cluster, Message, unique};

use crate::{Host, Models, Options};

/// Hosts that share a cluster and a folder of models, as far as they are configured.
#[derive(Debug, Clone)]
pub struct Deployment {
    bootstrap: String,
    client: Client,
    prefix: String,
    partitions: u32,
    cluster_section: String,
    rest: String,
}

impl Deployment {
    /// A deployment on the broker that the tests of this process share.
    pub fn shared() -> Self {
        Self::on(Broker::shared())
    }

    /// A deployment on a broker.
    pub fn on(broker: &Broker) -> Self {
        Self::at(broker.bootstrap().to_owned(), broker.client())
    }

    /// A deployment on a cluster.
    pub fn on_cluster(cluster: &Cluster) -> Self {
        Self::at(cluster.bootstrap(), cluster.client())
    }

    /// A deployment whose hosts begin at these brokers, while the test itself looks through this client.
    pub fn at(bootstrap: String, client: Client) -> Self {
        let prefix = format!("{}.", unique("test"));
        let (cluster_section, rest) = Default::default();
        Self { bootstrap, client, prefix, partitions: 4, cluster_section, rest }
    }

    /// The same with so many partitions for the requests of an endpoint.
    #[must_use]
    pub const fn partitions(mut self, partitions: u32) -> Self {
        self.partitions = partitions;
        self
    }

    /// The same with more sections below `[stream.kafka]` of `understudy.toml`, by their full names.
    #[must_use]
    pub fn with_sections(mut self, toml: &str) -> Self {
        self.rest.push_str(toml);
        self
    }

    /// The same with more keys of the section `[stream.kafka]`.
    #[must_use]
    pub fn with_keys(mut self, toml: &str) -> Self {
        self.cluster_section.push_str(toml);
        self
    }

    /// What `understudy.toml` says.
    pub fn config(&self) -> String {
        let brokers: Vec<String> = self.bootstrap.split(',').map(|it| format!("'{it}'")).collect();
        format!(
            "[stream]\nbackend = 'kafka'\n[stream.kafka]\nbrokers = [{}]\nprefix = '{}'\n{}\
             [stream.kafka.topics]\npartitions = {}\n{}",
            brokers.join(", "),
            self.prefix,
            self.cluster_section,
            self.partitions,
            self.rest
        )
    }

    /// Starts one more host on these models.
    pub fn host(&self, models: &Models) -> Host {
        Host::start(&models.path(), self.options())
    }

    /// With what a host of it is started.
    pub fn options(&self) -> Options {
        Options { config: self.config(), ..Options::default() }
    }

    /// What the cluster calls a topic that the host calls `flights/requests`.
    pub fn topic(&self, name: &str) -> String {
        format!("{}{}", self.prefix, name.replace('/', "."))
    }

    /// The group in which hosts share an endpoint.
    pub fn group(&self, endpoint: &str) -> String {
        self.topic(endpoint)
    }

    /// What stands before the names of topics and groups.
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// A client of the same cluster.
    pub const fn client(&self) -> &Client {
        &self.client
    }

    /// Everything that is in a topic now, as far as it is committed.
    pub fn read(&self, topic: &str) -> Vec<Message> {
        self.client.read_all(&self.topic(topic))
    }

    /// How many requests of an endpoint its hosts have not committed.
    pub fn lag(&self, endpoint: &str) -> i64 {
        self.client.lag(&self.group(endpoint), &self.topic(&format!("{endpoint}/requests")))
    }
}
