//! Rows (k): hosts on a real broker of Kafka, against a bare loop of its client library.
//!
//! The bare loop reads what a host reads and writes the very bytes that a host writes, one answer and
//! three scores for each request, with the same settings; it decodes nothing, asks no model and waits
//! for nothing to be settled. Broker, hosts and loop share the processors of this machine, so rows with
//! several hosts show what sharing costs and not what more machines bring.

mod bare;
mod calls;
mod flows;
mod traffic;
mod world;

use std::time::Duration;

use anyhow::Result;

use self::bare::Bare;
use self::traffic::{Reader, Writer};
use self::world::{PARTITIONS, World};
use crate::measure::Turns;
use crate::table::{Aim, Row};

const ROUNDS: u64 = 3;
/// How many requests a round has.
const REQUESTS: usize = 40_000;
/// How long requests come at half of the highest rate.
const PACED: Duration = Duration::from_secs(4);
/// How many hosts there are at the most.
const HOSTS: usize = 4;
/// How many requests come in a second while a host is killed.
const SLOW_PER_SECOND: f64 = 200.0;

pub(super) fn measure() -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    rows.extend(rate("throughput", "k-rate", "k-half-p50", "k-half-p99")?);
    rows.extend(scale()?);
    rows.push(recovery()?);
    rows.extend(calls::measure()?);
    rows.extend(flows::measure()?);
    Ok(rows)
}

/// The highest rate of one host, and latencies at half of it, each against the bare loop.
fn rate(
    profile: &str,
    rate: &'static str,
    p50: &'static str,
    p99: &'static str,
) -> Result<Vec<Row>> {
    let world = World::new(profile, PARTITIONS)?;
    let _host = world.host(0)?;
    let mut writer = Writer::new(&world, "flights/requests")?;
    let mut answers = Reader::new(&world, "flights/answers")?;
    // Whoever is warm has shown what its records look like, too.
    traffic::run(&mut writer, &mut answers, 2_000, None)?;
    let bare = Bare::start(&world, &answers.last_value()?, &world.last_value("flights/scores")?)?;
    let mut to_bare = Writer::new(&world, bare::INPUT)?;
    let mut from_bare = Reader::new(&world, bare::ANSWERS)?;
    traffic::run(&mut to_bare, &mut from_bare, 2_000, None)?;
    let mut turns = Turns::default();
    for _round in 0..ROUNDS {
        let ours = traffic::run(&mut writer, &mut answers, REQUESTS, None)?;
        let theirs = traffic::run(&mut to_bare, &mut from_bare, REQUESTS, None)?;
        turns.push(ours.per_second(), theirs.per_second());
    }
    let half = turns.ours() / 2.0;
    let count = (half * PACED.as_secs_f64()) as usize;
    let ours = traffic::run(&mut writer, &mut answers, count, Some(half))?.latencies;
    let theirs = traffic::run(&mut to_bare, &mut from_bare, count, Some(half))?.latencies;
    bare.stop()?;
    let latency = |id, what: &str, quantile| Row {
        id,
        what: what.to_owned(),
        unit: "µs",
        ours: ours.quantile_us(quantile),
        reference: Some(theirs.quantile_us(quantile)),
        aim: Aim::None,
    };
    Ok(vec![
        Row {
            id: rate,
            what: "requests topic to answers and scores through three models; a bare loop".into(),
            unit: "1/s",
            ours: turns.ours(),
            reference: Some(turns.reference()),
            aim: Aim::RatioAtLeast(0.7),
        },
        latency(p50, "from request to answer at half of that rate; the bare loop there", 0.5),
        latency(p99, "the same, p99", 0.99),
    ])
}

/// The rate of two, three and four hosts against that of one.
fn scale() -> Result<Vec<Row>> {
    const IDS: [&str; HOSTS] = ["k-hosts-1", "k-hosts-2", "k-hosts-3", "k-hosts-4"];
    let world = World::new("throughput", PARTITIONS)?;
    let mut writer = Writer::new(&world, "flights/requests")?;
    let mut hosts = Vec::new();
    let mut rows = Vec::new();
    let mut of_one = None;
    for (count, id) in IDS.into_iter().enumerate() {
        hosts.push(world.host(count)?);
        world.wait_until_shared(&hosts)?;
        let mut answers = Reader::new(&world, "flights/answers")?;
        traffic::run(&mut writer, &mut answers, 2_000, None)?;
        let rate = traffic::run(&mut writer, &mut answers, REQUESTS, None)?.per_second();
        rows.push(Row {
            id,
            what: format!(
                "the same with {} hosts over {PARTITIONS} partitions; with one",
                count + 1
            ),
            unit: "1/s",
            ours: rate,
            reference: Some(*of_one.get_or_insert(rate)),
            aim: Aim::None,
        });
    }
    Ok(rows)
}

/// How long the last of those waits who ask while one of two hosts is killed.
fn recovery() -> Result<Row> {
    let world = World::new("low-latency", PARTITIONS)?;
    let mut hosts = vec![world.host(0)?, world.host(1)?];
    world.wait_until_shared(&hosts)?;
    let mut writer = Writer::new(&world, "flights/requests")?;
    let mut answers = Reader::new(&world, "flights/answers")?;
    traffic::run(&mut writer, &mut answers, 500, None)?;
    let dies = hosts.pop();
    // Dropped, it is killed as by a loss of power.
    drop(dies);
    let count = (SLOW_PER_SECOND * PACED.as_secs_f64()) as usize;
    let latencies =
        traffic::run(&mut writer, &mut answers, count, Some(SLOW_PER_SECOND))?.latencies;
    Ok(Row {
        id: "k-recovery",
        what: "from the death of one of two hosts to the answer that waited longest".into(),
        unit: "ms",
        ours: latencies.quantile_us(1.0) / 1e3,
        reference: None,
        aim: Aim::None,
    })
}
