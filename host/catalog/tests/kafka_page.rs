//! The page about Kafka: its files are read, and what it calls a default is one.

use std::path::Path;

use catalog::{Backend, HostConfig};

const PAGE: &str = include_str!("../../../docs/kafka.md");

fn files() -> Vec<HostConfig> {
    let block = |rest: &'static str| rest.split_once("```").map(|(block, _)| block);
    let blocks = PAGE.split("```toml\n").skip(1).filter_map(block);
    let host = blocks.filter(|block| block.contains("[stream]"));
    let parse = |text| match HostConfig::parse(Path::new("page"), text) {
        Ok(config) => config,
        Err(problem) => panic!("{problem} in\n{text}"),
    };
    host.map(parse).collect()
}

#[test]
fn every_file_of_the_page_is_understood() {
    let files = files();
    assert!(files.len() >= 2, "{} files", files.len());
    assert!(files.iter().all(|config| config.stream.backend == Backend::Kafka));
}

#[test]
fn every_key_of_the_section_is_on_the_page() {
    let schema = catalog::schema(catalog::Kind::Host);
    let objects = ["KafkaConfig", "Security", "Topics", "TopicRetention", "Delivery"];
    for object in objects {
        let properties = schema["$defs"][object]["properties"].as_object();
        let properties = properties.unwrap_or_else(|| panic!("no object {object} in {schema}"));
        for key in properties.keys() {
            let is_there = PAGE.contains(&format!("{key} = "))
                || PAGE.contains(&format!("[stream.kafka.{key}]"));
            assert!(is_there, "{object}.{key}");
        }
    }
}

#[test]
fn defaults_are_those_of_the_code() {
    let kafka = HostConfig::default().stream.kafka;
    assert_eq!(HostConfig::default().stream.backend, Backend::Embedded);
    assert_eq!(kafka.prefix, "understudy.");
    assert_eq!((kafka.topics.partitions, kafka.topics.create), (8, true));
    assert_eq!(kafka.delivery.unsent_limit_bytes, 64 << 20);
    assert_eq!(kafka.delivery.unsent_records, 100_000);
    let full = files().pop().expect("a file with every key").stream.kafka;
    assert_eq!(full.delivery, kafka.delivery);
    assert_eq!((full.prefix, full.profile), (kafka.prefix, kafka.profile));
}
