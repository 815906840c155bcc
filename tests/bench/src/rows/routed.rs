//! Rows (j): a thousand routed models of which fifty are hot.
//!
//! The budget has room for a hundred and fifty. Of twenty calls one goes to a model that was used long
//! ago, so that it is cold, and nineteen to the fifty. The reference for memory is a host with the
//! same fifty and no others, always loaded; that for latencies an endpoint of the same host with
//! the same model alone.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use crate::child::Server;
use crate::folder::{Folder, edition, flight_model};
use crate::load::Generator;
use crate::machine::resident_mib;
use crate::measure::{Latencies, Turns};
use crate::samples;
use crate::table::{Aim, Row};

const MODELS: usize = 1_000;
const HOT: usize = 50;
const ROUNDS: usize = 5;
/// Of so many calls one goes to a cold model.
const CALLS_FOR_COLD: usize = 20;
const CALLS: usize = 4_000;
/// A thousand compilations are no part of what is measured, but of the wait.
const CONFIGURATION: &str = "[compile]\nparallel = 2\n[routed]\nmemory = 'BUDGET'\n";
/// What a hundred and fifty of these models take by the count of the host.
const BUDGET: &str = "300MiB";
const DEADLINE: &str = "deadline = '5s'\n";

pub(super) fn measure() -> Result<Vec<Row>> {
    let component = flight_model("logit")?;
    let plain = with_fifty_plain(&component)?;
    let folder = Folder::new()?;
    folder.configure(&CONFIGURATION.replace("BUDGET", BUDGET))?;
    let route = "[[route]]\nmodels = 'client-*'\nchoose = 'parameters.client'\n";
    folder.endpoint("clients", &format!("{DEADLINE}{route}"))?;
    folder.endpoint("plain", &format!("{DEADLINE}[roles]\nchampion = 'logit'\n"))?;
    folder.place("plain", "logit", &component)?;
    for number in 0..MODELS {
        folder.place("clients", &client(number), &edition(&component, number as u64))?;
    }
    let host = Server::host(&folder, 1)?;
    host.wait_until(|status| {
        let endpoints = status["endpoints"].as_array().into_iter().flatten();
        let routed = endpoints.map(|endpoint| &endpoint["routed"]).find(|it| it.is_object());
        routed.is_some_and(|routed| routed["unchecked"] == 0)
    })?;
    let documents = samples::documents()?;
    let mut plain_load = Generator::connect(host.rest(), "plain", 1, &documents)?;
    let mut caller = Caller::connect(host.rest(), &documents)?;
    // Every hot one is there before it counts.
    caller.call_all(HOT * 2)?;
    let [mut hot50, mut hot99, mut cold50, mut cold99]: [Turns; 4] = Default::default();
    for _round in 0..ROUNDS {
        let (hot, cold) = caller.call_all(CALLS / ROUNDS)?;
        let alone = plain_load.closed_loop(Duration::from_millis(500))?.latencies;
        let (p50, p99) = (alone.quantile_us(0.5), alone.quantile_us(0.99));
        hot50.push(hot.quantile_us(0.5), p50);
        hot99.push(hot.quantile_us(0.99), p99);
        cold50.push(cold.quantile_us(0.5), p50);
        cold99.push(cold.quantile_us(0.99), p99);
    }
    let resident = resident_mib(host.process())?;
    let row = |id, what: &str, unit, ours, reference| Row {
        id,
        what: what.to_owned(),
        unit,
        ours,
        reference: Some(reference),
        aim: Aim::None,
    };
    let us = |id, what, turns: &Turns| row(id, what, "µs", turns.ours(), turns.reference());
    Ok(vec![
        row("j-memory", "resident, 1,000 routed models, 50 hot; 50 plain", "MiB", resident, plain),
        us("j-hot-p50", "a call to a hot one of them; to a plain model", &hot50),
        us("j-hot-p99", "the same, p99", &hot99),
        us("j-cold-p50", "a call to a cold one; to a plain model", &cold50),
        us("j-cold-p99", "the same, p99", &cold99),
    ])
}

/// The resident memory of a host with the hot models alone, each of which has a route of its own and
/// is always loaded.
fn with_fifty_plain(component: &[u8]) -> Result<f64> {
    let folder = Folder::new()?;
    let route = |number: usize| {
        let model = client(number);
        format!("[[route]]\nwhen = 'parameters.client == \"{number}\"'\nmodel = '{model}'\n")
    };
    let routes: String = (0..HOT).map(route).collect();
    folder.endpoint("clients", &format!("{DEADLINE}{routes}"))?;
    for number in 0..HOT {
        folder.place("clients", &client(number), &edition(component, number as u64))?;
    }
    let host = Server::host(&folder, HOT)?;
    let mut caller = Caller::connect(host.rest(), &samples::documents()?)?;
    caller.coldest = 0;
    caller.call_all(HOT * 8)?;
    resident_mib(host.process())
}

fn client(number: usize) -> String {
    format!("client-{number}")
}

/// A caller that waits for each answer.
struct Caller {
    stream: TcpStream,
    documents: Vec<String>,
    calls: usize,
    /// How many models beside the hot ones there are.
    coldest: usize,
}

impl Caller {
    fn connect(address: SocketAddr, documents: &[String]) -> Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, documents: documents.to_vec(), calls: 0, coldest: MODELS - HOT })
    }

    /// Makes so many calls, and returns the latencies of those to hot models and of those to cold ones.
    fn call_all(&mut self, calls: usize) -> Result<(Latencies, Latencies)> {
        let (mut hot, mut cold) = (Latencies::new(), Latencies::new());
        for _ in 0..calls {
            self.calls += 1;
            let is_cold = self.coldest > 0 && self.calls.is_multiple_of(CALLS_FOR_COLD);
            let number = match is_cold {
                true => HOT + self.calls / CALLS_FOR_COLD % self.coldest,
                false => self.calls % HOT,
            };
            let took = self.call(number)?;
            if is_cold { cold.record(took) } else { hot.record(took) }
        }
        Ok((hot, cold))
    }

    fn call(&mut self, number: usize) -> Result<Duration> {
        let document = &self.documents[self.calls % self.documents.len()];
        let rest = document.strip_prefix('{').context("a document is an object")?;
        let body = format!("{{\"parameters\": {{\"client\": \"{number}\"}}, {rest}");
        let request = format!(
            "POST /v2/models/clients/infer HTTP/1.1\r\nhost: bench\r\n\
             content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        let begun = Instant::now();
        self.stream.write_all(request.as_bytes())?;
        let response = self.response()?;
        let took = begun.elapsed();
        let version = format!("\"model_version\":\"{}@", client(number));
        ensure!(response.contains(&version), "found {response}, expected {version}");
        Ok(took)
    }

    fn response(&mut self) -> Result<String> {
        let mut response = Vec::new();
        let mut piece = [0; 4096];
        loop {
            let read = self.stream.read(&mut piece)?;
            ensure!(read > 0, "the server hung up");
            response.extend_from_slice(&piece[..read]);
            let text = str::from_utf8(&response)?;
            let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
            if body.len() >= length.context("a response has no length")?.parse::<usize>()? {
                return Ok(text.to_owned());
            }
        }
    }
}
