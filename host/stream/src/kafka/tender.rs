//! The thread that looks after everything now and then: what has to be sent once more, clients that
//! cannot go on, and where partitions begin and end.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Weak};
use std::thread;
use std::time::{Duration, Instant};

use super::Cluster;
use super::partition::KafkaPartition;
use super::trouble::Class;

/// How often it looks.
const EVERY: Duration = Duration::from_millis(100);

/// How often it asks where partitions end.
const ENDS_EVERY: Duration = Duration::from_secs(1);

/// How often it asks where they begin, counted in times that it asks where they end.
const STARTS_EVERY: u64 = 10;

/// Starts it. It ends by itself when the stream is closed.
pub(crate) fn start(cluster: &Arc<Cluster>) -> std::io::Result<()> {
    let cluster = Arc::downgrade(cluster);
    thread::Builder::new().name("kafka tender".to_owned()).spawn(move || run(&cluster)).map(drop)
}

fn run(cluster: &Weak<Cluster>) {
    let (mut asked, mut times) = (Instant::now(), 0_u64);
    loop {
        thread::sleep(EVERY);
        let Some(cluster) = cluster.upgrade() else { return };
        if cluster.is_closed.load(Ordering::Acquire) {
            return;
        }
        cluster.asker.listen();
        cluster.commits.listen();
        cluster.writer.mend();
        let partitions = cluster.writer.outlets().all();
        let stuck: Vec<_> = partitions.iter().filter_map(|it| it.send_again()).collect();
        if asked.elapsed() >= ENDS_EVERY {
            say_stuck(&cluster, &stuck);
            look(&cluster, partitions, times.is_multiple_of(STARTS_EVERY));
            (asked, times) = (Instant::now(), times + 1);
        }
    }
}

fn say_stuck(cluster: &Cluster, waited: &[Duration]) {
    if let Some(longest) = waited.iter().max() {
        let (partitions, longest) = (waited.len(), longest.as_secs());
        let reason = format!("records for {partitions} partitions have waited, up to {longest} s");
        cluster.board.note(Class::Stuck, &reason);
    }
}

/// Asks where the partitions that somebody uses end, and perhaps where they begin.
fn look(cluster: &Cluster, partitions: Vec<Arc<KafkaPartition>>, and_starts: bool) {
    let mut topics: BTreeMap<String, BTreeMap<u32, Arc<KafkaPartition>>> = BTreeMap::new();
    for partition in partitions.into_iter().filter(|partition| partition.is_used()) {
        let numbers = topics.entry(partition.kafka_topic().to_owned()).or_default();
        numbers.insert(crate::Partition::number(&*partition), partition);
    }
    for (topic, partitions) in topics {
        if cluster.is_closed.load(Ordering::Acquire) {
            return;
        }
        let numbers: Vec<_> = partitions.keys().copied().collect();
        match cluster.asker.ends(&topic, &numbers) {
            Ok(ends) => ends.iter().for_each(|(number, end)| partitions[number].set_end(*end)),
            Err(code) if Class::of(code) == Class::Topic => {
                cluster.topics.forget(&topic);
                partitions.values().for_each(|partition| partition.not_found(code));
                continue;
            }
            // Whatever it is, the clients have said so.
            Err(_) => continue,
        }
        if and_starts && let Ok(starts) = cluster.asker.starts(&topic, &numbers) {
            starts.iter().for_each(|(number, start)| partitions[number].set_start(*start));
        }
    }
}
