//! Row (d): the champion's p99 with twenty shadows against none.
//!
//! Two endpoints of one host have the same champion and get the same load in turns. One of them
//! runs twenty more models on every request, in the lane that may wait.

use std::thread;
use std::time::Duration;

use anyhow::Result;

use super::http::ENDPOINT;
use crate::folder::{Folder, edition, flight_model};
use crate::here::HostHere;
use crate::load::Generator;
use crate::measure::{Latencies, Turns};
use crate::samples;
use crate::table::{Aim, Row};

const ROUNDS: usize = 7;
const TURN: Duration = Duration::from_secs(2);
/// Between two turns, so that shadows of one do not reach into the other.
const REST: Duration = Duration::from_millis(200);
const CONNECTIONS: usize = 64;
const SHADOWS: u64 = 20;
/// Calls a second: a load that leaves the machine room for all twenty-one models.
const RATE: f64 = 1_000.0;

pub(super) fn measure() -> Result<Vec<Row>> {
    let folder = Folder::new()?;
    let (logit, gbdt) = (flight_model("logit")?, flight_model("gbdt")?);
    for endpoint in ["alone", "shadowed"] {
        folder.endpoint(endpoint, ENDPOINT)?;
        folder.place(endpoint, "logit", &logit)?;
    }
    for number in 0..SHADOWS {
        let shadow = if number % 2 == 0 { &gbdt } else { &logit };
        folder.place("shadowed", &format!("shadow-{number}"), &edition(shadow, number))?;
    }
    let host = HostHere::start(&folder, &["alone", "shadowed"])?;
    let rest = host.host().addresses().rest;
    let documents = samples::documents()?;
    let mut alone = Generator::connect(rest, "alone", CONNECTIONS, &documents)?;
    let mut shadowed = Generator::connect(rest, "shadowed", CONNECTIONS, &documents)?;
    let turn = |generator: &mut Generator| -> Result<Latencies> {
        let load = generator.open_loop(RATE, TURN)?;
        thread::sleep(REST);
        Ok(load.latencies)
    };
    turn(&mut shadowed)?;
    turn(&mut alone)?;
    let (mut p50, mut p99) = (Turns::default(), Turns::default());
    for _round in 0..ROUNDS {
        let (ours, reference) = (turn(&mut shadowed)?, turn(&mut alone)?);
        p50.push(ours.quantile_us(0.5), reference.quantile_us(0.5));
        p99.push(ours.quantile_us(0.99), reference.quantile_us(0.99));
    }
    let row = |id, what: &str, turns: &Turns, aim| Row {
        id,
        what: what.to_owned(),
        unit: "µs",
        ours: turns.ours(),
        reference: Some(turns.reference()),
        aim,
    };
    Ok(vec![
        row("d", "p99 with 20 shadows at 1,000/s; without", &p99, Aim::RatioAtMost(1.3)),
        row("d-p50", "the same, p50", &p50, Aim::None),
    ])
}
