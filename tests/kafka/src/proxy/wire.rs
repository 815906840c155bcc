//! One direction of one connection: a thread that reads, and one that writes when it is time.
//!
//! They are two so that a delay is a delay and not a limit of how much goes over the wire.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::{Mode, Shared};

/// How much is read at once.
const CHUNK_BYTES: usize = 16 * 1024;
/// How many chunks may be on the wire at once; whoever sends more has to wait.
const CHUNKS: usize = 256;

/// A piece of what was sent, and when it was read.
type Chunk = (Instant, Vec<u8>);

/// Carries everything from one end to the other, until one of them is closed.
pub(super) fn carry(
    from: TcpStream,
    to: TcpStream,
    number: u64,
    shared: &Arc<Shared>,
) -> [JoinHandle<()>; 2] {
    let (sender, receiver) = sync_channel(CHUNKS);
    let shared = shared.clone();
    [
        thread::spawn(move || read(from, &sender)),
        thread::spawn(move || {
            write(&to, &receiver, &shared);
            // Half of a connection is none for Kafka: both directions end together.
            to.shutdown(Shutdown::Both).ok();
            if let Some(ends) = shared.lock().connections.remove(&number) {
                ends.iter().for_each(|end| drop(end.shutdown(Shutdown::Both)));
            }
        }),
    ]
}

fn read(mut from: TcpStream, sender: &SyncSender<Chunk>) {
    let mut buffer = vec![0; CHUNK_BYTES];
    while let Ok(read @ 1..) = from.read(&mut buffer) {
        if sender.send((Instant::now(), buffer[..read].to_vec())).is_err() {
            return;
        }
    }
}

fn write(mut to: &TcpStream, receiver: &Receiver<Chunk>, shared: &Shared) {
    for (read, chunk) in receiver {
        let Some((delay, rate)) = wait_until_open(shared) else { return };
        let pause = rate.map_or(Duration::ZERO, |rate| {
            Duration::from_secs_f64(chunk.len() as f64 / rate.max(1) as f64)
        });
        let due = (read + delay).saturating_duration_since(Instant::now());
        thread::sleep(due.max(pause));
        // It may have been silenced meanwhile.
        if wait_until_open(shared).is_none() || to.write_all(&chunk).is_err() {
            return;
        }
    }
}

/// How slow the wire is, when it is one; none when it is cut.
fn wait_until_open(shared: &Shared) -> Option<(Duration, Option<u64>)> {
    let mut state = shared.lock();
    loop {
        match state.mode {
            Mode::Open => return Some((state.delay, state.bytes_per_second)),
            Mode::Cut | Mode::Ended => return None,
            Mode::Silent => {
                state = shared.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
            }
        }
    }
}
