//! `understudy mirror` from one cluster to files, and from files to a cluster.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use harness::{Deployment, Models, read_topic, understudy};
use kafka_testkit::Message;
use serde_json::json;

const REQUESTS: usize = 60;
const SECRET: &str = "Jane Doe";

fn mirror(arguments: &[&str]) -> String {
    let said = understudy(["mirror", "e"].into_iter().chain(arguments.iter().copied()));
    let error = String::from_utf8_lossy(&said.stderr).into_owned();
    assert!(said.status.success(), "{error}");
    error
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

fn request(number: usize) -> Message {
    let document = json!({
        "inputs": [
            { "name": "x", "datatype": "FP64", "shape": [1], "data": [number] },
            { "name": "who", "datatype": "BYTES", "shape": [1], "data": [SECRET] },
        ],
    });
    Message::new(document.to_string())
        .key(format!("{SECRET} {}", number % 10))
        .header("id", format!("r-{number}"))
        .header("return-to", "call")
}

#[test]
fn requests_go_from_a_cluster_to_files_and_from_files_to_a_cluster() {
    let (one, other) = (Deployment::shared().partitions(3), Deployment::shared().partitions(2));
    let models = Models::new();
    let write = |name: &str, config: String| {
        let file = models.beside(name);
        std::fs::write(&file, config).unwrap();
        file
    };
    let (from, to) = (write("one.toml", one.config()), write("other.toml", other.config()));
    let files = models.beside("copy");
    one.client().create_topic(&one.topic("e/requests"), 3, &[]);
    one.client().produce(&one.topic("e/requests"), &(0..REQUESTS).map(request).collect::<Vec<_>>());

    let position = models.beside("position");
    let first = ["--from", text(&from), "--to", text(&files), "--resume", text(&position)];
    let scrubbed = ["--hash-input", "who"];
    let half = [&first[..], &scrubbed, &["--limit", "30"]].concat();
    assert!(mirror(&half).contains("30 of 30 requests of e copied"));
    assert!(mirror(&[&first[..], &scrubbed].concat()).contains("30 of 30 requests"));
    let copies = read_topic(&files, "e", "requests");
    let ids: BTreeSet<&str> = copies.iter().map(|copy| copy.id()).collect();
    assert_eq!((copies.len(), ids.len()), (REQUESTS, REQUESTS));
    assert!(copies.iter().all(|copy| !copy.value.to_string().contains(SECRET)), "{copies:?}");

    mirror(&["--from", text(&files), "--to", text(&to)]);
    let arrived = other.read("e/requests");
    assert_eq!(arrived.len(), REQUESTS);
    let mut partitions: BTreeMap<&[u8], BTreeSet<Option<i32>>> = BTreeMap::new();
    for message in &arrived {
        let key = message.key.as_deref().unwrap();
        assert!(!key.starts_with(SECRET.as_bytes()));
        assert_eq!(message.header_text("return-to"), None);
        partitions.entry(key).or_default().insert(message.partition);
    }
    assert_eq!(partitions.len(), 10);
    assert!(partitions.values().all(|partitions| partitions.len() == 1), "{partitions:?}");

    let sample = models.beside("sample");
    let arguments = ["--from", text(&from), "--to", text(&sample), "--sample", "0.5"];
    mirror(&arguments);
    let sampled = read_topic(&sample, "e", "requests");
    assert_eq!(sampled.len() % (REQUESTS / 10), 0, "all of a key or nothing");
}
