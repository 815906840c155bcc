//! The clocks of a call: a spinner is stopped, and an innocent model on a busy machine is not.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use message::FaultClass;
use sandbox::{ModelLimits, Runtime, RuntimeConfig};

use crate::{model_with, request};

fn spinner(budget: Duration, wall_backstop: Duration) -> FaultClass {
    let limits = ModelLimits { cpu_budget: budget, wall_backstop, ..ModelLimits::default() };
    let model = model_with("flaky", &limits);
    let call = model.session().unwrap().predict(&[&request(-2.0)]);
    assert!(call.cpu <= call.wall);
    call.results.unwrap_err().class
}

#[test]
fn a_spinner_is_stopped_at_its_budget() {
    assert_eq!(spinner(Duration::from_millis(5), Duration::from_secs(3600)), FaultClass::Cpu);
}

#[test]
fn a_spinner_with_a_huge_budget_is_stopped_at_the_backstop() {
    assert_eq!(spinner(Duration::from_secs(3600), Duration::from_millis(20)), FaultClass::Wall);
}

#[test]
fn the_cpu_time_of_a_long_call_is_measured() {
    let limits = ModelLimits { cpu_budget: Duration::from_secs(60), ..ModelLimits::default() };
    let model = model_with("slow-200", &limits);
    let call = model.session().unwrap().predict(&[&request(1.0)]);
    assert!(call.results.is_ok());
    // How fast the loop runs is up to the machine, but it is far from nothing.
    assert!(call.cpu > Duration::from_millis(20) && call.cpu <= call.wall, "{call:?}");
}

/// Twice as many burners as processors, so that an innocent call is often off its processor for
/// much longer than its budget.
#[test]
fn a_busy_machine_makes_no_model_guilty() {
    let calls: u32 = std::env::var("STEPS").ok().and_then(|it| it.parse().ok()).unwrap_or(800);
    let tick = Duration::from_millis(1);
    let runtime = Runtime::new(RuntimeConfig { tick, ..RuntimeConfig::default() }).unwrap();
    // One request takes around a tenth of this.
    let limits = ModelLimits { cpu_budget: Duration::from_millis(10), ..ModelLimits::default() };
    let model = runtime.load(&guests::build("slow-1"), &limits).unwrap();
    let stop = AtomicBool::new(false);
    let burners = 2 * thread::available_parallelism().map_or(2, usize::from);
    thread::scope(|scope| {
        for _ in 0..burners {
            scope.spawn(|| {
                while !stop.load(Ordering::Relaxed) {
                    std::hint::spin_loop();
                }
            });
        }
        let mut session = model.session().unwrap();
        let faults: Vec<_> =
            (0..calls).filter_map(|_| session.predict(&[&request(1.0)]).results.err()).collect();
        stop.store(true, Ordering::Relaxed);
        assert_eq!(faults, []);
    });
}
