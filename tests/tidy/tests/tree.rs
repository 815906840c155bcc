//! The shape of the tree: lengths, words, and who may know whom.

use std::process::Command;

use serde_json::Value;
use tidy::{functions, root, tracked};

const FILE_LINES: usize = 600;
const FUNCTION_LINES: usize = 70;
const SIBLINGS: [&str; 8] =
    ["front", "stream", "rendezvous", "sandbox", "catalog", "monitor", "archive", "top"];

#[test]
fn siblings_know_only_the_words() {
    let mut faults = Vec::new();
    for (package, dependencies) in dependencies() {
        for dependency in dependencies {
            let sibling = SIBLINGS.contains(&dependency.as_str());
            let allowed = match package.as_str() {
                "server" | "bench" | "harness" | "sdk-tests" | "trained-tests" => true,
                "message" => !sibling && dependency != "server",
                name if SIBLINGS.contains(&name) => !sibling && dependency != "server",
                _ => !sibling,
            };
            if !allowed {
                faults.push(format!("{package} depends on {dependency}"));
            }
        }
    }
    assert_eq!(faults, Vec::<String>::new());
}

#[test]
fn heavy_crates_are_fenced_in() {
    let fences = [
        ("wasmtime", &["sandbox", "bench"][..]),
        ("notify", &["catalog"]),
        ("ratatui", &["top"]),
        ("cel", &["catalog"]),
        ("axum", &["front", "bench"]),
        ("rdkafka", &["stream", "kafka-testkit", "chaos", "bench"]),
        ("tokio", &["front", "server", "harness", "bench"]),
        ("anyhow", &["server", "builder", "harness", "bench"]),
    ];
    let mut faults = Vec::new();
    for (package, dependencies) in dependencies() {
        for (fenced, owners) in fences {
            if dependencies.iter().any(|name| name == fenced) && !owners.contains(&&*package) {
                faults.push(format!("{package} depends on {fenced}"));
            }
        }
    }
    assert_eq!(faults, Vec::<String>::new());
}

#[test]
fn the_core_has_no_clock_and_no_chance() {
    let banned = ["Instant", "SystemTime", "std::fs", "std::net", "std::thread", "tokio", "rand::"];
    let mut faults = Vec::new();
    for (file, source) in tracked(".rs") {
        if !file.starts_with("host/message/src") && !file.starts_with("host/rendezvous/src") {
            continue;
        }
        for (number, line) in source.lines().enumerate() {
            let code = line.split("//").next().unwrap_or_default();
            faults.extend(
                banned
                    .iter()
                    .filter(|word| code.contains(**word))
                    .map(|word| format!("{file}:{}: {word}", number + 1)),
            );
        }
    }
    assert_eq!(faults, Vec::<String>::new());
}

#[test]
fn files_and_functions_stay_short() {
    let mut faults = Vec::new();
    for (file, source) in tracked(".rs") {
        let lines = source.lines().count();
        if lines > FILE_LINES {
            faults.push(format!("{file}: {lines} lines, at most {FILE_LINES}"));
        }
        for (name, lines) in functions(&source) {
            if lines > FUNCTION_LINES {
                faults.push(format!("{file}: fn {name}: {lines} lines, at most {FUNCTION_LINES}"));
            }
        }
    }
    assert_eq!(faults, Vec::<String>::new());
}

#[test]
fn every_source_says_what_it_is() {
    let silent: Vec<String> = tracked(".rs")
        .into_iter()
        .filter(|(_, source)| !source.starts_with("//!") && !source.starts_with("#!"))
        .map(|(file, _)| file)
        .collect();
    assert_eq!(silent, Vec::<String>::new());
}

#[test]
fn nothing_is_left_undone() {
    // Written apart so that this file does not find itself.
    let banned =
        [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("todo", "!("), concat!("#[ig", "nore")];
    let mut faults = Vec::new();
    for ending in [".rs", ".py", ".sh", ".toml", ".wit", ".wat"] {
        for (file, source) in tracked(ending) {
            for (number, line) in source.lines().enumerate() {
                if banned.iter().any(|word| line.contains(word)) {
                    faults.push(format!("{file}:{}: {line}", number + 1));
                }
            }
        }
    }
    assert_eq!(faults, Vec::<String>::new());
}

#[test]
fn modules_are_named_after_their_folder() {
    let old: Vec<String> = tracked("mod.rs")
        .into_iter()
        .map(|(file, _)| file)
        .filter(|file| file.ends_with("/mod.rs"))
        .collect();
    assert_eq!(old, Vec::<String>::new());
}

#[test]
fn every_guest_has_a_test() {
    let tests: String = tracked(".rs")
        .into_iter()
        .filter(|(file, _)| {
            // One test runs every row of the table.
            file.starts_with("tests/harness/") || file == "tests/guests/src/table.rs"
        })
        .map(|(_, source)| source)
        .collect();
    let untested: Vec<String> = tracked(".wat")
        .into_iter()
        .map(|(file, _)| file)
        .filter(|file| file.starts_with("tests/guests/") && !file.contains("/parts/"))
        .filter(|file| {
            let name = file.rsplit('/').next().and_then(|name| name.strip_suffix(".wat"));
            name.is_none_or(|name| !tests.contains(&format!("\"{name}\"")))
        })
        .collect();
    assert_eq!(untested, Vec::<String>::new());
}

/// Each package of the workspace with the packages that it depends on outside of its tests.
fn dependencies() -> Vec<(String, Vec<String>)> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--no-deps", "--locked"])
        .current_dir(root())
        .output()
        .expect("cargo runs");
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("cargo speaks JSON");
    let packages = metadata["packages"].as_array().expect("there are packages");
    packages
        .iter()
        .map(|package| {
            let names = package["dependencies"].as_array().expect("a list of dependencies");
            let normal = names.iter().filter(|dependency| dependency["kind"].is_null());
            let name_of = |value: &Value| value["name"].as_str().unwrap_or_default().to_owned();
            (name_of(package), normal.map(name_of).collect())
        })
        .collect()
}
