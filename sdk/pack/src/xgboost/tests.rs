//! What is read of small files of XGBoost, and what is refused by its name.

use trained::{Block, Inputs};

use crate::{ReadOptions, read};

/// A stump: less than 0.5 to the left, what is missing too.
fn model() -> String {
    r#"{"learner": {"attributes": {}, "feature_names": [], "feature_types": [],
        "gradient_booster": {"name": "gbtree", "model": {
            "cats": {"enc": []}, "iteration_indptr": [0, 1], "tree_info": [0],
            "trees": [{"tree_param": {"size_leaf_vector": "1"},
                "left_children": [1, -1, -1], "right_children": [2, -1, -1], "split_indices": [0, 0, 0],
                "split_conditions": [5E-1, -1E0, 1E0], "default_left": [1, 0, 0], "split_type": [0, 0, 0],
                "categories": [], "categories_nodes": [], "categories_segments": [], "categories_sizes": []}]}},
        "learner_model_param": {"base_score": "[2.5E-1]", "num_class": "0", "num_feature": "1", "num_target": "1"},
        "objective": {"name": "reg:squarederror"}}, "version": [3, 2, 0]}"#
        .to_owned()
}

fn check(from: &str, to: &str, expected: &str) {
    let text = model();
    assert!(text.contains(from), "the model has no {from}");
    let error = read(text.replacen(from, to, 1).as_bytes(), &ReadOptions::default()).unwrap_err();
    assert_eq!(error.to_string(), expected);
}

#[test]
fn a_small_model_is_read() {
    let trained = read(model().as_bytes(), &ReadOptions::default()).unwrap();
    assert_eq!(trained.summary, "1 trees, reg:squarederror");
    assert_eq!(trained.library_version.as_deref(), Some("3.2.0"));
    assert!(matches!(trained.pipeline.inputs, Inputs::Matrix { width: 1, .. }));
    let below = f64::from(0.5_f32.next_down());
    let rows = Block::f64(1, vec![0.5, below, 0.499_999_999, f64::NAN]);
    let run = trained.pipeline.run(vec![rows], 4);
    // The third is rounded to 0.5 first.
    assert_eq!(run.slots.last(), Some(&Block::f32(1, vec![1.25, -0.75, 1.25, -0.75])));
}

#[test]
fn a_number_can_stand_for_a_missing_value() {
    let options = ReadOptions { missing: Some(7.0), ..ReadOptions::default() };
    let trained = read(model().as_bytes(), &options).unwrap();
    let run = trained.pipeline.run(vec![Block::f64(1, vec![7.0, 8.0])], 2);
    assert_eq!(run.slots.last(), Some(&Block::f32(1, vec![-0.75, 1.25])));
}

#[test]
fn what_is_not_known_is_refused_by_its_name() {
    check(
        "reg:squarederror",
        "reg:mystery",
        "learner.objective.name: the objective reg:mystery is not supported",
    );
    check(
        r#""name": "gbtree""#,
        r#""name": "gbforest""#,
        "learner.gradient_booster.name: the booster gbforest is not supported",
    );
    check(
        r#""size_leaf_vector": "1""#,
        r#""size_leaf_vector": "2""#,
        "learner.gradient_booster.model.trees[0].tree_param.size_leaf_vector: found the text \"2\", expected as many values as outputs, which is 1",
    );
}

#[test]
fn a_file_that_contradicts_itself_is_refused_with_the_place() {
    check(
        "[2.5E-1]",
        "[1E0,2E0]",
        "learner.learner_model_param.base_score: found the text \"[1E0,2E0]\", expected a number, or one for each of 1 outputs",
    );
    check(
        r#""tree_info": [0]"#,
        r#""tree_info": [0, 1]"#,
        "learner.gradient_booster.model.tree_info: found a list of 2, expected an output for each of 1 trees",
    );
    check(
        r#""left_children": [1, "#,
        r#""left_children": [7, "#,
        "learner.gradient_booster.model.trees[0]: found a table of 11, expected children that are nodes of the tree",
    );
    check(
        r#""left_children": [1, "#,
        r#""left_children": [0, "#,
        "learner.gradient_booster.model.trees[0]: found a table of 11, expected nodes that each have one parent",
    );
    check(
        r#""split_conditions": [5E-1, "#,
        r#""split_conditions": ["#,
        "learner.gradient_booster.model.trees[0].split_conditions: found a list of 2, expected a list of 3",
    );
}

#[test]
fn a_file_of_a_later_library_is_refused() {
    check(
        "[3, 2, 0]",
        "[4, 0, 1]",
        "version: the format of XGBoost 4.0.1 is not supported; this understudy knows what those up to 3 mean by it",
    );
}

#[test]
fn a_number_that_is_only_said_takes_no_memory() {
    const MANY: &str = "learner.learner_model_param: a model with 1000000000000";
    check(
        r#""num_class": "0""#,
        r#""num_class": "1000000000000""#,
        &format!("{MANY} scores, which is more than 65536, is not supported"),
    );
    check(
        r#""num_feature": "1""#,
        r#""num_feature": "1000000000000""#,
        &format!("{MANY} columns, which is more than 1048576, is not supported"),
    );
}
