//! Packed models of scikit-learn against scikit-learn.

use std::path::Path;
use std::process::Command;

use trained_tests::{Golden, Packed};

#[test]
fn packed_models_predict_what_scikit_learn_predicts() {
    trained_tests::check("sklearn");
}

#[test]
fn rows_that_scikit_learn_raises_an_error_for_are_refused() {
    let (mut refused, mut answered) = (0, Vec::new());
    for folder in trained_tests::trained("sklearn") {
        if !folder.join("refused").exists() {
            continue;
        }
        let golden = Golden::read(&folder.join("refused"));
        let mut packed = Packed::load(&golden).unwrap();
        for row in 0..golden.rows {
            match packed.ask(&golden, row..row + 1, 1) {
                Ok(_) => answered.push(format!("{}, row {row}", folder.display())),
                // It says which column, what was found, and what was expected.
                Err(why) => {
                    assert!(why.starts_with(&format!("row {row}: `")), "{why}");
                    refused += 1;
                }
            }
        }
    }
    assert!(answered.is_empty(), "answered: {answered:?}");
    assert!(refused > 500, "only {refused} rows were refused");
}

#[test]
fn the_package_writes_what_its_format_says_and_refuses_the_rest() {
    let package = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../sdk/sklearn");
    let done = Command::new(trained_tests::python())
        .args(["-W", "ignore", "-m", "unittest"])
        .current_dir(package.join("tests"))
        .env("PYTHONPATH", &package)
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("OMP_NUM_THREADS", "1")
        .output()
        .expect("python runs");
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
}
