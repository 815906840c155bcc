//! What is read of small files of CatBoost, and what is refused by its name.

use trained::{Block, Inputs, Values};

use crate::{ReadOptions, read};

/// A tree over a number and a category, whose two leaves to the right have the category AA.
fn model() -> String {
    let hash = trained::ops::bins::category_hash("AA");
    r#"{"features_info": {
            "float_features": [{"borders": [0.5], "feature_id": "delay", "feature_index": 0, "flat_feature_index": 0,
                "has_nans": true, "nan_value_treatment": "AsTrue"}],
            "categorical_features": [{"feature_id": "carrier", "feature_index": 0, "flat_feature_index": 1, "values": [HASH]}]},
        "model_info": {"params": {"loss_function": {"type": "RMSE"}}},
        "oblivious_trees": [{"leaf_values": [1, 2, 3, 4], "splits": [
            {"border": 0.5, "float_feature_index": 0, "split_index": 0, "split_type": "FloatFeature"},
            {"cat_feature_index": 0, "split_index": 1, "split_type": "OneHotFeature", "value": HASH}]}],
        "scale_and_bias": [2, [0.5]]}"#
        .replace("HASH", &hash.to_string())
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
    assert_eq!(trained.summary, "1 oblivious trees, RMSE");
    assert!(matches!(&trained.pipeline.inputs, Inputs::Columns(columns) if columns.len() == 2));
    let texts = ["AA", "aa", "AA", ""].map(String::from).to_vec();
    let rows = vec![
        Block::f64(1, vec![0.5, 0.75, f64::NAN, -1.0]),
        Block { width: 1, values: Values::Text(texts) },
    ];
    let run = trained.pipeline.run(rows, 4);
    assert_eq!(run.slots.last(), Some(&Block::f64(1, vec![6.5, 4.5, 8.5, 2.5])));
}

#[test]
fn what_is_not_known_is_refused_by_its_name() {
    check(
        r#""type": "RMSE""#,
        r#""type": "RMSEWithUncertainty""#,
        "model_info.params.loss_function.type: the loss RMSEWithUncertainty is not supported",
    );
    check(
        r#""float_features""#,
        r#""text_features": [{}], "float_features""#,
        "features_info.text_features: a model with text features is not supported",
    );
    check(
        "OneHotFeature",
        "EstimatedFeature",
        "oblivious_trees[0].splits[1].split_type: a split of the type EstimatedFeature is not supported",
    );
    check(
        r#""categorical_features""#,
        r#""ctrs": [{"ctr_type": "FeatureFreq"}], "categorical_features""#,
        "features_info.ctrs[0].ctr_type: the CTR type FeatureFreq is not supported",
    );
}

#[test]
fn a_file_that_contradicts_itself_is_refused_with_the_place() {
    check(
        r#""leaf_values": [1, 2, 3, 4]"#,
        r#""leaf_values": [1, 2, 3]"#,
        "oblivious_trees[0].leaf_values: found a list of 3, expected a value for each leaf of 2 splits and 1 outputs",
    );
    check(
        r#""float_feature_index": 0"#,
        r#""float_feature_index": 3"#,
        "oblivious_trees[0].splits[0].float_feature_index: found the number 3, expected the index of one of the float_features",
    );
    check(
        "OneHotFeature",
        "OnlineCtr",
        "oblivious_trees[0].splits[1].split_index: found 1, expected the number of a border of one of the ctrs",
    );
}

#[test]
fn options_that_make_no_sense_are_refused() {
    let refused =
        |options: ReadOptions| read(model().as_bytes(), &options).unwrap_err().to_string();
    let message = refused(ReadOptions { missing: Some(-1.0), ..ReadOptions::default() });
    assert!(message.contains("for CatBoost a missing value is NaN"), "{message}");
    let message = refused(ReadOptions { matrix: true, ..ReadOptions::default() });
    assert!(message.contains("a model with 1 columns of texts"), "{message}");
}

/// The model with a number that is computed of its category, by a table without keys.
fn counted(stride: &str, elements: &str) -> String {
    let ctr = |elements: &str| {
        format!(
            r#"{{"ctr_type": "Borders", "target_border_idx": 0, "identifier": "t", "prior_numerator": 0, "prior_denomerator": 1,
                "shift": 0, "scale": 1, "borders": [0.25], "elements": [{elements}]}}"#
        )
    };
    let category = r#"{"combination_element": "cat_feature_value", "cat_feature_index": 0}"#;
    let ctrs = [ctr(category), ctr(elements)].join(", ");
    let split = |index: u8| {
        format!(r#"{{"border": 0.25, "split_index": {index}, "split_type": "OnlineCtr"}}"#)
    };
    let tree = format!(
        r#""oblivious_trees": [{{"leaf_values": [1, 2, 3, 4], "splits": [{}, {}]}}, {{"#,
        split(2),
        split(3)
    );
    let data = format!(
        r#""ctr_data": {{"t": {{"hash_stride": {stride}, "counter_denominator": 0, "hash_map": []}}}}, "model_info""#
    );
    model()
        .replace(
            r#""categorical_features""#,
            &format!(r#""ctrs": [{ctrs}], "categorical_features""#),
        )
        .replace(r#""oblivious_trees": [{"#, &tree)
        .replace(r#""model_info""#, &data)
}

#[test]
fn tables_of_counts_are_what_the_ctrs_say_they_are() {
    let category = r#"{"combination_element": "cat_feature_value", "cat_feature_index": 0}"#;
    let number =
        r#"{"combination_element": "float_feature", "float_feature_index": 0, "border": 0.5}"#;
    let read = |text: String| read(text.as_bytes(), &ReadOptions::default());
    assert_eq!(read(counted("3", category)).unwrap().summary, "2 oblivious trees, RMSE");
    assert_eq!(
        read(counted("1000000000000", category)).unwrap_err().to_string(),
        "ctr_data.t.hash_map: found a list of 0, expected keys with 1 to 65535 counts each"
    );
    assert_eq!(
        read(counted("3", number)).unwrap_err().to_string(),
        "features_info.ctrs[1]: found other elements than features_info.ctrs[0] has, of the same table, expected the same"
    );
}
