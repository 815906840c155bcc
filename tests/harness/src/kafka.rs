//! Several hosts on one cluster of Kafka, apart from all others by the names of their topics.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use kafka_testkit::{Broker, Client, Cluster, Message, unique};
use message::record::{Fences, Standing};

use crate::{Host, Models, Options, infer_body};

/// Hosts that share a cluster and a folder of models, as far as they are configured.
#[derive(Debug, Clone)]
pub struct Deployment {
    bootstrap: String,
    client: Client,
    prefix: String,
    partitions: u32,
    cluster_keys: String,
    topic_keys: String,
    sections: String,
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
        let (cluster_keys, topic_keys, sections) = Default::default();
        Self { bootstrap, client, prefix, partitions: 4, cluster_keys, topic_keys, sections }
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
        self.sections.push_str(toml);
        self
    }

    /// The same with more keys of the section `[stream.kafka]`.
    #[must_use]
    pub fn with_keys(mut self, toml: &str) -> Self {
        self.cluster_keys.push_str(toml);
        self
    }

    /// The same with more keys of the section `[stream.kafka.topics]`.
    #[must_use]
    pub fn with_topic_keys(mut self, toml: &str) -> Self {
        self.topic_keys.push_str(toml);
        self
    }

    /// What `understudy.toml` says.
    pub fn config(&self) -> String {
        let brokers: Vec<String> = self.bootstrap.split(',').map(|it| format!("'{it}'")).collect();
        format!(
            "[stream]\nbackend = 'kafka'\n[stream.kafka]\nbrokers = [{}]\nprefix = '{}'\n{}\
             [stream.kafka.topics]\npartitions = {}\n{}{}",
            brokers.join(", "),
            self.prefix,
            self.cluster_keys,
            self.partitions,
            self.topic_keys,
            self.sections
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

    /// The brokers at which hosts begin.
    pub fn bootstrap(&self) -> &str {
        &self.bootstrap
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

    /// Writes requests as a foreign producer would: the number is `x`, and its text the id and the key.
    pub fn write(&self, endpoint: &str, numbers: impl IntoIterator<Item = u64>) {
        let request = |number: u64| {
            let id = number.to_string();
            let body = infer_body(&id, number as f64);
            Message::new(body).key(id.as_bytes()).header("id", id.as_bytes())
        };
        let requests: Vec<Message> = numbers.into_iter().map(request).collect();
        self.client.produce(&self.topic(&format!("{endpoint}/requests")), &requests);
    }

    /// The official answer of each id: the first that counts.
    ///
    /// # Panics
    ///
    /// Where an id has answers that count and differ.
    pub fn answers(&self, endpoint: &str) -> BTreeMap<String, Message> {
        let mut fences: BTreeMap<Option<i32>, Fences> = BTreeMap::new();
        let mut official: BTreeMap<String, Message> = BTreeMap::new();
        for answer in self.read(&format!("{endpoint}/answers")) {
            let pairs = answer
                .headers
                .iter()
                .map(|(name, value)| (name.as_str(), value.as_deref().unwrap_or_default()));
            let fences = fences.entry(answer.partition).or_default();
            if fences.judge(answer.offset.unsigned_abs(), pairs) != Standing::Answer {
                continue;
            }
            let id = answer.header_text("id").unwrap_or_else(|| panic!("no id in {answer:?}"));
            match official.entry(id) {
                Entry::Vacant(vacant) => drop(vacant.insert(answer)),
                Entry::Occupied(first) => assert_eq!(first.get().value, answer.value),
            }
        }
        official
    }

    /// How many requests of an endpoint its hosts have not committed.
    pub fn lag(&self, endpoint: &str) -> i64 {
        self.client.lag(&self.group(endpoint), &self.topic(&format!("{endpoint}/requests")))
    }
}
