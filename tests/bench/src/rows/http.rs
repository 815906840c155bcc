//! Rows (a): calls over HTTP, with tensors in JSON and in binary, and over gRPC, in a process of their
//! own each.
//!
//! The throughput is that of 32 connections that ask again at once. The latencies without a number
//! are those of a single connection, where nothing waits for anything else.

use std::time::Duration;

use anyhow::Result;

use crate::child::Server;
use crate::folder::{Folder, flight_model};
use crate::load::{Generator, GrpcGenerator, Load};
use crate::measure::Turns;
use crate::samples;
use crate::table::{Aim, Row};

const ROUNDS: usize = 7;
const TURN: Duration = Duration::from_millis(1500);
const WARM_UP: Duration = Duration::from_millis(500);
const CONNECTIONS: usize = 32;

pub(super) const ENDPOINT: &str = "\
deadline = '10s'
[roles]
champion = 'logit'
[policy]
kind = 'preference'
order = [{ model = 'logit' }]
";

pub(super) fn measure() -> Result<Vec<Row>> {
    let folder = Folder::new()?;
    folder.endpoint("flights", ENDPOINT)?;
    folder.place("flights", "logit", &flight_model("logit")?)?;
    let host = Server::host(&folder, 1)?;
    let reference = Server::reference()?;
    let busy = Loads::take(&host, &reference, CONNECTIONS)?;
    let calm = Loads::take(&host, &reference, 1)?;
    let binary = Loads::take_binary(&host, &reference)?;
    let grpc = Loads::take_grpc(&host, &reference)?;
    let row = |id, what: &str, unit, turns: Turns, aim| Row {
        id,
        what: what.to_owned(),
        unit,
        ours: turns.ours(),
        reference: Some(turns.reference()),
        aim,
    };
    let latency = |id, what, turns, aim| row(id, what, "µs", turns, aim);
    let quantile = |quantile: f64| move |load: &Load| load.latencies.quantile_us(quantile);
    Ok(vec![
        row(
            "a-throughput",
            "calls over HTTP, 32 connections; bare axum",
            "1/s",
            busy.turns(Load::per_second),
            Aim::RatioAtLeast(0.5),
        ),
        latency(
            "a-p50",
            "latency of a call, 1 connection; bare axum",
            calm.turns(quantile(0.5)),
            Aim::RatioAtMost(2.5),
        ),
        latency("a-p99", "the same, p99", calm.turns(quantile(0.99)), Aim::None),
        latency(
            "a-p50-32",
            "latency of a call, 32 connections; bare axum",
            busy.turns(quantile(0.5)),
            Aim::None,
        ),
        latency("a-p99-32", "the same, p99", busy.turns(quantile(0.99)), Aim::None),
        row(
            "a-binary",
            "calls with tensors in binary, 32 connections; bare axum",
            "1/s",
            binary.turns(Load::per_second),
            Aim::RatioAtLeast(0.5),
        ),
        row(
            "a-grpc",
            "calls over gRPC, 32 callers on 4 connections; bare axum with prost",
            "1/s",
            grpc.turns(Load::per_second),
            Aim::RatioAtLeast(0.5),
        ),
        latency("a-grpc-p50", "the same, p50", grpc.turns(quantile(0.5)), Aim::None),
        latency("a-grpc-p99", "the same, p99", grpc.turns(quantile(0.99)), Aim::None),
    ])
}

/// What came of each turn of the host and of the reference.
struct Loads(Vec<(Load, Load)>);

impl Loads {
    fn take(host: &Server, reference: &Server, connections: usize) -> Result<Self> {
        let documents = samples::documents()?;
        let mut ours = Generator::connect(host.rest(), "flights", connections, &documents)?;
        let mut theirs = Generator::connect(reference.rest(), "flights", connections, &documents)?;
        Self::in_turns(|length| ours.closed_loop(length), |length| theirs.closed_loop(length))
    }

    fn take_binary(host: &Server, reference: &Server) -> Result<Self> {
        let bodies = samples::binary()?;
        let connect = |address| Generator::connect_binary(address, "flights", CONNECTIONS, &bodies);
        let (mut ours, mut theirs) = (connect(host.rest())?, connect(reference.rest())?);
        Self::in_turns(|length| ours.closed_loop(length), |length| theirs.closed_loop(length))
    }

    fn take_grpc(host: &Server, reference: &Server) -> Result<Self> {
        let messages = samples::messages("flights")?;
        let connect = |address| GrpcGenerator::connect(address, CONNECTIONS, &messages);
        let (ours, theirs) = (connect(host.grpc())?, connect(reference.grpc())?);
        Self::in_turns(|length| ours.closed_loop(length), |length| theirs.closed_loop(length))
    }

    fn in_turns(
        mut ours: impl FnMut(Duration) -> Result<Load>,
        mut theirs: impl FnMut(Duration) -> Result<Load>,
    ) -> Result<Self> {
        ours(WARM_UP)?;
        theirs(WARM_UP)?;
        let round = |_| Ok((ours(TURN)?, theirs(TURN)?));
        Ok(Self((0..ROUNDS).map(round).collect::<Result<_>>()?))
    }

    fn turns(&self, value: impl Fn(&Load) -> f64) -> Turns {
        let mut turns = Turns::default();
        self.0.iter().for_each(|(ours, theirs)| turns.push(value(ours), value(theirs)));
        turns
    }
}
