//! Rows (h): how long after its file is there a model takes part.
//!
//! From the return of the rename that brings a closed file into the folder to the event that says
//! that the model is live. Cold means bytes that were never compiled, cached the same bytes again
//! under another name.

use std::time::Instant;

use anyhow::Result;

use super::http::ENDPOINT;
use crate::folder::{Folder, edition, flight_model};
use crate::here::HostHere;
use crate::measure::Turns;
use crate::table::{Aim, Row};

const ROUNDS: u64 = 15;

pub(super) fn measure() -> Result<Vec<Row>> {
    let folder = Folder::new()?;
    let logit = flight_model("logit")?;
    folder.endpoint("flights", ENDPOINT)?;
    folder.place("flights", "logit", &logit)?;
    let host = HostHere::start(&folder, &["flights"])?;
    let mut events = host.topic("flights", "events")?.readable_end();
    let mut ready = |model: String, component: &[u8]| -> Result<f64> {
        folder.place("flights", &model, component)?;
        let placed = Instant::now();
        events = host.wait_until_live("flights", &model, events)?;
        Ok(placed.elapsed().as_secs_f64() * 1e3)
    };
    let mut turns = Turns::default();
    for round in 0..ROUNDS {
        let component = edition(&logit, round);
        let cold = ready(format!("cold-{round}"), &component)?;
        turns.push(cold, ready(format!("cached-{round}"), &component)?);
    }
    let row = |id, what: &str, ours, aim| Row {
        id,
        what: what.to_owned(),
        unit: "ms",
        ours,
        reference: None,
        aim: Aim::AtMost(aim),
    };
    Ok(vec![
        row("h-cold", "from a closed file to a live model, never compiled", turns.ours(), 300.0),
        row("h-cached", "the same, compiled before", turns.reference(), 20.0),
    ])
}
