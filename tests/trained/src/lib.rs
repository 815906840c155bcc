//! Compares packed models with the libraries that trained them.
//!
//! A folder beside `src` is a library: its `train.py FOLDER` trains seeded models, and writes into a folder for each what the library
//! predicts (`golden.py`). That is done once and kept in the user's cache, under the digest of the scripts and of what is installed.
//! Then each model is packed, and asked the same rows in the sandbox, many at a time and one at a time.

mod compare;
mod golden;
mod library;
mod packed;
mod runner;

use std::path::Path;

pub use compare::all as compare;
pub use golden::{Golden, Near, Tensor};
pub use library::{python, trained};
pub use packed::{Packed, component, request, request_of, rows_of};
pub use runner::check_runner;

/// How many rows are asked once more, each alone.
const ALONE: usize = 300;

/// Packs all models of a library, and compares them with it.
///
/// # Panics
///
/// Where a prediction is not near enough, or a model has fewer than 10,000 rows; names them all.
pub fn check(library: &str) {
    let mut wrong = Vec::new();
    let folders = trained(library);
    for folder in &folders {
        match check_model(folder) {
            Ok(line) => println!("{line}"),
            Err(why) => wrong.push(format!("{library}/{}: {why}", name_of(folder))),
        }
    }
    assert!(!folders.is_empty(), "{library} trained no model");
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), folders.len(), wrong.join("\n"));
}

fn check_model(folder: &Path) -> Result<String, String> {
    let golden = Golden::read(folder);
    if golden.rows < 10_000 {
        return Err(format!("has {} rows, expected at least 10000", golden.rows));
    }
    let mut packed = Packed::load(&golden)?;
    let answers = packed.ask(&golden, 0..golden.rows, 500)?;
    let worst = compare::all(&golden, &answers)?;
    let alone = packed.ask(&golden, 0..ALONE, 1)?;
    let differs = |(one, of_many): (&Vec<_>, &Vec<_>)| !compare::is_same(one, of_many);
    if let Some(row) = alone.iter().zip(&answers).position(differs) {
        return Err(format!(
            "row {row} alone: found {:?}, in a batch {:?}",
            alone[row], answers[row]
        ));
    }
    Ok(format!("{}: {} rows, {} KiB, {worst}", name_of(folder), golden.rows, packed.bytes / 1024))
}

fn name_of(folder: &Path) -> String {
    folder.file_name().unwrap_or_default().to_string_lossy().into_owned()
}
