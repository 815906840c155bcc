//! One call after the other: to the host that owns the partition, to one that does not, and to a host
//! whose stream is its own.

use std::time::Duration;

use anyhow::Result;
use serde_json::Value;

use super::world::World;
use crate::child::Server;
use crate::folder::Folder;
use crate::load::Generator;
use crate::measure::Turns;
use crate::samples;
use crate::table::{Aim, Row};

const ROUNDS: usize = 5;
const LENGTH: Duration = Duration::from_millis(1_000);

pub(super) fn measure() -> Result<Vec<Row>> {
    let world = World::new("low-latency", 1)?;
    let hosts = [world.host(0)?, world.host(1)?];
    let folder = Folder::new()?;
    folder.three_models("")?;
    let embedded = Server::host(&folder, 3)?;
    let documents = samples::documents()?;
    let connect = |host: &Server| Generator::connect(host.rest(), "flights", 1, &documents);
    let mut loads = [connect(&hosts[0])?, connect(&hosts[1])?];
    let mut alone = connect(&embedded)?;
    for load in &mut loads {
        load.closed_loop(LENGTH)?;
    }
    // There is one partition, so one of the two has answered everybody.
    let owner =
        usize::from(answered_here(&hosts[1].status()?) > answered_here(&hosts[0].status()?));
    let [first, second] = &mut loads;
    let (own, other) = if owner == 0 { (first, second) } else { (second, first) };
    let [mut local, mut away] = [Turns::default(), Turns::default()];
    for _round in 0..ROUNDS {
        let here = own.closed_loop(LENGTH)?.latencies.quantile_us(0.5);
        let there = other.closed_loop(LENGTH)?.latencies.quantile_us(0.5);
        local.push(here, alone.closed_loop(LENGTH)?.latencies.quantile_us(0.5));
        away.push(there, here);
    }
    let row = |id, what: &str, turns: &Turns| Row {
        id,
        what: what.to_owned(),
        unit: "µs",
        ours: turns.ours(),
        reference: Some(turns.reference()),
        aim: Aim::None,
    };
    Ok(vec![
        row("k-call-own", "a call on Kafka to the partition's owner; without Kafka", &local),
        row("k-call-other", "a call to another host; to the owner", &away),
    ])
}

fn answered_here(status: &Value) -> u64 {
    status["endpoints"][0]["calls"]["answered_here"].as_u64().unwrap_or(0)
}
