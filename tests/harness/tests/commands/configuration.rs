//! What the binary says about itself and about its files.

use std::fs;

use serde_json::Value;

use crate::{run, text};

#[test]
fn the_help_names_every_command_and_hides_what_is_not_for_people() {
    let said = run(["--help"]);
    assert!(said.success);
    for command in [
        "serve",
        "demo",
        "new",
        "build",
        "test",
        "toolchain",
        "check",
        "predict",
        "status",
        "read",
        "write",
        "log",
        "schema",
        "token",
    ] {
        let line = said.out.lines().find(|line| line.trim_start().starts_with(command));
        let line = line.unwrap_or_else(|| panic!("no {command} in\n{}", said.out));
        assert!(line.split_whitespace().count() > 2, "{command} is not explained");
        let own = run([command, "--help"]);
        assert!(own.success && own.out.contains("Usage: understudy"), "{}", own.error);
    }
    assert!(!said.out.contains("compile-child"), "{}", said.out);
    assert!(run(["--version"]).out.starts_with("understudy 0."));
}

#[test]
fn a_command_that_is_none_ends_with_a_hint() {
    let said = run(["sreve"]);
    assert!(!said.success);
    assert!(said.error.contains("serve"), "{}", said.error);
}

#[test]
fn each_schema_is_one_and_knows_the_keys_of_its_file() {
    let keys = [
        ("endpoint", ["deadline", "roles", "policy", "limits", "stream", "quarantine"].as_slice()),
        ("model", &["limits", "grants", "labels"]),
        ("tokens", &["token", "tenant", "quota"]),
        ("host", &["listen", "admin_listen", "models", "data", "front", "lanes", "compile"]),
    ];
    for (file, keys) in keys {
        let said = run(["schema", file]);
        let schema = said.json();
        assert!(said.success, "{}", said.error);
        assert!(schema["$schema"].is_string(), "{file}: {schema:#}");
        let properties = schema["properties"].as_object().expect("a schema of an object");
        for key in keys {
            let property = properties.get(*key);
            let property = property.unwrap_or_else(|| panic!("{file}: no {key} in {properties:?}"));
            assert!(is_described(property), "{file}: {key} is not described: {property}");
        }
    }
}

fn is_described(property: &Value) -> bool {
    property["description"].is_string() || property["$ref"].is_string()
}

#[test]
fn a_broken_configuration_of_the_host_is_refused_with_its_line() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("understudy.toml");
    fs::write(&file, "listen = \"127.0.0.1:0\"\n[front]\nopen_calls = \"many\"\n").unwrap();
    let said = run(["serve", "--config", text(&file)]);
    let line = said.failure();
    assert!(line.contains("understudy.toml:3"), "{line}");
    assert!(line.contains("expected"), "{line}");
}
