//! What is read, and what is refused.

use trained::{Block, Values};

use super::*;
use crate::{ColumnOption, read};

/// A file with these columns, steps and result.
fn file(columns: &str, steps: &str, result: &str) -> String {
    format!(
        r#"{{"format": "understudy-sklearn", "version": 1, "library": {{"name": "scikit-learn", "version": "1.9.1"}},
            "model": "a model", "named": true, "columns": [{columns}], "steps": [{steps}], "result": {result}}}"#
    )
}

fn check_refused(columns: &str, steps: &str, result: &str, expected: &str) {
    let text = file(columns, steps, result);
    let error = read(text.as_bytes(), &ReadOptions::default()).unwrap_err().to_string();
    assert!(error.contains(expected), "{error}");
}

const AGE: &str = r#"{"name": "age", "type": "float64"}"#;
const CARRIER: &str = r#"{"name": "carrier", "type": "text"}"#;
const REGRESSION: &str = r#"{"task": "regression", "prediction": [[1, 0]]}"#;

#[test]
fn steps_are_run_in_their_order() {
    let steps = r#"
        {"step": "one-hot", "inputs": [1, 0], "tables": [
            {"values": ["AA", "UA"], "places": [0, 1], "unknown": null, "width": 2},
            {"values": [0.0, "NaN"], "places": [null, 0], "unknown": 0, "width": 1}]},
        {"step": "dense", "inputs": [2, [2, 0]], "weights": [[1, 2, 4, 8]], "bias": [0.5]}"#;
    let result = r#"{"task": "binary", "classes": ["no", "yes"], "decision": [3], "label": {"of": [3], "by": {"at-least": 9.5}}}"#;
    let text = file(&format!("{AGE}, {CARRIER}"), steps, result);
    let trained = read(text.as_bytes(), &ReadOptions::default()).unwrap();
    assert_eq!(trained.columns[1].domain.categories, Some(vec!["AA".to_owned(), "UA".to_owned()]));
    let names: Vec<_> = trained.pipeline.outputs.iter().map(|output| &*output.name).collect();
    assert_eq!(names, ["decision", "label"]);
    let texts = ["AA", "UA", "?"].map(String::from).to_vec();
    let inputs = vec![
        Block::f64(1, vec![0.0, f64::NAN, 3.0]),
        Block { width: 1, values: Values::Text(texts) },
    ];
    trained.pipeline.check().unwrap();
    let run = trained.pipeline.run(inputs, 3);
    let slot = |number: usize| &run.slots[usize::from(trained.pipeline.outputs[number].slot)];
    assert_eq!(slot(0), &Block::f64(1, vec![9.5, 6.5, 4.5]));
    let labels = ["yes", "no", "no"].map(String::from).to_vec();
    assert_eq!(slot(1).values, Values::Text(labels));
}

#[test]
fn what_is_not_known_is_refused_by_name_and_place() {
    check_refused(
        AGE,
        r#"{"step": "fourier", "inputs": [0]}"#,
        REGRESSION,
        "steps[0].step: the step `fourier` is not supported",
    );
    check_refused(
        AGE,
        r#"{"step": "apply", "inputs": [0], "function": "gelu"}"#,
        REGRESSION,
        "steps[0].function: the function `gelu` is not supported",
    );
    check_refused(
        AGE,
        "",
        REGRESSION,
        "result.prediction[0][0]: found 1, expected one of the 1 blocks before",
    );
    check_refused(
        CARRIER,
        r#"{"step": "scale", "inputs": [0], "stages": []}"#,
        REGRESSION,
        "steps[0].inputs: found a list of 1, expected columns of numbers",
    );
    let newer = file(AGE, "", REGRESSION).replace(r#""version": 1,"#, r#""version": 2,"#);
    assert_eq!(
        read(newer.as_bytes(), &ReadOptions::default()).unwrap_err().to_string(),
        "version: version 2 of the format understudy-sklearn is not supported; this understudy reads version 1"
    );
}

#[test]
fn a_tree_that_is_none_is_refused() {
    let tree = |left: &str| {
        format!(
            r#"{{"step": "trees", "inputs": [0], "single": true, "start": [0], "divide": null, "trees": [{{"output": 0,
            "feature": [0, -1, -1], "threshold": [0.5, 0, 0], "left": [{left}, -1, -1], "right": [2, -1, -1],
            "missing_left": [0, 0, 0], "sets": {{}}, "leaves": [[1], [2]]}}]}}"#
        )
    };
    let text = file(AGE, &tree("1"), REGRESSION);
    read(text.as_bytes(), &ReadOptions::default()).unwrap();
    check_refused(AGE, &tree("7"), REGRESSION, "expected nodes below node 0");
    check_refused(AGE, &tree("0"), REGRESSION, "steps[0].trees[0]");
}

#[test]
fn a_matrix_holds_no_texts() {
    let options = ReadOptions { matrix: true, ..ReadOptions::default() };
    let text = file(CARRIER, "", REGRESSION);
    assert_eq!(
        read(text.as_bytes(), &options).unwrap_err().to_string(),
        "--matrix: found the column `carrier` of texts, expected columns of numbers"
    );
}

#[test]
fn a_few_steps_cannot_ask_for_more_columns_than_there_is_memory_for() {
    let twice = |block: usize| {
        format!(r#"{{"step": "apply", "function": "exp", "inputs": [{block}, {block}]}}"#)
    };
    let steps: Vec<_> = (0..60).map(twice).collect();
    check_refused(AGE, &steps.join(", "), REGRESSION, "columns for all of its steps");
    let wide = r#"{"step": "one-hot", "inputs": [0], "tables": [{"values": ["AA"], "places": [0], "width": 4294967295}]}"#;
    check_refused(CARRIER, wide, REGRESSION, "steps[0]: a model with 4294967296 columns");
    let step = r#"{"step": "normalize", "norm": "l1", "least": 0, "inputs": [0]}"#;
    check_refused(
        AGE,
        &vec![step; 70_000].join(", "),
        REGRESSION,
        "columns and steps, which is more than 65535",
    );
}

#[test]
fn trees_have_an_output() {
    let steps = r#"{"step": "trees", "inputs": [0], "start": [], "single": false, "trees": [
        {"feature": [-1], "left": [-1], "right": [-1], "threshold": [0], "missing_left": [0], "sets": {}, "leaves": [[]]}]}"#;
    check_refused(
        AGE,
        steps,
        REGRESSION,
        "steps[0].start: found a list of 0, expected a number for each output",
    );
}

#[test]
fn options_that_mean_nothing_here_are_refused() {
    let result = r#"{"task": "regression", "prediction": [0]}"#;
    let refused = |options: ReadOptions| {
        read(file(AGE, "", result).as_bytes(), &options).unwrap_err().to_string()
    };
    assert_eq!(
        refused(ReadOptions { missing: Some(-1.0), ..ReadOptions::default() }),
        "--missing: found -1, expected nothing: the file says what stands for a missing value"
    );
    assert_eq!(
        refused(ReadOptions { categorical: vec!["age".to_owned()], ..ReadOptions::default() }),
        "--categorical: found `age`, expected nothing: the file says which columns are texts"
    );
    let columns = vec![ColumnOption { name: "years".to_owned(), kind: Some(Kind::Text) }];
    assert_eq!(
        refused(ReadOptions { columns: Some(columns), ..ReadOptions::default() }),
        "--columns: found BYTES for `years`, expected a type of numbers"
    );
}
