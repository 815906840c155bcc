//! The watcher on real folders: each test waits for the catalog that it expects.
#![expect(clippy::unwrap_used, reason = "what prepares a test may fail it")]

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use catalog::{Catalog, WatchOptions, Watcher};

/// Far longer than anything here takes; only a failure waits for it.
const GUARD: Duration = Duration::from_secs(60);

fn component(text: &str) -> Vec<u8> {
    let length = u8::try_from(5 + text.len()).unwrap();
    [b"\0asm\x0d\0\x01\0", [0, length].as_slice(), b"\x04text", text.as_bytes()].concat()
}

fn start(dir: &Path, options: WatchOptions) -> (Watcher, Receiver<Arc<Catalog>>) {
    let (sender, receiver) = channel();
    let on_catalog = Box::new(move |catalog| {
        // The test may be over.
        let _over = sender.send(catalog);
    });
    (Watcher::start(dir, options, on_catalog).unwrap(), receiver)
}

/// Only hints can be the reason for what happens.
fn hints_only() -> WatchOptions {
    let mut options = WatchOptions { period: GUARD * 10, ..WatchOptions::default() };
    options.scan.settle = GUARD * 10;
    options
}

fn wait_for(catalogs: &Receiver<Arc<Catalog>>, what: impl Fn(&Catalog) -> bool) -> Arc<Catalog> {
    let until = Instant::now() + GUARD;
    loop {
        let left = until.saturating_duration_since(Instant::now());
        let catalog = catalogs.recv_timeout(left).expect("the catalog that was waited for");
        if what(&catalog) {
            return catalog;
        }
    }
}

fn holds(catalog: &Catalog, model: &str, text: &str) -> bool {
    let file = catalog.model("flights", model);
    file.is_some_and(|file| file.read().is_ok_and(|bytes| bytes == component(text)))
}

#[test]
fn hints_alone_bring_files_that_are_closed_or_renamed() {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join("flights")).unwrap();
    let (watcher, catalogs) = start(dir.path(), hints_only());
    wait_for(&catalogs, |catalog| catalog.endpoints.is_empty());
    // The watches are in place when this returns.
    watcher.rescan().unwrap();
    assert!(watcher.has_hints());
    let gbdt = dir.path().join("flights/gbdt.wasm");
    fs::write(&gbdt, component("first")).unwrap();
    wait_for(&catalogs, |catalog| holds(catalog, "gbdt", "first"));
    fs::write(dir.path().join("flights/.next"), component("second")).unwrap();
    fs::rename(dir.path().join("flights/.next"), &gbdt).unwrap();
    wait_for(&catalogs, |catalog| holds(catalog, "gbdt", "second"));
    fs::write(dir.path().join("flights/endpoint.toml"), "deadline = '9ms'").unwrap();
    wait_for(&catalogs, |catalog| {
        catalog.endpoints["flights"].config.deadline == Duration::from_millis(9)
    });
    watcher.stop();
}

#[test]
fn folders_that_come_later_are_watched_as_well() {
    let dir = tempfile::tempdir().unwrap();
    // A hint that comes too early, while a folder is watched anew, may cost the settling.
    let mut options = hints_only();
    options.scan.settle = Duration::from_millis(20);
    let (watcher, catalogs) = start(dir.path(), options);
    watcher.rescan().unwrap();
    for name in ["flights", "replaced"] {
        fs::create_dir(dir.path().join(name)).unwrap();
    }
    watcher.rescan().unwrap();
    fs::write(dir.path().join("flights/gbdt.wasm"), component("first")).unwrap();
    wait_for(&catalogs, |catalog| holds(catalog, "gbdt", "first"));
    // Another folder takes the place, and the watch of the old one is worth nothing.
    fs::rename(dir.path().join("flights"), dir.path().join(".old")).unwrap();
    fs::rename(dir.path().join("replaced"), dir.path().join("flights")).unwrap();
    watcher.rescan().unwrap();
    fs::write(dir.path().join("flights/logit.wasm"), component("other")).unwrap();
    wait_for(&catalogs, |catalog| holds(catalog, "logit", "other"));
}

#[test]
fn without_hints_looking_now_and_then_is_enough() {
    let dir = tempfile::tempdir().unwrap();
    let mut options =
        WatchOptions { hints: false, period: Duration::from_millis(20), ..WatchOptions::default() };
    options.scan.settle = Duration::from_millis(20);
    options.scan.grace = Duration::from_millis(20);
    let (watcher, catalogs) = start(&dir.path().join("models"), options);
    assert!(!watcher.has_hints());
    // The folder does not even exist at first.
    wait_for(&catalogs, |catalog| catalog.problems.len() == 1);
    fs::create_dir_all(dir.path().join("models/flights")).unwrap();
    fs::write(dir.path().join("models/flights/gbdt.wasm"), component("first")).unwrap();
    fs::write(dir.path().join("models/flights/logit.wasm"), component("other")).unwrap();
    wait_for(&catalogs, |catalog| {
        holds(catalog, "gbdt", "first") && holds(catalog, "logit", "other")
    });
    fs::remove_file(dir.path().join("models/flights/gbdt.wasm")).unwrap();
    wait_for(&catalogs, |catalog| catalog.model("flights", "gbdt").is_none());
}

#[test]
fn a_catalog_is_handed_on_only_when_it_is_another() {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join("flights")).unwrap();
    fs::write(dir.path().join("flights/endpoint.toml"), "deadline = '9ms'").unwrap();
    let (watcher, catalogs) = start(dir.path(), WatchOptions::default());
    let first = wait_for(&catalogs, |catalog| !catalog.endpoints.is_empty());
    for _ in 0..10 {
        assert!(Arc::ptr_eq(&watcher.rescan().unwrap(), &first));
    }
    watcher.stop();
    assert_eq!(catalogs.try_iter().count(), 0);
}

#[test]
fn a_thousand_swaps_end_with_the_last() {
    let dir = tempfile::tempdir().unwrap();
    let flights = dir.path().join("flights");
    fs::create_dir(&flights).unwrap();
    let (watcher, catalogs) = start(dir.path(), hints_only());
    watcher.rescan().unwrap();
    for number in 0..1000 {
        let next = flights.join(".next");
        fs::write(&next, component(&number.to_string())).unwrap();
        fs::rename(&next, flights.join("gbdt.wasm")).unwrap();
    }
    let last = wait_for(&catalogs, |catalog| holds(catalog, "gbdt", "999"));
    assert_eq!(last.problems, []);
}
