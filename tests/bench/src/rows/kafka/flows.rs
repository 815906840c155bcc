//! Records of a topic that become requests: how much later answers come that are written exactly once.

use anyhow::Result;

use super::traffic::{self, Reader, Writer};
use super::world::World;
use crate::measure::Latencies;
use crate::table::{Aim, Row};

/// How many records come in a second.
const PER_SECOND: f64 = 100.0;
const RECORDS: usize = 800;

pub(super) fn measure() -> Result<Vec<Row>> {
    let at_least_once = latencies("at-least-once")?;
    let exactly_once = latencies("exactly-once")?;
    let row = |id, what: &str, quantile| Row {
        id,
        what: what.to_owned(),
        unit: "ms",
        ours: exactly_once.quantile_us(quantile) / 1e3,
        reference: Some(at_least_once.quantile_us(quantile) / 1e3),
        aim: Aim::None,
    };
    Ok(vec![
        row("k-exact-p50", "from record to committed answer, exactly once; at least once", 0.5),
        row("k-exact-p99", "the same, p99", 0.99),
    ])
}

fn latencies(delivery: &str) -> Result<Latencies> {
    let world = World::new("low-latency", 2)?;
    world.make_topic("in");
    let source = world.topic("in");
    world.add_to_endpoint(&format!("[flow]\nsource = '{source}'\ndelivery = '{delivery}'\n"))?;
    let _host = world.host(0)?;
    let mut writer = Writer::new(&world, "in")?;
    let mut answers = Reader::new(&world, "flights/answers")?;
    traffic::run(&mut writer, &mut answers, 400, Some(PER_SECOND))?;
    Ok(traffic::run(&mut writer, &mut answers, RECORDS, Some(PER_SECOND))?.latencies)
}
