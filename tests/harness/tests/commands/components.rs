//! `check` and `predict`: one component, no host.

use std::fs;
use std::path::PathBuf;

use harness::{guest, infer_body};
use serde_json::json;

use crate::{Said, run, text};

#[test]
fn a_good_component_is_described_with_what_it_costs() {
    let folder = Folder::new();
    let file = folder.guest("times-2");
    let said = run(["check", text(&file), "--json"]);
    let report = said.json();
    assert!(said.success, "{report:#}");
    assert_eq!(report["loads"], true);
    // Types alone: there is no function that it could call.
    assert_eq!(report["imports"], json!([]));
    assert_eq!(report["inputs"], json!(["x FP64 [1]"]));
    assert_eq!(report["outputs"], json!(["y FP64 [1]"]));
    assert_eq!(report["bytes"], guest("times-2").len());
    assert!(report["contract"].as_str().unwrap().contains("0.1.0"), "{report:#}");
    assert_eq!(report["revision"].as_str().unwrap().len(), 64, "{report:#}");
    assert!(report["call"]["p50_us"].as_f64().unwrap() > 0.0, "{report:#}");
    assert!(report["memory_bytes"].as_u64().unwrap() >= 1 << 16, "{report:#}");
}

#[test]
fn the_same_report_can_be_read_by_people() {
    let folder = Folder::new();
    let said = run(["check", text(&folder.guest("times-2"))]);
    assert!(said.success, "{}", said.error);
    for line in ["loads: true", "contract: 0.1.0", "  x FP64 [1]", "  y FP64 [1]"] {
        assert!(said.out.lines().any(|found| found == line), "no line `{line}` in\n{}", said.out);
    }
}

#[test]
fn a_component_that_would_not_load_is_refused_for_the_reason_that_a_host_has() {
    let folder = Folder::new();
    let cases = [
        (folder.guest("imports-http"), "which this host does not give to models"),
        (folder.guest("trap-in-describe"), "the model cannot describe itself"),
        (folder.guest("loop-in-start"), "the model does not start"),
        (folder.file("garbage.wasm", b"what is this"), "expected a WebAssembly component"),
        (folder.file("core.wasm", b"\0asm\x01\0\0\0"), "found a core WebAssembly module"),
    ];
    for (file, reason) in cases {
        let said = run(["check", text(&file), "--json"]);
        let report = said.json();
        assert!(!said.success, "{report:#}");
        assert_eq!(report["loads"], false);
        assert!(report["refused"].as_str().unwrap().contains(reason), "{report:#}");
    }
}

#[test]
fn the_imports_of_a_component_are_its_list_of_permissions() {
    let folder = Folder::new();
    let file = folder.guest("wasi-clock");
    let report = run(["check", text(&file), "--json"]).json();
    assert_eq!(report["loads"], true, "{report:#}");
    let imports = report["imports"].as_array().unwrap();
    assert!(imports.iter().any(|it| it.as_str().unwrap().contains("clock")), "{report:#}");
    let said = run(["check", text(&file), "--no-wasi", "--json"]);
    assert!(!said.success);
    assert!(said.json()["refused"].as_str().unwrap().contains("clock"), "{}", said.out);
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let said = run(["check", "nowhere/nothing.wasm"]);
    assert!(said.failure().contains("cannot read nowhere/nothing.wasm"), "{}", said.error);
}

#[test]
fn a_prediction_is_the_document_that_a_host_would_record() {
    let said = predict("times-2", &infer_body("mine", 3.0));
    assert!(said.success, "{}", said.error);
    let document = said.json();
    assert_eq!(document["model_name"], "times-2");
    assert_eq!(document["id"], "mine");
    assert_eq!(document["parameters"]["outcome"], "prediction");
    let output = json!([{ "name": "y", "datatype": "FP64", "shape": [1], "data": [6.0] }]);
    assert_eq!(document["outputs"], output);
}

#[test]
fn a_model_that_does_not_predict_is_quoted() {
    let error = |guest, x| predict(guest, &infer_body("mine", x)).failure().to_owned();
    let refusal = "understudy: the model refused (abstain): I would rather not";
    assert_eq!(error("refuses", 0.0), refusal);
    let panic = error("flaky", -1.0);
    assert!(panic.starts_with("understudy: the model broke (panic): "), "{panic}");
    let endless = error("flaky", -2.0);
    assert!(endless.starts_with("understudy: the model broke (cpu): "), "{endless}");
}

#[test]
fn a_document_that_is_no_request_is_refused_with_its_place() {
    let said = predict("times-2", &infer_body("mine", 3.0).replace("[3.0]", "[true]"));
    let line = said.failure();
    assert!(line.contains("input.json is no request: inputs[0].data[0]: found true"), "{line}");
}

fn predict(guest: &str, document: &str) -> Said {
    let folder = Folder::new();
    let model = folder.guest(guest);
    let input = folder.file("input.json", document.as_bytes());
    run(["predict", text(&model), text(&input)])
}

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn guest(&self, name: &str) -> PathBuf {
        self.file(&format!("{name}.wasm"), &guest(name))
    }

    fn file(&self, name: &str, contents: &[u8]) -> PathBuf {
        let file = self.0.path().join(name);
        fs::write(&file, contents).unwrap();
        file
    }
}
