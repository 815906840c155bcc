//! Load that comes whether or not the calls before it are answered.
//!
//! Calls arrive as those of many callers do, at random and independent of each other. The latency of
//! a call counts from its arrival, also where it had to wait for a connection.

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow};
use tokio::sync::{Mutex, mpsc};
use tokio::task::JoinSet;

use super::{Generator, Load};
use crate::measure::Latencies;

/// The same arrivals in every run.
const SEED: u64 = 0x5eed;

impl Generator {
    /// Asks `rate` times a second on average.
    pub(crate) fn open_loop(&mut self, rate: f64, length: Duration) -> Result<Load> {
        let started = Instant::now();
        let (arrive, arrivals) = mpsc::unbounded_channel();
        let arrivals = Arc::new(Mutex::new(arrivals));
        let pacer = thread::spawn(move || pace(rate, length, &arrive));
        let mut asking = JoinSet::new();
        for (index, mut connection) in self.connections.drain(..).enumerate() {
            let (requests, arrivals) = (Arc::clone(&self.requests), Arc::clone(&arrivals));
            let ask = async move {
                let mut latencies = Latencies::new();
                for request in requests.iter().cycle().skip(index * 7) {
                    let arrival: Option<Instant> = arrivals.lock().await.recv().await;
                    let Some(arrival) = arrival else { break };
                    connection.call(request).await?;
                    latencies.record(arrival.elapsed());
                }
                Ok((connection, latencies))
            };
            asking.spawn_on(ask, self.runtime.handle());
        }
        let latencies = self.join(asking)?;
        let took = started.elapsed();
        pacer.join().map_err(|_panic| anyhow!("the thread that paces panicked"))?;
        Ok(Load { latencies, took })
    }
}

/// Sends arrivals until the time is over.
fn pace(rate: f64, length: Duration, arrive: &mpsc::UnboundedSender<Instant>) {
    let started = Instant::now();
    let mut due = Duration::ZERO;
    let mut random = SEED;
    while due < length {
        due += gap(&mut random, rate);
        thread::sleep((started + due).saturating_duration_since(Instant::now()));
        if arrive.send(Instant::now()).is_err() {
            return;
        }
    }
}

/// The time to the next arrival: exponentially distributed, as it is where nobody knows of the others.
fn gap(random: &mut u64, rate: f64) -> Duration {
    // SplitMix64, by Sebastiano Vigna.
    *random = random.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut mixed = *random;
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^= mixed >> 31;
    let uniform = ((mixed >> 11) as f64 + 0.5) / (1_u64 << 53) as f64;
    Duration::from_secs_f64(-uniform.ln() / rate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gaps_have_the_mean_that_was_asked_for() {
        let mut random = SEED;
        let total: Duration = (0..100_000).map(|_| gap(&mut random, 1000.0)).sum();
        let mean_us = total.as_secs_f64() * 1e6 / 100_000.0;
        assert!((mean_us - 1000.0).abs() < 20.0, "{mean_us}");
    }
}
