//! Row (e): an endpoint while another reloads without end, against the same while it is idle.
//!
//! Each reload is of bytes that the host has never seen, so each is compiled.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use anyhow::{Result, anyhow};

use super::http::ENDPOINT;
use crate::folder::{Folder, edition, flight_model};
use crate::here::HostHere;
use crate::load::Generator;
use crate::measure::Turns;
use crate::samples;
use crate::table::{Aim, Row};

const ROUNDS: usize = 7;
const TURN: Duration = Duration::from_secs(2);
const CONNECTIONS: usize = 64;
const RATE: f64 = 1_000.0;

pub(super) fn measure() -> Result<Vec<Row>> {
    let folder = Folder::new()?;
    let logit = flight_model("logit")?;
    for endpoint in ["still", "moving"] {
        folder.endpoint(endpoint, ENDPOINT)?;
        folder.place(endpoint, "logit", &logit)?;
    }
    let host = HostHere::start(&folder, &["still", "moving"])?;
    let rest = host.host().addresses().rest;
    let mut still = Generator::connect(rest, "still", CONNECTIONS, &samples::documents()?)?;
    let reloads = Reloads { host: &host, folder: &folder, logit: &logit, made: AtomicU64::new(0) };
    still.open_loop(RATE, TURN)?;
    let (mut p50, mut p99) = (Turns::default(), Turns::default());
    for _round in 0..ROUNDS {
        let ours = reloads.during(|| still.open_loop(RATE, TURN))?.latencies;
        let reference = still.open_loop(RATE, TURN)?.latencies;
        p50.push(ours.quantile_us(0.5), reference.quantile_us(0.5));
        p99.push(ours.quantile_us(0.99), reference.quantile_us(0.99));
    }
    let seconds = TURN.as_secs_f64() * ROUNDS as f64;
    let rate = reloads.made.into_inner() as f64 / seconds;
    let row = |id, what: String, turns: &Turns, aim| Row {
        id,
        what,
        unit: "µs",
        ours: turns.ours(),
        reference: Some(turns.reference()),
        aim,
    };
    let what =
        format!("p99 at 1,000/s while another endpoint reloads {rate:.1} times a second; idle");
    Ok(vec![
        row("e", what, &p99, Aim::RatioAtMost(1.3)),
        row("e-p50", "the same, p50".into(), &p50, Aim::None),
    ])
}

struct Reloads<'a> {
    host: &'a HostHere,
    folder: &'a Folder,
    logit: &'a [u8],
    made: AtomicU64,
}

impl Reloads<'_> {
    /// Reloads again and again while something is done.
    fn during<T>(&self, work: impl FnOnce() -> Result<T>) -> Result<T> {
        let done = AtomicBool::new(false);
        thread::scope(|scope| {
            let reloader = scope.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    self.reload()?;
                }
                Ok(())
            });
            let result = work();
            done.store(true, Ordering::Relaxed);
            let reloaded: Result<()> =
                reloader.join().map_err(|_panic| anyhow!("the reloader panicked"))?;
            reloaded.and(result)
        })
    }

    fn reload(&self) -> Result<()> {
        let number = self.made.fetch_add(1, Ordering::Relaxed);
        let events = self.host.topic("moving", "events")?.readable_end();
        self.folder.place("moving", "logit", &edition(self.logit, number))?;
        self.host.wait_until_live("moving", "logit", events).map(|_end| ())
    }
}
