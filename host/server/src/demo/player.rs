//! Plays the flights: the clock on the wall says how far into the year we are.
//!
//! A machine that cannot keep up plays fewer flights, evenly: those that were passed over are
//! counted, and the year still ends on time.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow};
use front::Caller;

use super::flights::Flight;
use crate::asks;
use crate::clock;
use crate::endpoint::{Endpoint, Unanswered};

/// How many flights are handed in at once at the most.
const BATCH: usize = 128;
/// How often the player looks at the clock.
const STEP: Duration = Duration::from_millis(10);
/// How many flights may be unanswered before the next are played.
const AHEAD: u64 = 1024;
/// How many flights the player may be late before it passes some over.
const LAG: usize = 2048;

/// How far the player is.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    /// Up to which flight the year has passed.
    pub(crate) position: AtomicU64,
    /// How many flights were asked about.
    pub(crate) played: AtomicU64,
    /// How many were passed over to keep the time.
    pub(crate) passed_over: AtomicU64,
    /// How many answers have been seen; the scorekeeper counts.
    pub(crate) answered: AtomicU64,
    /// Whether the player should stop.
    pub(crate) stop: AtomicBool,
}

/// The id of the request about a flight, by its place in the file.
pub(crate) fn id_of(index: usize) -> String {
    format!("flight-{index}")
}

/// The place in the file of the flight that a request is about.
pub(crate) fn index_of(id: &str) -> Option<usize> {
    id.strip_prefix("flight-")?.parse().ok()
}

/// Plays all flights in `length`.
pub(crate) async fn play(
    endpoint: Arc<Endpoint>,
    flights: Arc<Vec<Flight>>,
    length: Duration,
    progress: Arc<Progress>,
) -> Result<()> {
    let started = Instant::now();
    let mut position = 0;
    while position < flights.len() && !progress.stop.load(Ordering::Relaxed) {
        let passed = started.elapsed().as_secs_f64() / length.as_secs_f64();
        let due = ((passed * flights.len() as f64) as usize).min(flights.len());
        if due <= position {
            tokio::time::sleep(STEP).await;
            continue;
        }
        position = step(&endpoint, &flights, position, due, &progress).await?;
        progress.position.store(position as u64, Ordering::Relaxed);
    }
    Ok(())
}

/// Plays what the clock says is due, as far as the host keeps up.
async fn step(
    endpoint: &Endpoint,
    flights: &[Flight],
    position: usize,
    due: usize,
    progress: &Progress,
) -> Result<usize> {
    let played = progress.played.load(Ordering::Relaxed);
    let unanswered = played.saturating_sub(progress.answered.load(Ordering::Relaxed));
    let room = usize::try_from(AHEAD.saturating_sub(unanswered))?.min(BATCH);
    let behind = due - position;
    if room == 0 {
        tokio::time::sleep(STEP).await;
        return Ok(position);
    }
    // A little late, nothing is passed over: the rest is played in the next steps.
    let stride = if behind <= LAG { 1 } else { behind.div_ceil(room) };
    let end = if stride == 1 { position + behind.min(room) } else { due };
    let live = endpoint.live.load_full();
    let chosen = (position..end).step_by(stride);
    let asks: Result<Vec<_>, _> = chosen
        .map(|index| {
            asks::ask_of_record(
                &Caller::local(),
                &live,
                flights[index].request(&id_of(index)),
                clock::now(),
                false,
            )
        })
        .collect();
    let asks = asks.map_err(|error| anyhow!("a flight is no request: {error:?}"))?;
    let count = asks.len() as u64;
    match asks::append(endpoint, asks).await {
        Ok(_) => {}
        Err(Unanswered::Busy) => return Ok(position),
        Err(error) => return Err(error.into()),
    }
    progress.played.fetch_add(count, Ordering::Relaxed);
    progress.passed_over.fetch_add((end - position) as u64 - count, Ordering::Relaxed);
    Ok(end)
}
