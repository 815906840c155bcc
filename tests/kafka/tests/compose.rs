//! The compose file for users, as far as it can be tested without containers: the image makes a property of each
//! variable, and a real broker says whether it knows it and takes its value.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use kafka_testkit::{Broker, Options, unique};

/// What depends on where a broker runs; the kit has values of its own for these.
const PLACE: [&str; 8] = [
    "node.id",
    "controller.quorum.voters",
    "controller.listener.names",
    "listeners",
    "advertised.listeners",
    "inter.broker.listener.name",
    "listener.security.protocol.map",
    "log.dirs",
];

/// The properties that the image makes of the environment: `KAFKA_NODE_ID` is `node.id`.
fn properties() -> BTreeMap<String, String> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/kafka/compose.yaml");
    let text = std::fs::read_to_string(file).expect("the compose file");
    let pairs = text.lines().filter_map(|line| line.trim().split_once(": "));
    let named = pairs.filter_map(|(name, value)| {
        let name = name.strip_prefix("KAFKA_")?.to_lowercase().replace('_', ".");
        Some((name, value.to_owned()))
    });
    named.collect()
}

/// The parts of a list, each cut in two.
fn split<'a>(list: &'a str, at: &str) -> Vec<(&'a str, &'a str)> {
    list.split(',').map(|part| part.split_once(at).expect("two halves")).collect()
}

#[test]
fn a_broker_knows_what_the_compose_file_says_and_takes_it() {
    let properties = properties();
    let settings = properties.iter().filter(|(name, _)| !PLACE.contains(&name.as_str()));
    let options =
        settings.clone().fold(Options::default(), |it, (name, value)| it.with(name, value));
    let broker = Broker::start_with(&options);
    let known = broker.client().settings_of_broker(1);
    for name in properties.keys() {
        assert!(known.contains_key(name), "{name} is nothing that a broker knows");
    }
    for (name, value) in settings {
        assert_eq!(known[name].as_ref(), Some(value), "{name}");
    }
    let topic = unique("composed");
    broker.client().create_topic(&topic, 8, &[]);
    assert_eq!(broker.client().partitions(&topic), 8);
}

#[test]
fn every_listener_of_the_compose_file_has_a_port_an_address_and_a_protocol() {
    let properties = properties();
    let names = |property: &str, at| -> BTreeSet<&str> {
        split(&properties[property], at).into_iter().map(|(name, _)| name).collect()
    };
    let listeners = names("listeners", "://");
    assert_eq!(listeners, names("listener.security.protocol.map", ":"));
    let mut advertised = names("advertised.listeners", "://");
    assert!(advertised.contains(&*properties["inter.broker.listener.name"]));
    assert!(advertised.insert(&properties["controller.listener.names"]));
    assert_eq!(listeners, advertised);
    // The voter is this very broker, at the port where its controller listens.
    let (node, voter) = properties["controller.quorum.voters"].split_once('@').expect("a voter");
    assert_eq!(node, properties["node.id"]);
    let controller = format!("CONTROLLER://:{}", voter.rsplit_once(':').expect("a port").1);
    assert!(properties["listeners"].split(',').any(|listener| listener == controller));
}
