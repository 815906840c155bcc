//! Do models in languages without a garbage collector keep to the memory that their largest request needs?

use std::time::Duration;

use builder::Language;
use message::Request;
use sandbox::{ModelLimits, Runtime, RuntimeConfig};
use sdk_tests::{cache, component, rows};

/// How many calls are made of one instance.
const CALLS: usize = 100_000;
/// What an instance may have that has not seen the huge rows.
const SMALL_BYTES_MAX: usize = 16 << 20;
/// Such rows take long, and are asked once, at the beginning.
const HUGE: &str = "huge: ";

/// Asks one instance every row of the table, the huge ones too, and then the others over and over.
fn check(language: Language) {
    let compiled = cache().join("compiled");
    std::fs::create_dir_all(&compiled).expect("a folder in the cache");
    let config = RuntimeConfig { cache_dir: Some(compiled), ..RuntimeConfig::default() };
    let runtime = Runtime::new(config).expect("a sandbox");
    let limits = ModelLimits {
        memory_bytes: 1 << 30,
        cpu_budget: Duration::from_secs(20),
        wall_backstop: Duration::from_secs(120),
        result_bytes: 256 << 20,
        ..ModelLimits::default()
    };
    let model = runtime.load(&component(language), &limits).expect("a model");
    let rows: Vec<_> = rows().into_iter().filter(|row| !row.host_refuses).collect();
    let (huge, small): (Vec<_>, Vec<_>) = rows.iter().partition(|row| row.name.starts_with(HUGE));
    let mut session = model.session().expect("an instance");
    let mut ask = |request: &Request| {
        let results = session.predict(&[request]).results;
        assert!(results.is_ok(), "{language}: {results:?}");
        session.memory_bytes()
    };
    for row in &small {
        ask(&row.request);
    }
    let after_small = ask(&small[0].request);
    for row in huge.iter().chain(&small) {
        ask(&row.request);
    }
    let after_all = ask(&small[0].request);
    for row in small.iter().cycle().take(CALLS) {
        assert_eq!(ask(&row.request), after_all, "{language} took more at {:?}", row.name);
    }
    println!("{language}: {after_small} bytes for small requests, {after_all} for huge ones");
    assert!(
        after_small <= SMALL_BYTES_MAX,
        "{language} has {after_small} bytes after small requests"
    );
}

#[test]
fn c_needs_no_more_after_a_hundred_thousand_calls() {
    check(Language::C);
}

#[test]
fn cpp_needs_no_more_after_a_hundred_thousand_calls() {
    check(Language::Cpp);
}

#[test]
fn zig_needs_no_more_after_a_hundred_thousand_calls() {
    check(Language::Zig);
}
