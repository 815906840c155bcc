//! Do the fourteen models of `examples/languages` agree in one host, and does their page say what is found?
//!
//! The script of the example does it all, with the real binary; it keeps what it builds under the digest of the sources.

use std::fs;
use std::process::Command;

use sdk_tests::repository;
use serde_json::Value;

/// The models that are written by hand. The first is what the others are compared with.
const LANGUAGES: [&str; 9] =
    ["rust", "c", "cpp", "zig", "go", "python", "javascript", "typescript", "assemblyscript"];
const FILES: [&str; 5] = ["scikit-learn", "onnx", "lightgbm", "xgboost", "catboost"];
/// Those that compute as Rust does, in the same order and with the same exponential.
const SAME_AS_RUST: [&str; 3] = ["c", "cpp", "zig"];
const FLIGHTS: usize = 500;
/// Two ways of rounding the same sum.
const DOUBLE: f64 = 1e-14;
const SINGLE: f64 = 2e-7;

#[test]
fn fourteen_models_are_live_at_once_and_say_the_same() {
    let page = fs::read_to_string(repository().join("examples/languages/README.md")).unwrap();
    let report = checked();
    let flights = report["flights"].as_array().expect("the flights");
    assert_eq!(flights.len(), FLIGHTS);
    let models = report["models"].as_object().expect("the models");
    assert_eq!(models.len(), LANGUAGES.len() + FILES.len());
    let reference = predictions(&report, LANGUAGES[0]);
    assert!(reference.iter().any(|late| *late < 0.1) && reference.iter().any(|late| *late > 0.5));

    for model in LANGUAGES {
        let far = farthest(&predictions(&report, model), &reference);
        let bound = if SAME_AS_RUST.contains(&model) { 0.0 } else { DOUBLE };
        assert!(far <= bound, "{model} is {far:e} from Rust, expected at most {bound:e}");
    }
    for model in FILES {
        let own = numbers(&report["models"][model]["said_by_library"]);
        let found = predictions(&report, model);
        let bound = if model == "onnx" { SINGLE } else { DOUBLE };
        let far = farthest(&found, &own);
        assert!(far <= bound, "{model} is {far:e} from its library, expected at most {bound:e}");
        let from_regression = farthest(&found, &reference);
        match model {
            "scikit-learn" => assert!(from_regression <= DOUBLE, "{from_regression:e}"),
            "onnx" => assert!(from_regression <= SINGLE, "{from_regression:e}"),
            // Trees are other models: if they said the same, something else would have been asked.
            _ => assert!(from_regression > 0.01, "{model}: {from_regression:e}"),
        }
    }
    for model in LANGUAGES.iter().filter(|model| **model != "rust") {
        let found = &report["models"][*model]["rust"];
        let cell = if found["equal"] == FLIGHTS {
            "same bits".to_owned()
        } else {
            format!("same bits for {}, else ≤ {} ulp", found["equal"], found["ulp"])
        };
        let mut rows = page.lines().filter(|row| row.starts_with("| ["));
        let row = rows.find(|row| row.contains(&format!("]({model})")));
        let row = row.unwrap_or_else(|| panic!("no row of {model} in the page"));
        assert!(row.contains(&format!("| {cell} |")), "{row}\nfound {cell}: run `make languages`");
    }
    let count = LANGUAGES.len() + FILES.len();
    let words = format!("{count} models, {FLIGHTS} flights, {} predictions", count * FLIGHTS);
    assert!(page.contains(&words), "no `{words}` in the page: run `make languages`");
}

/// What the script of the example finds, with what it has kept of the same sources.
fn checked() -> Value {
    let script = repository().join("examples/languages/run.py");
    let done = Command::new("python3")
        .arg("-B")
        .arg(script)
        .arg("--check")
        .arg("--understudy")
        .arg(harness::binary())
        .env("UNDERSTUDY_CACHE", sdk_tests::toolchain().cache())
        .output()
        .expect("python3");
    let errors = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{}\n{errors}", done.status);
    serde_json::from_slice(&done.stdout).expect("a report in JSON")
}

fn predictions(report: &Value, model: &str) -> Vec<f64> {
    numbers(&report["models"][model]["predictions"])
}

fn numbers(values: &Value) -> Vec<f64> {
    let values = values.as_array().expect("an array");
    let numbers: Vec<_> = values.iter().map(|value| value.as_f64().expect("a number")).collect();
    assert_eq!(numbers.len(), FLIGHTS);
    numbers
}

fn farthest(found: &[f64], expected: &[f64]) -> f64 {
    found.iter().zip(expected).map(|(one, other)| (one - other).abs()).fold(0.0, f64::max)
}
