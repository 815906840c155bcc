//! Callers and writers that never stop, whatever becomes of the host.
//!
//! Who gets no answer asks the next host again: with the same key or the same records where the
//! host promises that this is the same request, and with a new one where it does not.

use std::net::SocketAddr;
use std::sync::{Arc, Condvar, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use harness::Client;
use serde_json::Value;

use crate::random::Random;

/// How many records a writer brings at most at once.
const BATCH: u64 = 30;
/// The requests that are in a hurry give the host so much time.
const HURRY_US: u64 = 20_000;
/// How long everybody rests after something went well: they shall come at any moment, not in
/// masses.
const REST: Duration = Duration::from_millis(2);
/// The longest that anything here may take.
const LIMIT: Duration = Duration::from_secs(60);

/// Callers and writers of some endpoints.
pub(crate) struct Traffic {
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<Told>>,
}

/// What one of them was told by the hosts.
pub(crate) struct Told {
    pub(crate) endpoint: &'static str,
    /// The ids and documents of the answers.
    pub(crate) answers: Vec<(String, Value)>,
    /// The ids of the records that a host said it has kept.
    pub(crate) kept: Vec<String>,
}

struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    address: SocketAddr,
    /// How many hosts there were.
    lives: u64,
    stop: bool,
    /// How many calls and batches went well.
    successes: u64,
}

impl Traffic {
    /// Starts a caller and a writer for each endpoint.
    pub(crate) fn start(address: SocketAddr, endpoints: &[&'static str], seed: u64) -> Self {
        let state = State { address, lives: 1, stop: false, successes: 0 };
        let shared = Arc::new(Shared { state: Mutex::new(state), changed: Condvar::new() });
        let mut threads = Vec::new();
        for (index, &endpoint) in endpoints.iter().enumerate() {
            for (role, run) in [Traveller::call, Traveller::write].into_iter().enumerate() {
                let number = (2 * index + role) as u64;
                let told = Told { endpoint, answers: Vec::new(), kept: Vec::new() };
                let mut traveller = Traveller {
                    shared: Arc::clone(&shared),
                    client: Client::new(address),
                    lives: 1,
                    random: Random::new(seed ^ number << 32),
                    told,
                    number,
                    count: 0,
                };
                threads.push(thread::spawn(move || {
                    while !traveller.is_over() {
                        run(&mut traveller);
                    }
                    traveller.told
                }));
            }
        }
        Self { shared, threads }
    }

    /// Waits until so many more calls and batches have gone well.
    pub(crate) fn wait_for(&self, more: u64) {
        let state = self.shared.state.lock().unwrap();
        let wanted = state.successes + more;
        let (state, _) = self
            .shared
            .changed
            .wait_timeout_while(state, LIMIT, |state| state.successes < wanted)
            .unwrap();
        assert!(state.successes >= wanted, "{more} more answers did not come within {LIMIT:?}");
    }

    /// Sends everybody to the next host.
    pub(crate) fn move_to(&self, address: SocketAddr) {
        let mut state = self.shared.state.lock().unwrap();
        state.address = address;
        state.lives += 1;
        self.shared.changed.notify_all();
    }

    /// Ends it while a host is there, so that whoever waits for one gets an answer.
    pub(crate) fn finish(self) -> Vec<Told> {
        self.shared.state.lock().unwrap().stop = true;
        self.shared.changed.notify_all();
        self.threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    }
}

/// One who calls or writes.
struct Traveller {
    shared: Arc<Shared>,
    client: Client,
    /// The life of the host that the client talks to.
    lives: u64,
    random: Random,
    told: Told,
    number: u64,
    count: u64,
}

impl Traveller {
    /// One call with an id that the host makes up.
    fn call(&mut self) {
        let body = self.document(None);
        // Without an answer nobody knows whether it was accepted: the topics will tell.
        if let Some(document) = self.post("infer", "application/json", &[], &body) {
            self.keep_answer(document);
        }
    }

    /// Some records, then one call with a key, each again and again until a host takes them.
    fn write(&mut self) {
        let mut ids = Vec::new();
        let mut lines = String::new();
        for _ in 0..=self.random.below(BATCH) {
            let id = self.name("record");
            lines.push_str(&self.document(Some(&id)));
            lines.push('\n');
            ids.push(id);
        }
        self.insist("records", "application/x-ndjson", &[], &lines);
        self.told.kept.extend(ids);
        let key = self.name("key");
        let body = self.document(None);
        let document =
            self.insist("infer", "application/json", &[("idempotency-key", &key)], &body);
        self.keep_answer(document);
    }

    fn insist(&mut self, ask: &str, kind: &str, headers: &[(&str, &str)], body: &str) -> Value {
        let started = Instant::now();
        loop {
            if let Some(document) = self.post(ask, kind, headers, body) {
                return document;
            }
            assert!(started.elapsed() < LIMIT, "no host took it within {LIMIT:?}");
        }
    }

    /// The document of a reply with status 200. Where there is none, the host is dead or has only
    /// just started: this waits a little for the next one.
    fn post(
        &mut self,
        ask: &str,
        kind: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Option<Value> {
        let (address, lives) = {
            let state = self.shared.state.lock().unwrap();
            (state.address, state.lives)
        };
        let path = format!("/v2/models/{}/{ask}", self.told.endpoint);
        if self.lives != lives {
            (self.client, self.lives) = (Client::new(address), lives);
        }
        let mut all = vec![("content-type", kind)];
        all.extend(headers);
        match self.client.send("POST", &path, &all, body.as_bytes()) {
            Ok(response) if response.status == 200 => {
                self.shared.state.lock().unwrap().successes += 1;
                self.shared.changed.notify_all();
                thread::sleep(REST);
                return Some(response.json());
            }
            // A host that has not looked into its folder yet knows no endpoint.
            Ok(response) => assert_eq!(response.status, 404, "{path}: {}", response.text()),
            Err(_) => {}
        }
        let state = self.shared.state.lock().unwrap();
        let waits = |state: &mut State| state.lives == lives && !state.stop;
        let pause = Duration::from_millis(20);
        drop(self.shared.changed.wait_timeout_while(state, pause, waits).unwrap());
        None
    }

    fn keep_answer(&mut self, document: Value) {
        let id = document["parameters"]["request_id"].as_str().expect("an answer says to what");
        self.told.answers.push((id.to_owned(), document));
    }

    /// A request; every second one is in a hurry.
    fn document(&mut self, id: Option<&str>) -> String {
        let x = self.random.below(1_000_000);
        let id = id.map(|id| format!("\"id\":\"{id}\",")).unwrap_or_default();
        let hurry = match self.random.below(2) {
            0 => format!("\"parameters\":{{\"timeout\":{HURRY_US}}},"),
            _ => String::new(),
        };
        format!(
            "{{{id}{hurry}\"inputs\":[{{\"name\":\"x\",\"datatype\":\"FP64\",\"shape\":[1],\"data\":[{x}]}}]}}"
        )
    }

    fn name(&mut self, what: &str) -> String {
        self.count += 1;
        format!("{what}-{}-{}", self.number, self.count)
    }

    fn is_over(&self) -> bool {
        self.shared.state.lock().unwrap().stop
    }
}
