//! `pack`: from a trained file to a component.

use std::fs;

use serde_json::{Value, json};

use crate::{run, text};

/// Two trees of LightGBM, of a number and of the name of a carrier.
const MODEL: &str = "tree
version=v4
num_class=1
num_tree_per_iteration=1
label_index=0
max_feature_idx=1
objective=binary sigmoid:1
feature_names=distance carrier
feature_infos=[0:10] 0:1:2

Tree=0
num_leaves=3
num_cat=1
split_feature=0 1
threshold=2.5 0
decision_type=2 1
left_child=1 -2
right_child=-1 -3
leaf_value=0.25 -1 1
cat_boundaries=0 1
cat_threshold=5

Tree=1
num_leaves=1
num_cat=0
split_feature=
leaf_value=0.5

end of trees

pandas_categorical:[[\"AA\", \"UA\", \"HA\"]]
";
const REQUEST: &str = r#"{"inputs": [
    {"name": "distance", "shape": [1], "datatype": "FP64", "data": [2.5]},
    {"name": "carrier", "shape": [1], "datatype": "BYTES", "data": ["UA"]}]}"#;

#[test]
fn a_packed_model_predicts_and_says_what_its_endpoint_may_promise() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, content: &str| {
        fs::write(folder.path().join(name), content).unwrap();
        folder.path().join(name)
    };
    let model = file("model.txt", MODEL);
    // What the model says of them is 1 / (1 + exp(-1.5)), and so on.
    let sample = file(
        "rows.csv",
        "carrier,distance,said\nUA,2.5,0.8175744761936437\nHA,,0.3775406687981454\n,3,0.679178699175393\n",
    );
    let packed = folder.path().join("late.wasm");
    let said = run([
        "pack",
        text(&model),
        "-o",
        text(&packed),
        "--raw",
        "--version",
        "7",
        "--sample",
        text(&sample),
        "--expected",
        "said",
    ]);
    assert!(said.success, "{}", said.error);
    for line in [
        "distance = { datatype = \"FP64\", shape = [1] }",
        "carrier = { datatype = \"BYTES\", shape = [1] }",
        "probability = { datatype = \"FP64\", shape = [1] }",
    ] {
        assert!(said.out.lines().any(|found| found == line), "no line `{line}` in\n{}", said.out);
    }
    assert!(said.out.contains(", imports nothing\n"), "{}", said.out);
    let report: Value = run(["check", text(&packed), "--json"]).json();
    assert_eq!((&report["name"], &report["version"]), (&json!("late"), &json!("7")), "{report:#}");
    let said = run(["predict", text(&packed), text(&file("request.json", REQUEST))]);
    let score: Value = said.json();
    assert_eq!(score["outputs"][1]["data"][0], 1.5, "{score:#}");
    let samples = fs::read(&packed).unwrap();
    let in_it = |bytes: &[u8]| samples.windows(bytes.len()).any(|window| window == bytes);
    assert!(in_it(b"understudy:samples") && in_it(b"understudy:trained"));
}

#[test]
fn a_test_asks_the_samples_that_a_packed_model_carries() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, content: &[u8]| {
        fs::write(folder.path().join(name), content).unwrap();
        folder.path().join(name)
    };
    let model = file("model.txt", MODEL.as_bytes());
    let rows = file(
        "rows.csv",
        b"carrier,distance,said\nUA,2.5,0.8175744761936437\nHA,,0.3775406687981454\n,3,0.679178699175393\n",
    );
    let packed = folder.path().join("late.wasm");
    let line = ["pack", text(&model), "-o", text(&packed), "--sample", text(&rows)];
    let said = run(line.into_iter().chain(["--expected", "said"]));
    assert!(said.success, "{}", said.error);
    let said = run(["test", text(&packed)]);
    assert!(said.success, "{}{}", said.out, said.error);
    assert_eq!(said.out, "3 of 3 samples as expected, alone and together\n");
    let said: Value = run(["test", text(&packed), "--json"]).json();
    assert_eq!((&said["samples"], &said["failed"]), (&3.into(), &0.into()), "{said:#}");

    // The second row's prediction is another one, of as many bytes, in the component itself.
    let mut bytes = fs::read(&packed).unwrap();
    let (right, wrong) = (b"[0.3775406687981454", b"[0.3775406687981455");
    let places: Vec<_> =
        (0..bytes.len() - right.len()).filter(|at| bytes[*at..].starts_with(right)).collect();
    let [place] = places[..] else { panic!("found it at {places:?}, expected it once") };
    bytes[place..][..wrong.len()].copy_from_slice(wrong);
    let planted = file("planted.wasm", &bytes);
    let said = run(["test", text(&planted)]);
    assert!(!said.success, "{}", said.out);
    assert!(said.error.is_empty(), "{}", said.error);
    let lines: Vec<_> = said.out.lines().collect();
    let [row, difference, count] = lines[..] else { panic!("{}", said.out) };
    assert!(row.starts_with(&format!("{} line 2 (", text(&planted))), "{row}");
    let told = "  probability[0]: expected 0.3775406687981455, found 0.3775406687981454 (";
    assert!(difference.starts_with(told), "{difference}");
    assert_eq!(count, "1 of 3 samples not as expected");
    let said = run(["test", text(&planted), "--json"]);
    assert!(!said.success);
    let differences = &said.json()["differences"];
    assert_eq!(differences.as_array().map(Vec::len), Some(1), "{differences:#}");
    assert_eq!(differences[0]["line"], 2, "{differences:#}");
}

#[test]
fn what_is_not_right_is_refused_and_nothing_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let refused = |model: &str, options: &[&str]| {
        let file = folder.path().join("model.txt");
        fs::write(&file, model).unwrap();
        let packed = folder.path().join("late.wasm");
        let mut line = vec!["pack", text(&file), "-o", text(&packed)];
        line.extend(options);
        let said = run(line);
        assert!(!said.success && !packed.exists(), "{}", said.out);
        said.error
    };
    let error = refused(&MODEL.replace("binary", "mystery"), &[]);
    assert!(error.contains("the objective `mystery` is not supported"), "{error}");
    let error = refused("once upon a time", &[]);
    assert!(error.contains("bytes that begin with"), "{error}");
    let rows = folder.path().join("rows.jsonl");
    fs::write(&rows, "{\"distance\": 1, \"carrier\": \"AA\", \"said\": 0.5}\n").unwrap();
    let error = refused(MODEL, &["--sample", text(&rows), "--expected", "said"]);
    assert!(error.contains("row 1: the packed model says [0.3775"), "{error}");
}
