//! What the engine keeps for one session: its share of memory, its clocks, its locked WASI.
//!
//! Reading the CPU clock of a thread is a system call, about as dear as a small prediction, so a
//! call reads it only when a tick of the epoch falls inside. A call that no tick touches lasts less
//! than a tick, and its CPU time is taken to be its time on the wall.

use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};
use wasmtime::{Engine, Store, UpdateDeadline};

use crate::limits::Share;
use crate::wasi::Locked;

/// What the engine keeps for one session.
pub(crate) struct Guest {
    pub(crate) share: Share,
    pub(crate) meter: Meter,
    pub(crate) locked: Option<Box<Locked>>,
}

impl Guest {
    /// Begins a call of the guest: nothing was denied yet, and both clocks are at zero.
    pub(crate) fn begin(store: &mut Store<Self>, cpu_budget: Duration) {
        store.data_mut().share.take_denied();
        store.data_mut().meter.begin(cpu_budget);
        store.set_epoch_deadline(1);
    }

    /// Makes the store of a session. Nothing of the guest has run yet.
    pub(crate) fn store(self, engine: &Engine, result_bytes: usize) -> Store<Self> {
        let mut store = Store::new(engine, self);
        store.limiter(|guest| &mut guest.share);
        store.set_hostcall_fuel(result_bytes);
        store.set_max_component_handles(10_000);
        store.epoch_deadline_callback(|mut store| {
            Ok(match store.data_mut().meter.tick() {
                Some(_overrun) => UpdateDeadline::Interrupt,
                None => UpdateDeadline::Continue(1),
            })
        });
        store
    }
}

/// Which clock stopped a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Overrun {
    /// Because its CPU time was used up.
    Cpu(Duration),
    /// Because it was at the wall backstop.
    Wall(Duration),
}

/// The two clocks of a call.
#[derive(Debug)]
pub(crate) struct Meter {
    tick: Duration,
    wall_backstop: Duration,
    budget: Duration,
    begun: Instant,
    first_tick: Option<FirstTick>,
    overrun: Option<Overrun>,
}

#[derive(Debug, Clone, Copy)]
struct FirstTick {
    /// The CPU clock of the thread then.
    cpu: Duration,
    /// How long the call had lasted then.
    wall: Duration,
}

impl Meter {
    pub(crate) fn new(tick: Duration, wall_backstop: Duration) -> Self {
        let (budget, begun) = (Duration::ZERO, Instant::now());
        Self { tick, wall_backstop, budget, begun, first_tick: None, overrun: None }
    }

    fn begin(&mut self, budget: Duration) {
        self.budget = budget;
        self.first_tick = None;
        self.overrun = None;
        self.begun = Instant::now();
    }

    /// Looks at the clocks, on the thread of the call. What the call used before its first tick is
    /// not held against it, since from there one cannot tell its work from a wait for the processor.
    fn tick(&mut self) -> Option<Overrun> {
        let wall = self.begun.elapsed();
        let cpu = thread_cpu();
        let first = *self.first_tick.get_or_insert(FirstTick { cpu, wall });
        if cpu.saturating_sub(first.cpu) > self.budget {
            self.overrun = Some(Overrun::Cpu(self.budget));
        } else if wall > self.wall_backstop {
            self.overrun = Some(Overrun::Wall(self.wall_backstop));
        }
        self.overrun
    }

    /// Returns the time on the wall and the CPU time of the call that ends now.
    pub(crate) fn end(&self) -> (Duration, Duration) {
        let wall = self.begun.elapsed();
        let untouched = |wall: Duration| wall.min(self.tick * 2);
        let cpu = match self.first_tick {
            None => untouched(wall),
            Some(first) => thread_cpu().saturating_sub(first.cpu) + untouched(first.wall),
        };
        (wall, cpu.min(wall))
    }

    pub(crate) const fn overrun(&self) -> Option<Overrun> {
        self.overrun
    }
}

/// The CPU time that this thread has used.
fn thread_cpu() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
    Duration::new(seconds, u32::try_from(time.tv_nsec).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn burn(cpu: Duration) {
        let end = thread_cpu() + cpu;
        while thread_cpu() < end {
            std::hint::spin_loop();
        }
    }

    #[test]
    fn cpu_time_counts_from_the_first_tick() {
        let mut meter = Meter::new(Duration::from_millis(1), Duration::from_secs(3600));
        meter.begin(Duration::from_millis(2));
        burn(Duration::from_millis(5));
        assert_eq!(meter.tick(), None);
        burn(Duration::from_millis(3));
        assert_eq!(meter.tick(), Some(Overrun::Cpu(Duration::from_millis(2))));
        let (wall, cpu) = meter.end();
        assert!(cpu >= Duration::from_millis(3) && cpu <= wall);
    }

    #[test]
    fn a_wait_costs_no_cpu_time_but_meets_the_backstop() {
        let mut meter = Meter::new(Duration::from_millis(1), Duration::from_millis(3));
        meter.begin(Duration::from_secs(1));
        assert_eq!(meter.tick(), None);
        std::thread::sleep(Duration::from_millis(4));
        assert_eq!(meter.tick(), Some(Overrun::Wall(Duration::from_millis(3))));
    }

    #[test]
    fn a_call_without_a_tick_is_charged_no_more_than_two() {
        let mut meter = Meter::new(Duration::from_millis(1), Duration::from_secs(1));
        meter.begin(Duration::from_secs(1));
        std::thread::sleep(Duration::from_millis(5));
        let (wall, cpu) = meter.end();
        assert!(wall >= Duration::from_millis(5) && cpu == Duration::from_millis(2));
    }
}
