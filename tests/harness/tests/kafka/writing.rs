//! Records that `understudy write` brings to a plain topic of several partitions.

use std::collections::BTreeMap;
use std::fs;
use std::process::Output;

use harness::{Deployment, Host, Models, understudy};
use kafka_testkit::Message;

const PARTITIONS: i32 = 5;

/// A host and a topic that its endpoints know nothing of.
struct Rig {
    deployment: Deployment,
    host: Host,
    topic: String,
    _models: Models,
}

impl Rig {
    fn new() -> Self {
        let deployment = Deployment::shared();
        let topic = deployment.topic("orders");
        let names = format!("[stream.kafka.names]\norders = '{topic}'\n");
        let deployment = deployment.with_sections(&names);
        deployment.client().create_topic(&topic, PARTITIONS, &[]);
        let models = Models::with_champion("e", "identity");
        let host = deployment.host(&models);
        host.wait_until_settled("e");
        Self { deployment, host, topic, _models: models }
    }

    fn write(&self, lines: &str, more: &[&str]) -> Output {
        let data = self.host.data();
        let file = data.join("orders.txt");
        fs::write(&file, lines).unwrap();
        let paths = [&file, &data].map(|path| path.to_str().expect("a path").to_owned());
        let words = ["write", "--topic", "orders", &paths[0], "--data", &paths[1]];
        understudy(words.iter().chain(more).copied())
    }

    /// What is in the topic after these lines that was not before, by partitions.
    fn written(&self, lines: &str, more: &[&str]) -> BTreeMap<i32, Vec<Message>> {
        let before = self.ends();
        let done = self.write(lines, more);
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        let mut found: BTreeMap<i32, Vec<Message>> = BTreeMap::new();
        for message in self.deployment.client().read_all(&self.topic) {
            let partition = message.partition.expect("a partition");
            if message.offset >= before[partition as usize] {
                found.entry(partition).or_default().push(message);
            }
        }
        found
    }

    fn ends(&self) -> Vec<i64> {
        self.deployment.client().ends(&self.topic).into_iter().map(|(_, end)| end).collect()
    }
}

#[test]
fn a_key_has_the_partition_that_kafkas_own_client_gives_it_and_what_has_none_is_spread() {
    let rig = Rig::new();
    let keys: Vec<String> = (0..100).map(|number| format!("kéy {number}")).collect();

    // A producer that chooses as the Java client does says where each key belongs.
    let other = rig.deployment.topic("as-in-java");
    let client = rig.deployment.client();
    client.create_topic(&other, PARTITIONS, &[]);
    let messages: Vec<Message> =
        keys.iter().map(|key| Message::new("?").key(key.as_bytes())).collect();
    let java = client.clone().with("partitioner", "murmur2_random").produce(&other, &messages);
    let expected: BTreeMap<&String, i32> =
        keys.iter().zip(java.iter().map(|(partition, _)| *partition)).collect();

    let lines: String = keys.iter().map(|key| format!("{key}\t{{\"of\": \"{key}\"}}\n")).collect();
    let found = rig.written(&lines, &["--key-separator", "\\t"]);
    assert_eq!(found.values().map(Vec::len).sum::<usize>(), keys.len());
    for (partition, message) in found.iter().flat_map(|(it, all)| all.iter().map(move |m| (it, m)))
    {
        let key = String::from_utf8(message.key.clone().expect("a key")).unwrap();
        assert_eq!(message.text(), format!("{{\"of\": \"{key}\"}}"));
        assert_eq!(expected[&key], *partition, "{key}");
    }

    let found = rig.written("1\n2\n3\n", &["--key", &keys[7]]);
    assert_eq!(found.keys().collect::<Vec<_>>(), [&expected[&keys[7]]]);

    let lines: String = (0..20).map(|number| format!("{number}\n")).collect();
    let found = rig.written(&lines, &[]);
    assert_eq!(found.values().map(Vec::len).collect::<Vec<_>>(), [4; PARTITIONS as usize]);
    assert!(found.values().flatten().all(|message| message.key.is_none()));
    rig.host.stop();
}

#[test]
fn who_names_a_partition_gets_that_one_and_a_clear_line_where_there_is_none() {
    let rig = Rig::new();
    let found = rig.written("a:1\nb:2\nc:3\n", &["--partition", "3", "--key-separator", ":"]);
    assert_eq!(found.keys().collect::<Vec<_>>(), [&3]);
    let keys: Vec<_> = found[&3].iter().map(|it| it.key.as_deref().unwrap_or_default()).collect();
    assert_eq!(keys, [b"a", b"b", b"c"]);

    let ends = rig.ends();
    for (lines, more, expected) in [
        ("1\n", ["--partition", "5"], "partition: found 5, expected a number below 5"),
        ("a:1\nb;2\n", ["--key-separator", ":"], "key_separator: found `b;2`"),
    ] {
        let refused = rig.write(lines, &more);
        let error = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert!(!refused.status.success() && error.contains(expected), "{error}");
    }
    assert_eq!(rig.ends(), ends);
    rig.host.stop();
}
