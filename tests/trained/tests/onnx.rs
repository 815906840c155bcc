//! Packed models of ONNX against onnxruntime: pipelines of scikit-learn, graphs made by hand, and nets.

use std::fs;
use std::path::Path;
use std::process::Command;

#[test]
fn packed_models_predict_what_onnxruntime_predicts() {
    trained_tests::check("onnx");
}

#[test]
fn the_runner_of_nets_is_built_from_its_sources() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../sdk/runner-tract");
    let printed = Command::new(folder.join("build.sh")).arg("--digest").output().expect("a shell");
    let built = fs::read_to_string(folder.join("BUILT-WITH")).expect("BUILT-WITH is there");
    let digest = String::from_utf8_lossy(&printed.stdout);
    assert_eq!(digest.trim().len(), 64, "build.sh --digest printed {digest:?}");
    assert!(
        built.lines().any(|line| line == format!("sources {}", digest.trim())),
        "the sources of sdk/runner-tract changed since runner.wasm.gz was built: run sdk/runner-tract/build.sh"
    );
}

/// What was built is kept: it takes minutes the first time.
#[test]
fn the_runner_of_nets_is_built_again_byte_for_byte() {
    trained_tests::check_runner("runner-tract");
}
