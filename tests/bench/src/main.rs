//! Measures the host against references of the same run: `make bench`.
//!
//! This binary is also the host that it measures: a host compiles models in a child of its own
//! executable, so the commands of the host are handed over to it before anything else is read.

mod child;
mod flight;
mod folder;
mod here;
mod load;
mod machine;
mod measure;
mod rows;
mod samples;
mod table;

use std::process::ExitCode;

use anyhow::{Result, ensure};
use clap::Parser;

use crate::machine::Machine;
use crate::table::Table;

/// Measures the host against references of the same run, prints a table, and writes it to
/// target/bench.json.
///
/// Numbers of one machine are not those of another, and a busy machine gives no numbers at all; the
/// ratios are what counts. docs/benchmarks.md says how to read them.
#[derive(Debug, Parser)]
#[command(name = "bench", max_term_width = 100)]
struct CommandLine {
    /// The rows to measure, by their letters: `all`, or some such as `a,f`.
    #[arg(long, value_name = "ROWS", default_value = "all", value_delimiter = ',')]
    rows: Vec<String>,
}

fn main() -> ExitCode {
    let command = std::env::args().nth(1);
    match command.as_deref() {
        Some("compile-child" | "serve") => server::main(),
        _ => match run(&CommandLine::parse()) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                eprintln!("bench: {error:#}");
                ExitCode::FAILURE
            }
        },
    }
}

fn run(line: &CommandLine) -> Result<()> {
    let chosen = rows::chosen(&line.rows)?;
    let machine = Machine::look()?;
    let mut table = Table::default();
    let mut failed = String::new();
    for group in chosen {
        eprintln!("({}) {}", group.letter, group.what);
        match (group.measure)() {
            Ok(rows) => table.extend(rows),
            // The rows of the others are worth having all the same.
            Err(error) => {
                eprintln!("({}) {error:#}", group.letter);
                failed.push(group.letter);
            }
        }
    }
    println!("{machine}\n\n{table}");
    table.write(&folder::root().join("target/bench.json"))?;
    ensure!(failed.is_empty(), "these rows could not be measured: {failed}");
    Ok(())
}
