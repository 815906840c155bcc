//! `read` on a cluster: partitions together, fences and what is void because of them.

use kafka_testkit::{Message, unique};
use serde_json::Value;

use crate::{Site, broker};

/// A site whose endpoint `e` has answers in two partitions.
fn site() -> (Site, String) {
    let prefix = unique("read");
    let topic = format!("{prefix}.e.answers");
    broker().client().create_topic(&topic, 2, &[]);
    let config = format!(
        "[stream]\nbackend = 'kafka'\n[stream.kafka]\nbrokers = ['{}']\nprefix = '{prefix}.'\n",
        broker().bootstrap()
    );
    (Site::new(&config), topic)
}

fn answer(partition: i32, id: &str, epoch: &str) -> Message {
    Message::new(format!("{{\"id\":\"{id}\"}}"))
        .to(partition)
        .header("id", id)
        .header("request-source", format!("e/requests/{partition}"))
        .header("epoch", epoch)
}

fn fence(partition: i32) -> Message {
    Message::new("").to(partition).header("fence", format!("e/requests/{partition}"))
}

fn read(site: &Site, more: &[&str]) -> Vec<Value> {
    let said = site.run(&[&["read", "e", "answers", "--config", "@", "--json"], more].concat());
    said.success().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn every_partition_is_read_and_what_does_not_count_is_marked() {
    let (site, topic) = site();
    assert_eq!(read(&site, &[]), Vec::<Value>::new());
    let records =
        [fence(0), answer(0, "a", "0"), fence(0), answer(0, "b", "0"), answer(0, "c", "2")];
    broker().client().produce(&topic, &records);
    broker().client().produce(&topic, &[answer(1, "d", "0")]);
    let lines = read(&site, &[]);
    let found: Vec<_> = lines
        .iter()
        .map(|line| {
            let id = line["headers"]["id"].as_str().unwrap_or("-");
            (line["partition"].as_u64().unwrap(), id, line["standing"].as_str())
        })
        .collect();
    let first: Vec<_> = found.iter().filter(|it| it.0 == 0).copied().collect();
    let expected = [
        (0, "-", Some("fence")),
        (0, "a", None),
        (0, "-", Some("fence")),
        (0, "b", Some("void")),
        (0, "c", None),
    ];
    assert_eq!(first, expected);
    assert!(found.contains(&(1, "d", None)) && found.len() == 6, "{found:?}");
    let said = site.run(&["read", "e", "answers", "--config", "@"]);
    assert!(said.success().contains("fence of e/requests/0"), "{}", said.out);
    assert!(said.out.contains("void: {\"id\":\"b\"}"), "{}", said.out);
}

#[test]
fn one_partition_is_read_from_an_offset_or_its_end() {
    let (site, topic) = site();
    let records: Vec<_> = (0..5).map(|number| answer(1, &number.to_string(), "0")).collect();
    broker().client().produce(&topic, &records);
    let offsets = |more: &[&str]| -> Vec<u64> {
        read(&site, more).iter().map(|line| line["offset"].as_u64().unwrap()).collect()
    };
    assert_eq!(offsets(&["--partition", "1", "--from", "3"]), [3, 4]);
    assert_eq!(offsets(&["--partition", "0"]), Vec::<u64>::new());
    assert_eq!(offsets(&["--last", "2"]), [3, 4]);
    assert_eq!(offsets(&["--limit", "1"]), [0]);
    assert_eq!(offsets(&["--since", "1h"]).len(), 5);
    let said = site.run(&["read", "e", "answers", "--config", "@", "--from", "3"]).failure();
    assert!(said.contains("expected --partition"), "{said}");
    let said = site.run(&["read", "e", "answers", "--config", "@", "--partition", "2"]).failure();
    assert!(said.contains("expected less than 2"), "{said}");
}

#[test]
fn a_topic_that_is_not_there_is_not_made_by_looking() {
    let (site, _) = site();
    for _ in 0..2 {
        let said = site.run(&["read", "e", "requests", "--config", "@"]).failure();
        assert!(said.contains("there is no topic e/requests"), "{said}");
    }
}
