//! Somebody who writes requests to a topic, some of them twice, and now and then garbage.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use harness::infer_body;
use kafka_testkit::{Client, Message};

use super::endpoint::Endpoint;
use crate::{Random, Sent};

/// How many keys there are.
const KEYS: u64 = 23;
/// How often of a hundred times a request is written again.
const TWICE_PERCENT: u64 = 8;
/// A request that is written again comes up to so many records later.
const LATER: u64 = 40;
/// How often of a hundred times a record is no request.
const GARBAGE_PERCENT: u64 = 4;

/// Somebody who writes until told to stop.
pub(super) struct Producer {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<Vec<Sent>>,
}

/// What to write next.
struct Writer {
    random: Random,
    number: u64,
    /// What is to be written again, and at which number.
    again: VecDeque<(u64, Message, String)>,
}

impl Producer {
    pub(super) fn start(client: Client, endpoint: &Endpoint, seed: u64, rate: u64) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let is_over = Arc::clone(&stop);
        let (topic, source) = (endpoint.source_topic.clone(), endpoint.source.to_owned());
        let pause = Duration::from_micros(1_000_000 / rate.max(1));
        // As Java's clients choose partitions, and with records that outlive every trouble of a run.
        let client =
            client.with("partitioner", "murmur2_random").with("delivery.timeout.ms", "600000");
        let thread = thread::spawn(move || {
            let producer = client.producer();
            let mut writer =
                Writer { random: Random::new(seed), number: 0, again: VecDeque::new() };
            let mut sent = Vec::new();
            while !is_over.load(Ordering::Acquire) {
                let (message, id) = writer.next();
                producer.send(&topic, &message);
                let (source, value) = (source.clone(), message.value.unwrap_or_default());
                sent.push(Sent { source, id, value, acknowledged: None });
                thread::sleep(pause);
            }
            for (sent, became) in sent.iter_mut().zip(producer.finish()) {
                sent.acknowledged =
                    became.ok().map(|(partition, offset)| (partition as u32, offset as u64));
            }
            sent
        });
        Self { stop, thread }
    }

    pub(super) fn finish(self) -> Vec<Sent> {
        self.stop.store(true, Ordering::Release);
        self.thread.join().expect("a producer that does not panic")
    }
}

impl Writer {
    /// The next record, and the id of the request that it is.
    fn next(&mut self) -> (Message, Option<String>) {
        self.number += 1;
        if self.again.front().is_some_and(|(at, ..)| *at <= self.number) {
            let (_, message, id) = self.again.pop_front().expect("invariant: it is there");
            return (message, Some(id));
        }
        let number = self.number;
        if self.random.percent(GARBAGE_PERCENT) {
            return (self.garbage(), None);
        }
        let id = format!("r-{number}");
        let key = format!("k-{}", self.random.below(KEYS));
        let mut message = Message::new(infer_body(&id, number as f64)).key(key);
        // Without a header the document's own id counts.
        if self.random.percent(50) {
            message = message.header("id", id.as_str());
        }
        if self.random.percent(TWICE_PERCENT) {
            let later = self.random.below(LATER);
            self.again.push_back((number + later, message.clone(), id.clone()));
        }
        (message, Some(id))
    }

    /// A record that is no request, each in its own words.
    fn garbage(&mut self) -> Message {
        let number = self.number;
        match self.random.below(4) {
            0 => Message::new(format!("\u{0}garbage {number}")),
            1 => Message::new(format!("{{\"id\": \"g-{number}\"}}")),
            2 => Message::new(format!("{{\"inputs\": {number}}}")),
            _ => Message::new(infer_body(&format!("g-{number}"), number as f64))
                .header("deadline-us", "soon"),
        }
    }
}
