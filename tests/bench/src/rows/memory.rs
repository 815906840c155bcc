//! Rows (g): the resident memory of a host with many small models.
//!
//! They differ from each other in their bytes, so that each is compiled, mapped and kept by itself.
//! Each has run: the memory is that of a host at work, not of one that has loaded and forgotten.

use std::time::Duration;

use anyhow::Result;

use crate::child::Server;
use crate::folder::{Folder, edition, flight_model};
use crate::load::Generator;
use crate::machine::resident_mib;
use crate::samples;
use crate::table::{Aim, Row};

const ENDPOINTS: usize = 10;
/// A thousand compilations are no part of what is measured, but of the wait.
const CONFIGURATION: &str = "[compile]\nparallel = 2\n";
const WORK: Duration = Duration::from_millis(200);

pub(super) fn measure() -> Result<Vec<Row>> {
    let row = |id, what: &str, ours, aim| Row {
        id,
        what: what.to_owned(),
        unit: "MiB",
        ours,
        reference: None,
        aim: Aim::AtMost(aim),
    };
    Ok(vec![
        row("g-100", "resident with 100 small models", with_models(100)?, 300.0),
        row("g-1000", "resident with 1,000 small models", with_models(1000)?, 2048.0),
    ])
}

fn with_models(models: usize) -> Result<f64> {
    let folder = Folder::new()?;
    folder.configure(CONFIGURATION)?;
    let component = flight_model("base-rate")?;
    for number in 0..models {
        let (endpoint, model) = (name(number % ENDPOINTS), format!("model-{number}"));
        if number < ENDPOINTS {
            folder.endpoint(&endpoint, &format!("[roles]\nchampion = '{model}'\n"))?;
        }
        folder.place(&endpoint, &model, &edition(&component, number as u64))?;
    }
    let host = Server::host(&folder, models)?;
    let documents = samples::documents()?;
    for number in 0..ENDPOINTS {
        Generator::connect(host.rest(), &name(number), 1, &documents)?.closed_loop(WORK)?;
    }
    resident_mib(host.process())
}

fn name(endpoint: usize) -> String {
    format!("endpoint-{endpoint}")
}
