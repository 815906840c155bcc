//! What packed models of a library cost: `cargo run --release -p trained-tests --example speed -- lightgbm`.

use std::time::Instant;

use trained_tests::{Golden, Packed, trained};

fn main() {
    let library = std::env::args().nth(1).unwrap_or_else(|| "lightgbm".to_owned());
    println!("model, KiB, load ms, one row us, a row of 1000 us");
    for folder in trained(&library) {
        let golden = Golden::read(&folder);
        let started = Instant::now();
        let line = Packed::load(&golden).and_then(|mut packed| {
            let load_ms = started.elapsed().as_secs_f64() * 1e3;
            let one_us = packed.speed(&golden, 1, 3000)?.as_secs_f64() * 1e6;
            let of_many_us = packed.speed(&golden, 1000, 30)?.as_secs_f64() * 1e3;
            let kib = packed.bytes / 1024;
            Ok(format!("{kib}, {load_ms:.0}, {one_us:.2}, {of_many_us:.3}"))
        });
        let name = folder.file_name().unwrap_or_default().to_string_lossy();
        println!("{name}, {}", line.unwrap_or_else(|why| why));
    }
}
