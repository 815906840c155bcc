//! Callers over REST who call any host, and remember what they were told.

use std::sync::Arc;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use harness::{Client, infer_body};
use serde_json::Value;

use super::hosts::Addresses;
use crate::{Call, Random, Told};

/// How long a caller rests between two calls.
const PAUSE: Duration = Duration::from_millis(40);
/// After so long a caller gives up.
const PATIENCE: Duration = Duration::from_secs(15);
/// How often of a hundred times a call bears a key and is made again at any host.
const KEYED_PERCENT: u64 = 40;

/// Callers who go on until they are told to stop.
pub(super) struct Callers {
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<Vec<Call>>>,
}

struct Shared {
    addresses: Addresses,
    path: String,
    stop: AtomicBool,
    /// Numbers are given once among all callers.
    next: AtomicU64,
}

impl Callers {
    pub(super) fn start(addresses: Addresses, endpoint: &str, seed: u64, count: usize) -> Self {
        let shared = Arc::new(Shared {
            addresses,
            path: format!("/v2/models/{endpoint}/infer"),
            stop: AtomicBool::new(false),
            next: AtomicU64::new(0),
        });
        let threads = (0..count as u64).map(|number| {
            let shared = Arc::clone(&shared);
            let random = Random::new(seed ^ (number + 1) << 32);
            thread::spawn(move || shared.call_on(random))
        });
        Self { threads: threads.collect(), shared }
    }

    pub(super) fn finish(self) -> Vec<Call> {
        self.shared.stop.store(true, Ordering::Release);
        let calls = self.threads.into_iter();
        calls.flat_map(|caller| caller.join().expect("a caller who does not panic")).collect()
    }
}

impl Shared {
    fn call_on(&self, mut random: Random) -> Vec<Call> {
        let mut calls = Vec::new();
        while !self.stop.load(Ordering::Acquire) {
            let number = self.next.fetch_add(1, Ordering::Relaxed);
            let x = number as f64;
            if random.percent(KEYED_PERCENT) {
                let key = format!("key-{number}");
                for time in 0..2 {
                    let body = infer_body(&format!("call-{number}-{time}"), x);
                    calls.extend(self.call(&mut random, Some(&key), body));
                }
            } else {
                let body = infer_body(&format!("call-{number}"), x);
                calls.extend(self.call(&mut random, None, body));
            }
            thread::sleep(PAUSE);
        }
        calls
    }

    /// Calls some host. None where it does not run.
    fn call(&self, random: &mut Random, key: Option<&str>, body: String) -> Option<Call> {
        let host = random.below(self.addresses.len() as u64) as usize;
        let address = *self.addresses[host].lock().unwrap_or_else(PoisonError::into_inner);
        let mut headers = vec![("content-type", "application/json")];
        if let Some(key) = key {
            headers.push(("idempotency-key", key));
        }
        let mut client = Client::new(address?).with_patience(PATIENCE);
        let response = client.send("POST", &self.path, &headers, body.as_bytes());
        let told = match response {
            Ok(response) if response.status == 200 => {
                Told::Answer(serde_json::from_slice(&response.body).unwrap_or(Value::Null))
            }
            Ok(response) => Told::Error { status: response.status, text: response.text() },
            Err(_) => Told::Nothing,
        };
        let (idempotency_key, body) = (key.map(str::to_owned), body.into_bytes());
        Some(Call { host, idempotency_key, body, told })
    }
}
