//! A pool of threads: who has work waits in one line, and the next free thread serves the first.

use std::collections::VecDeque;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex, MutexGuard};

use super::worker::Shared as Worker;
use super::{Lane, lower_own_priority, turn};

/// The threads of one lane.
#[derive(Debug)]
pub(super) struct Pool {
    state: Arc<State>,
    warden: Mutex<Option<JoinHandle<()>>>,
}

/// What a worker needs of a pool.
#[derive(Debug, Clone)]
pub(super) struct Handle(Arc<State>);

struct State {
    lane: Lane,
    /// How many threads are to be there for work.
    threads: usize,
    threads_limit: usize,
    line: Mutex<Line>,
    /// When a worker has work, or the pool stops.
    work: Condvar,
    /// When all threads are busy and somebody waits, or the pool stops.
    crowded: Condvar,
}

#[derive(Default)]
struct Line {
    workers: VecDeque<Arc<Worker>>,
    idle: usize,
    /// When each turn that runs began: a place for each thread that there may be.
    busy: Vec<Option<Instant>>,
    alive: usize,
    crowded: bool,
    stopped: bool,
    handles: Vec<JoinHandle<()>>,
}

/// How long a turn lasts before its thread counts as held, and another takes its place.
const HELD: Duration = Duration::from_millis(4);
/// How long a thread that was added stays without work.
const SPARE: Duration = Duration::from_secs(10);
/// A guest may use half a mebibyte of this.
const STACK_BYTES: usize = 4 << 20;

impl Pool {
    pub(super) fn start(lane: Lane, threads: usize, threads_limit: usize) -> std::io::Result<Self> {
        let state = Arc::new(State {
            lane,
            threads,
            threads_limit,
            line: Mutex::new(Line { busy: vec![None; threads_limit], ..Line::default() }),
            work: Condvar::new(),
            crowded: Condvar::new(),
        });
        let pool = Self { state: state.clone(), warden: Mutex::new(None) };
        for _ in 0..threads {
            state.add_thread(&mut state.line.lock())?;
        }
        if threads < threads_limit {
            let name = format!("{}-warden", state.name());
            let warden = thread::Builder::new().name(name).spawn(move || state.watch())?;
            *pool.warden.lock() = Some(warden);
        }
        Ok(pool)
    }

    pub(super) fn handle(&self) -> Handle {
        Handle(self.state.clone())
    }

    pub(super) fn threads(&self) -> usize {
        self.state.line.lock().alive
    }

    /// Lets the threads end after their present turns, and drops what waits.
    pub(super) fn stop(&self) {
        let mut line = self.state.line.lock();
        line.stopped = true;
        let workers = std::mem::take(&mut line.workers);
        drop(line);
        self.state.work.notify_all();
        self.state.crowded.notify_all();
        for worker in workers {
            worker.queue.lock().abandon();
        }
    }

    /// Waits for the threads to end. Only after [`stop`](Self::stop).
    pub(super) fn join(&self) {
        let mut handles = std::mem::take(&mut self.state.line.lock().handles);
        handles.extend(self.warden.lock().take());
        for handle in handles {
            // A panic of a thread was reported when it happened.
            let _ = handle.join();
        }
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.stop();
        self.join();
    }
}

impl Handle {
    /// Puts a worker at the end of the line. Returns whether the pool still works.
    pub(super) fn push(&self, worker: Arc<Worker>) -> bool {
        let state = &*self.0;
        let mut line = state.line.lock();
        if line.stopped {
            return false;
        }
        line.workers.push_back(worker);
        // A thread that was woken counts as idle until it runs, so compare with all that wait.
        let crowded = line.workers.len() > line.idle;
        let tell = crowded && !line.crowded && state.threads < state.threads_limit;
        line.crowded |= tell;
        drop(line);
        state.work.notify_one();
        if tell {
            state.crowded.notify_one();
        }
        true
    }
}

impl State {
    const fn name(&self) -> &'static str {
        match self.lane {
            Lane::Live => "live",
            Lane::Shadow => "shadow",
        }
    }

    fn add_thread(self: &Arc<Self>, line: &mut Line) -> std::io::Result<()> {
        let taken = line.alive;
        let state = self.clone();
        let builder = thread::Builder::new().name(format!("{}-{taken}", self.name()));
        let handle = builder.stack_size(STACK_BYTES).spawn(move || state.serve())?;
        line.alive += 1;
        line.handles.retain(|handle| !handle.is_finished());
        line.handles.push(handle);
        Ok(())
    }

    /// The life of a thread of the lane.
    fn serve(&self) {
        if self.lane == Lane::Shadow {
            lower_own_priority();
        }
        let mut line = self.line.lock();
        while !line.stopped {
            let Some(worker) = line.workers.pop_front() else {
                if self.rest(&mut line) {
                    continue;
                }
                break;
            };
            let place = line.busy.iter().position(Option::is_none);
            let place = place.expect("invariant: there is a place for each thread");
            line.busy[place] = Some(Instant::now());
            drop(line);
            turn::run(&worker, self.lane);
            drop(worker);
            line = self.line.lock();
            line.busy[place] = None;
        }
        line.alive -= 1;
    }

    /// Waits for work. Returns whether the thread is to stay.
    fn rest(&self, line: &mut MutexGuard<'_, Line>) -> bool {
        line.idle += 1;
        let spare = line.alive > self.threads;
        let late = if spare {
            self.work.wait_for(line, SPARE).timed_out()
        } else {
            self.work.wait(line);
            false
        };
        line.idle -= 1;
        !(late && line.workers.is_empty() && line.alive > self.threads)
    }

    /// The life of the warden: while somebody waits and slow calls hold threads, adds threads.
    fn watch(self: &Arc<Self>) {
        let mut line = self.line.lock();
        while !line.stopped {
            if !line.crowded {
                self.crowded.wait(&mut line);
                continue;
            }
            self.crowded.wait_for(&mut line, HELD);
            if line.workers.len() <= line.idle {
                line.crowded = false;
                continue;
            }
            let held = line.busy.iter().flatten().filter(|begun| begun.elapsed() >= HELD).count();
            let free = line.alive.saturating_sub(held);
            if !line.stopped && free < self.threads && line.alive < self.threads_limit {
                let added = self.add_thread(&mut line);
                added.inspect_err(|error| tracing::warn!(%error, "cannot add a thread")).ok();
            }
        }
    }
}

impl std::fmt::Debug for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("State").field("lane", &self.lane).finish_non_exhaustive()
    }
}
