//! Troubles hosts and brokers for some minutes and judges what came of it: `make chaos`.

use std::io;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use chaos::world::{Setup, run};
use chaos::{Scale, Schedule, judge};
use clap::Parser;

/// So many steps are drawn for a minute; what there is no time for is left out.
const STEPS_A_MINUTE: u64 = 12;

/// Kills, stops, pauses and cuts off hosts and brokers that are under load, then reads all topics and says whether each
/// accepted request was answered once, none was lost and none invented.
///
/// What happens is drawn from the seed, which is printed: the same seed troubles the same hosts in the same order.
#[derive(Debug, Parser)]
#[command(name = "chaos", max_term_width = 100)]
struct CommandLine {
    /// Decides about everything that is left to chance; without it, another one each time
    #[arg(long, value_name = "NUMBER")]
    seed: Option<u64>,
    /// For how many minutes there is trouble
    #[arg(long, value_name = "MINUTES", default_value_t = 5)]
    minutes: u64,
    /// How many hosts there are
    #[arg(long, value_name = "HOSTS", default_value_t = 3, value_parser = clap::value_parser!(u16).range(2..=16))]
    hosts: u16,
    /// How many records a second are written to each endpoint
    #[arg(long, value_name = "RECORDS", default_value_t = 100)]
    rate: u64,
    /// How many callers call all the time
    #[arg(long, value_name = "CALLERS", default_value_t = 4)]
    callers: usize,
    /// Where everything is kept if something is wrong; without it, a folder for temporary files
    #[arg(long, value_name = "FOLDER")]
    keep: Option<PathBuf>,
}

fn main() -> io::Result<ExitCode> {
    let line = CommandLine::parse();
    let seed = line.seed.unwrap_or_else(|| {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        now.as_millis() as u64 % 1_000_000
    });
    let setup = Setup {
        seed,
        hosts: line.hosts.into(),
        rate: line.rate,
        callers: line.callers,
        at_most: Duration::from_secs(60 * line.minutes),
    };
    let steps = (line.minutes * STEPS_A_MINUTE) as usize;
    let schedule = Schedule::draw(seed, Scale::from(&setup), steps);
    println!("{schedule}");
    let folder = line.keep;
    let folder = folder.unwrap_or_else(|| std::env::temp_dir().join(format!("chaos-{seed}")));
    let outcome = run(&setup, &schedule);
    let verdict = judge(&schedule, &outcome, &folder)?;
    println!("{}", verdict.text);
    println!("{} SEED={seed}", if verdict.is_well { "well:" } else { "WRONG:" });
    Ok(if verdict.is_well { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
