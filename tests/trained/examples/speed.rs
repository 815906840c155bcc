//! What packed models of a library cost: `cargo run --release -p trained-tests --example speed -- lightgbm`.
//!
//! Where the library has a `native.py` beside its `train.py`, the same rows are asked there as well.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::Value;
use trained_tests::{Golden, Packed, python, trained};

fn main() {
    let library = std::env::args().nth(1).unwrap_or_else(|| "lightgbm".to_owned());
    println!("model: KiB, load ms; one row us (native), a row of 1000 us (native)");
    for folder in trained(&library) {
        let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
        match speed(&library, &folder) {
            Ok(line) => println!("{name}: {line}"),
            Err(why) => println!("{name}: {why}"),
        }
    }
}

fn speed(library: &str, folder: &Path) -> Result<String, String> {
    let golden = Golden::read(folder);
    let started = Instant::now();
    let mut packed = Packed::load(&golden)?;
    let load_ms = started.elapsed().as_secs_f64() * 1e3;
    let native = native(library, folder);
    let us = |time: Duration| time.as_nanos() as f64 / 1e3;
    let beside = |key: &str, ours: f64| match native.as_ref().and_then(|it| it[key].as_f64()) {
        Some(native) => format!("{ours:.2} ({native:.2}, {:.2} times)", ours / native),
        None => format!("{ours:.2}"),
    };
    let one = beside("one_us", us(packed.speed(&golden, 1, 10)?));
    let of_many = beside("of_many_us", us(packed.speed(&golden, 1000, 20)?));
    Ok(format!("{} KiB, {load_ms:.0} ms; {one}, {of_many}", packed.bytes / 1024))
}

fn native(library: &str, folder: &Path) -> Option<Value> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let script = here.join(library).join("native.py");
    let output = Command::new(python()).arg(script).arg(folder).output().ok()?;
    serde_json::from_slice(&output.stdout).ok()
}
