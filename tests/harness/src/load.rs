//! Callers who go on calling while a test does something to the host, and remember what they were told.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::{Client, Host, Response, infer_body, wait};

/// How a caller who finds nobody waits before the next try.
const RETRY_PAUSE: Duration = Duration::from_millis(5);

/// How callers call.
#[derive(Debug, Clone)]
pub struct LoadOptions {
    /// How many there are; each waits for its answer before it calls again.
    pub callers: usize,
    /// How long each rests after an answer.
    pub pause: Duration,
    /// What the call of this number asks. Numbers are given once among all callers.
    pub x: fn(u64) -> f64,
    /// Whether each call bears a header `idempotency-key`, which is its id then.
    pub idempotency_keys: bool,
}

impl Default for LoadOptions {
    fn default() -> Self {
        Self {
            callers: 2,
            pause: Duration::from_millis(2),
            x: |number| number as f64,
            idempotency_keys: false,
        }
    }
}

/// Callers who call one endpoint until they are told to stop. They follow a host that is started again.
#[derive(Debug)]
pub struct Load {
    shared: Arc<Shared>,
    callers: Vec<JoinHandle<Vec<Call>>>,
}

/// What a caller was told.
#[derive(Debug, Clone, PartialEq)]
pub struct Call {
    /// The number of the call, which is also the `id` of its document.
    pub number: u64,
    /// What was asked.
    pub x: f64,
    /// When the call was made, since the start of the load.
    pub at: Duration,
    /// From the call to the answer.
    pub latency: Duration,
    /// The response, or why there is none.
    pub response: Result<Response, String>,
}

/// What all callers were told, in the order of their numbers.
#[derive(Debug)]
pub struct LoadReport {
    /// Every call.
    pub calls: Vec<Call>,
}

#[derive(Debug)]
struct Shared {
    options: LoadOptions,
    path: String,
    host: Arc<Mutex<Option<SocketAddr>>>,
    stop: AtomicBool,
    next: AtomicU64,
    answered: AtomicU64,
    started: Instant,
}

impl Load {
    /// Starts calling an endpoint, and returns when every caller has got an answer.
    pub fn start(host: &Host, endpoint: &str) -> Self {
        Self::start_with(host, endpoint, LoadOptions::default())
    }

    /// Starts calling an endpoint in a certain way, and returns when every caller has got an answer.
    pub fn start_with(host: &Host, endpoint: &str, options: LoadOptions) -> Self {
        let callers = options.callers;
        let shared = Arc::new(Shared {
            options,
            path: format!("/v2/models/{endpoint}/infer"),
            host: host.whereabouts(),
            stop: AtomicBool::new(false),
            next: AtomicU64::new(0),
            answered: AtomicU64::new(0),
            started: Instant::now(),
        });
        let call = || {
            let shared = Arc::clone(&shared);
            thread::spawn(move || shared.call_on())
        };
        let load = Self { callers: (0..callers).map(|_| call()).collect(), shared };
        load.wait_for_calls(callers as u64);
        load
    }

    /// How many calls have ended so far, well or badly.
    pub fn calls(&self) -> u64 {
        self.shared.answered.load(Ordering::Acquire)
    }

    /// The number of the next call: those with it and with greater ones are made after this.
    pub fn next_number(&self) -> u64 {
        self.shared.next.load(Ordering::Acquire)
    }

    /// Waits until so many more calls have ended.
    pub fn wait_for_calls(&self, more: u64) {
        let enough = self.calls() + more;
        wait::until(
            "callers get their answers",
            || format!("{} of {enough} calls have ended", self.calls()),
            || (self.calls() >= enough).then_some(()),
        );
    }

    /// Stops calling, and returns what everybody was told.
    ///
    /// # Panics
    ///
    /// Where a caller panicked.
    pub fn finish(mut self) -> LoadReport {
        self.shared.stop.store(true, Ordering::Release);
        let callers = std::mem::take(&mut self.callers).into_iter();
        let mut calls: Vec<_> = callers
            .flat_map(|caller| caller.join().expect("a caller who does not panic"))
            .collect();
        calls.sort_unstable_by_key(|call| call.number);
        LoadReport { calls }
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Release);
    }
}

impl LoadReport {
    /// Those that got no answer, or an error.
    pub fn failures(&self) -> impl Iterator<Item = &Call> {
        self.calls.iter().filter(|call| call.status() != Some(200))
    }

    /// Asserts that each call got an answer.
    ///
    /// # Panics
    ///
    /// Where one did not, with the first of them.
    pub fn assert_no_failure(&self) {
        let failures: Vec<_> = self.failures().collect();
        assert!(
            failures.is_empty(),
            "{} of {} calls failed; the first: {}",
            failures.len(),
            self.calls.len(),
            failures[0].described()
        );
        assert!(!self.calls.is_empty(), "nobody called");
    }

    /// Asserts that each call got an answer, and from one of these models.
    ///
    /// # Panics
    ///
    /// Where one did not, with the first of them.
    pub fn assert_answered_by(&self, models: &[&str]) {
        self.assert_no_failure();
        let stranger = self
            .calls
            .iter()
            .find(|call| call.model().is_none_or(|model| !models.contains(&model.as_str())));
        if let Some(call) = stranger {
            panic!("expected answers of {models:?} only; found: {}", call.described());
        }
    }

    /// How many calls this model answered.
    pub fn answers_of(&self, model: &str) -> usize {
        self.calls.iter().filter(|call| call.model().as_deref() == Some(model)).count()
    }
}

impl Call {
    /// The status of the response, if there is one.
    pub fn status(&self) -> Option<u16> {
        self.response.as_ref().ok().map(|response| response.status)
    }

    /// The model that answered, `default` for the policy's own.
    pub fn model(&self) -> Option<String> {
        self.answer()?.model()
    }

    /// The revision that answered, in short.
    pub fn revision(&self) -> Option<String> {
        self.answer()?.revision()
    }

    /// The answer `y`.
    pub fn y(&self) -> Option<f64> {
        self.answer()?.y()
    }

    /// Why the answer is what it is.
    pub fn reason(&self) -> Option<String> {
        self.answer()?.json()["parameters"]["reason"].as_str().map(str::to_owned)
    }

    fn answer(&self) -> Option<&Response> {
        self.response.as_ref().ok().filter(|response| response.status == 200)
    }

    fn described(&self) -> String {
        let told = match &self.response {
            Ok(response) => format!("{} {}", response.status, response.text()),
            Err(error) => format!("no response ({error})"),
        };
        format!("call {} at {:?} with x = {}: {told}", self.number, self.at, self.x)
    }
}

impl Shared {
    fn call_on(&self) -> Vec<Call> {
        let mut calls = Vec::new();
        let mut client: Option<(SocketAddr, Client)> = None;
        while !self.stop.load(Ordering::Acquire) {
            let Some(address) = *self.host.lock().unwrap_or_else(PoisonError::into_inner) else {
                thread::sleep(RETRY_PAUSE);
                continue;
            };
            let (_, client) = match &mut client {
                Some(current) if current.0 == address => current,
                stale => stale.insert((address, Client::new(address))),
            };
            let call = self.call(client);
            let failed = call.response.is_err();
            calls.push(call);
            self.answered.fetch_add(1, Ordering::Release);
            thread::sleep(if failed { RETRY_PAUSE } else { self.options.pause });
        }
        calls
    }

    fn call(&self, client: &mut Client) -> Call {
        let number = self.next.fetch_add(1, Ordering::AcqRel);
        let x = (self.options.x)(number);
        let id = number.to_string();
        let mut headers = vec![("content-type", "application/json")];
        if self.options.idempotency_keys {
            headers.push(("idempotency-key", &id));
        }
        let body = infer_body(&id, x);
        let started = Instant::now();
        let response = client.send("POST", &self.path, &headers, body.as_bytes());
        Call {
            number,
            x,
            at: started - self.started,
            latency: started.elapsed(),
            response: response.map_err(|error| error.to_string()),
        }
    }
}
