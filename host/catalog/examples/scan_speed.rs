//! How long a scan of a folder with many models takes, new and unchanged:
//! `cargo run --release -p catalog --example scan_speed -- 5000`.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use catalog::{ScanOptions, Scanner};
use message::Time;

fn main() -> std::io::Result<()> {
    let count = std::env::args().nth(1).and_then(|count| count.parse().ok()).unwrap_or(5_000);
    let around = tempfile::tempdir()?;
    let endpoint = around.path().join("clients");
    std::fs::create_dir(&endpoint)?;
    for number in 0..count {
        let file = endpoint.join(format!("client-{number}.wasm"));
        std::fs::write(file, b"\0asm\x0d\0\x01\0\0\x02\x01a")?;
    }
    let mut scanner = Scanner::new(around.path(), ScanOptions::default());
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let mut now = Time::EPOCH + since_1970 + Duration::from_secs(60);
    for scan in ["new", "again", "unchanged", "unchanged", "unchanged"] {
        now = now + Duration::from_secs(2);
        let begun = Instant::now();
        let models = scanner.scan(now).catalog.endpoints["clients"].models.len();
        println!("{models} models, {scan}: {:?}", begun.elapsed());
    }
    Ok(())
}
