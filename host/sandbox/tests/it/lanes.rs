//! The lanes: batches, turns, poison, growth, ends.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, Sender};
use std::time::Duration;

use message::{FaultClass, Outcome};
use parking_lot::Mutex;
use sandbox::lanes::{
    Attach, Job, Lane, LaneConfig, Lanes, RunAloneError, Scored, Sink, Worker, WorkerStats,
};
use sandbox::{Model, ModelLimits};

use crate::{model, model_with, request, y};

/// Hands on what it is given, batch by batch.
struct Channel(Mutex<Sender<Vec<Scored>>>);

impl Sink for Channel {
    fn scored(&self, scored: Vec<Scored>) {
        // A test may have seen enough.
        let _ = self.0.lock().send(scored);
    }
}

fn lanes() -> Lanes {
    Lanes::new(LaneConfig { live_threads: 2, live_threads_limit: 8, shadow_threads: 1 }).unwrap()
}

fn attach(lanes: &Lanes, model: Model, options: Attach) -> (Worker, Receiver<Vec<Scored>>) {
    let (send, scored) = mpsc::channel();
    (lanes.attach(model, options, Arc::new(Channel(Mutex::new(send)))), scored)
}

fn job(ticket: u64, x: f64) -> Job {
    Job { ticket, request: Arc::new(request(x)) }
}

fn jobs(xs: impl IntoIterator<Item = f64>) -> Vec<Job> {
    xs.into_iter().zip(0..).map(|(x, ticket)| job(ticket, x)).collect()
}

/// Waits for so many outcomes. Returns them in the order of their tickets, and the batches.
fn collect(scored: &Receiver<Vec<Scored>>, count: usize) -> (Vec<Scored>, Vec<usize>) {
    let (mut all, mut batches) = (Vec::new(), Vec::new());
    while all.len() < count {
        let batch = scored.recv_timeout(Duration::from_secs(60)).expect("the lane should answer");
        batches.push(batch.len());
        all.extend(batch);
    }
    all.sort_by_key(|scored| scored.ticket);
    (all, batches)
}

/// Waits for the end of the last turn, which comes just after its outcomes. Returns what it counts.
fn stats(worker: &Worker) -> WorkerStats {
    while !worker.is_idle() {
        std::thread::yield_now();
    }
    worker.stats()
}

fn number(scored: &Scored) -> f64 {
    match &scored.outcome {
        Outcome::Prediction(prediction) => y(prediction),
        other => panic!("expected a prediction, found {other:?}"),
    }
}

fn class(scored: &Scored) -> Option<FaultClass> {
    match &scored.outcome {
        Outcome::Fault(fault) => Some(fault.class),
        Outcome::Prediction(_) | Outcome::Refusal(_) => None,
    }
}

#[test]
fn every_job_is_scored_once_and_by_its_own_request() {
    let lanes = lanes();
    let (worker, scored) = attach(&lanes, model("times-2"), Attach::default());
    let count = 2000_u32;
    assert_eq!(worker.offer(jobs((0..count).map(f64::from))).len(), 0);
    let (all, batches) = collect(&scored, count as usize);
    for (scored, ticket) in all.iter().zip(0..) {
        assert_eq!((scored.ticket, number(scored)), (ticket, 2.0 * ticket as f64));
    }
    assert!(batches.len() < count as usize / 2, "{batches:?}");
    let stats = stats(&worker);
    assert_eq!((stats.requests, stats.faults, stats.rejected), (u64::from(count), 0, 0));
}

#[test]
fn a_call_brings_no_more_than_the_model_and_the_lane_allow() {
    let lanes = lanes();
    let options = Attach { batch: 3, ..Attach::default() };
    let (worker, scored) = attach(&lanes, model("times-2"), options);
    worker.offer(jobs((0..100).map(f64::from)));
    let (_, batches) = collect(&scored, 100);
    assert!(batches.iter().all(|batch| *batch <= 3), "{batches:?}");

    // This one takes eight at once, whatever the lane would like, and says how many it got.
    let (worker, scored) = attach(&lanes, model("batch-size"), Attach::default());
    worker.offer(jobs((0..100).map(f64::from)));
    let (all, _) = collect(&scored, 100);
    assert!(all.iter().all(|scored| number(scored) <= 8.0));
}

#[test]
fn what_does_not_fit_comes_back_in_order() {
    let lanes = lanes();
    let options = Attach { queue_limit: 10, ..Attach::default() };
    let (worker, scored) = attach(&lanes, model("times-2"), options);
    let left = worker.offer(jobs((0..25).map(f64::from)));
    let tickets: Vec<u64> = left.iter().map(|job| job.ticket).collect();
    assert_eq!(tickets, (10..25).collect::<Vec<u64>>());
    assert_eq!(worker.stats().rejected, 15);
    assert_eq!(collect(&scored, 10).0.len(), 10);
}

#[test]
fn a_poisonous_request_does_not_take_its_neighbours_with_it() {
    let lanes = lanes();
    let options = Attach { sessions: 1, ..Attach::default() };
    let (worker, scored) = attach(&lanes, model("flaky"), options);
    // The first tells the lane how fast the model is, so that the rest comes in batches.
    worker.offer(jobs([1.0]));
    collect(&scored, 1);
    let poisonous = |ticket: u64| ticket == 7 || ticket == 13;
    let xs = (0..64).map(|ticket| if poisonous(ticket) { -1.0 } else { ticket as f64 });
    worker.offer(jobs(xs));
    let (all, _) = collect(&scored, 64);
    for scored in &all {
        if poisonous(scored.ticket) {
            assert_eq!(class(scored), Some(FaultClass::Panic));
        } else {
            assert_eq!(number(scored), scored.ticket as f64);
        }
    }
    assert_eq!(stats(&worker).faults, 2);
}

#[test]
fn a_model_that_is_broken_altogether_is_found_out_soon() {
    let lanes = lanes();
    let options = Attach { sessions: 1, ..Attach::default() };
    let (worker, scored) = attach(&lanes, model("flaky"), options);
    worker.offer(jobs([1.0]));
    collect(&scored, 1);
    worker.offer(jobs(std::iter::repeat_n(-1.0, 64)));
    let (all, batches) = collect(&scored, 64);
    assert!(all.iter().all(|scored| class(scored) == Some(FaultClass::Panic)));
    let calls = stats(&worker).calls;
    // For each batch: the call, and three of its requests alone.
    assert!(calls <= 1 + 4 * batches.len() as u64, "{calls} calls for {batches:?}");
}

#[test]
fn a_spinner_among_many_is_stopped_and_the_others_are_answered() {
    let lanes = lanes();
    let limits = ModelLimits { cpu_budget: Duration::from_millis(20), ..ModelLimits::default() };
    let options = Attach { sessions: 1, ..Attach::default() };
    let (worker, scored) = attach(&lanes, model_with("flaky", &limits), options);
    worker.offer(jobs([1.0]));
    collect(&scored, 1);
    worker.offer(jobs((0..64).map(|ticket| if ticket == 5 { -2.0 } else { 1.0 })));
    let (all, _) = collect(&scored, 64);
    let faults: Vec<_> = all.iter().filter_map(|it| Some((it.ticket, class(it)?))).collect();
    assert_eq!(faults, [(5, FaultClass::Cpu)]);
    // The batch and the one alone, not sixty-four budgets.
    let cpu = stats(&worker).cpu;
    assert!(cpu < limits.cpu_budget * 32, "{cpu:?}");
}

#[test]
fn a_model_with_state_sees_its_requests_in_order_in_one_session() {
    let lanes = lanes();
    let options = Attach { sessions: 4, ..Attach::default() };
    let (worker, scored) = attach(&lanes, model("counter"), options);
    for batch in 0..10 {
        worker.offer((0..50).map(|index| job(batch * 50 + index, 0.0)).collect());
    }
    let (all, _) = collect(&scored, 500);
    for scored in &all {
        assert_eq!(number(scored), (scored.ticket + 1) as f64);
    }
}

#[test]
fn slow_models_do_not_hold_up_another() {
    let lanes = lanes();
    let limits = ModelLimits { cpu_budget: Duration::from_secs(1), ..ModelLimits::default() };
    let slow: Vec<_> = (0..3)
        .map(|_| {
            let (worker, scored) = attach(&lanes, model_with("flaky", &limits), Attach::default());
            worker.offer(jobs([-2.0]));
            (worker, scored)
        })
        .collect();
    let (worker, scored) = attach(&lanes, model("times-2"), Attach::default());
    worker.offer(jobs([21.0]));
    assert_eq!(number(&collect(&scored, 1).0[0]), 42.0);
    // The spinners hold the two that are always there.
    assert!(lanes.threads(Lane::Live) > 2);
    for (_, scored) in &slow {
        assert_eq!(class(&collect(scored, 1).0[0]), Some(FaultClass::Cpu));
    }
}

#[test]
fn models_with_work_take_turns() {
    let config = LaneConfig { live_threads: 1, live_threads_limit: 1, shadow_threads: 1 };
    let lanes = Lanes::new(config).unwrap();
    let order = Arc::new(Mutex::new(Vec::new()));
    struct Order(u8, Arc<Mutex<Vec<u8>>>, Mutex<Sender<()>>);
    impl Sink for Order {
        fn scored(&self, _scored: Vec<Scored>) {
            self.1.lock().push(self.0);
            // A test may have seen enough.
            let _ = self.2.lock().send(());
        }
    }
    let (send, done) = mpsc::channel();
    let limits = ModelLimits { cpu_budget: Duration::from_secs(60), ..ModelLimits::default() };
    let workers: Vec<Worker> = [1, 2]
        .into_iter()
        .map(|name| {
            let sink = Order(name, order.clone(), Mutex::new(send.clone()));
            let options = Attach { batch: 1, ..Attach::default() };
            lanes.attach(model_with("slow-1", &limits), options, Arc::new(sink))
        })
        .collect();
    // The first has much to do before the second comes.
    workers[0].offer(jobs((0..50).map(f64::from)));
    workers[1].offer(jobs((0..5).map(f64::from)));
    for _ in 0..55 {
        done.recv_timeout(Duration::from_secs(60)).unwrap();
    }
    let order = order.lock();
    let last_of_second = order.iter().rposition(|name| *name == 2).unwrap();
    assert!(last_of_second < 30, "{order:?}");
}

#[test]
fn a_worker_moves_between_lanes_with_what_waits() {
    let lanes = lanes();
    let (send, threads) = mpsc::channel();
    struct Where(Mutex<Sender<String>>);
    impl Sink for Where {
        fn scored(&self, _scored: Vec<Scored>) {
            let name = std::thread::current().name().unwrap_or_default().to_owned();
            // A test may have seen enough.
            let _ = self.0.lock().send(name);
        }
    }
    let options = Attach { lane: Lane::Shadow, ..Attach::default() };
    let worker = lanes.attach(model("times-2"), options, Arc::new(Where(Mutex::new(send))));
    let next = || {
        worker.offer(jobs([1.0]));
        threads.recv_timeout(Duration::from_secs(60)).unwrap()
    };
    assert!(next().starts_with("shadow"));
    worker.set_lane(Lane::Live);
    assert!(next().starts_with("live"));
}

#[test]
fn a_request_alone_is_answered_beside_the_queue_and_counts_nowhere() {
    let lanes = lanes();
    let (worker, _scored) = attach(&lanes, model("times-2"), Attach::default());
    let alone = worker.run_alone_and_wait(Arc::new(request(4.0))).unwrap();
    assert!(matches!(&alone.outcome, Outcome::Prediction(prediction) if y(prediction) == 8.0));
    assert_eq!(stats(&worker), WorkerStats::default());
    worker.retire();
    assert!(worker.run_alone_and_wait(Arc::new(request(4.0))).is_err());
}

#[test]
fn a_retired_worker_finishes_what_waits_and_drops_its_sessions() {
    let lanes = lanes();
    let model = model("times-2");
    let (worker, scored) = attach(&lanes, model.clone(), Attach::default());
    worker.offer(jobs((0..500).map(f64::from)));
    worker.retire();
    assert_eq!(worker.offer(jobs([1.0])).len(), 1);
    collect(&scored, 500);
    assert_eq!(stats(&worker).requests, 500);
    assert_eq!(model.usage().sessions, 0);
}

#[test]
fn a_discarded_worker_hands_back_what_waits() {
    let lanes = lanes();
    let limits = ModelLimits { cpu_budget: Duration::from_secs(60), ..ModelLimits::default() };
    let options = Attach { batch: 1, sessions: 1, ..Attach::default() };
    let (worker, scored) = attach(&lanes, model_with("slow-20", &limits), options);
    worker.offer(jobs((0..100).map(f64::from)));
    collect(&scored, 1);
    let back: BTreeSet<u64> = worker.discard().iter().map(|job| job.ticket).collect();
    let mut done = 1;
    while done + back.len() < 100 {
        done += collect(&scored, 1).0.len();
    }
    assert!(back.len() > 50 && back.contains(&99));
}

#[test]
fn a_sink_that_panics_costs_the_lane_no_thread() {
    struct Panics;
    impl Sink for Panics {
        fn scored(&self, _scored: Vec<Scored>) {
            panic!("a sink of a test");
        }
    }
    let config = LaneConfig { live_threads: 1, live_threads_limit: 1, shadow_threads: 1 };
    let lanes = Lanes::new(config).unwrap();
    let broken = lanes.attach(model("times-2"), Attach::default(), Arc::new(Panics));
    broken.offer(jobs([1.0]));
    let (worker, scored) = attach(&lanes, model("times-3"), Attach::default());
    worker.offer(jobs([1.0]));
    assert_eq!(number(&collect(&scored, 1).0[0]), 3.0);
}

#[test]
fn after_a_shutdown_nothing_is_taken() {
    let lanes = lanes();
    let (worker, _scored) = attach(&lanes, model("times-2"), Attach::default());
    lanes.shutdown();
    worker.offer(jobs([1.0]));
    assert_eq!((worker.depth(), lanes.threads(Lane::Live)), (0, 0));
    assert!(worker.run_alone_and_wait(Arc::new(request(1.0))).is_err());
}

#[test]
fn requests_alone_are_bounded_too() {
    let lanes = lanes();
    let limits = ModelLimits { cpu_budget: Duration::from_secs(1), ..ModelLimits::default() };
    let options = Attach { sessions: 1, ..Attach::default() };
    let (worker, _scored) = attach(&lanes, model_with("flaky", &limits), options);
    worker.offer(jobs([-2.0]));
    let asked = Arc::new(request(1.0));
    let full = (0..10_000).find_map(|_| worker.run_alone(asked.clone(), |_alone| {}).err());
    assert_eq!(full, Some(RunAloneError::Full));
}
