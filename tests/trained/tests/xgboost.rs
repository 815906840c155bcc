//! Packed models of XGBoost against XGBoost.

use std::fs;

#[test]
fn packed_models_predict_what_xgboost_predicts() {
    trained_tests::check("xgboost");
}

#[test]
fn both_formats_of_xgboost_give_the_same_model() {
    let folders = trained_tests::trained("xgboost");
    let mut pairs = 0;
    for json in folders.iter().filter(|folder| folder.to_string_lossy().ends_with("-json")) {
        let name = json.to_string_lossy();
        let ubj = format!("{}-ubj", name.trim_end_matches("-json"));
        let pipeline = |path| {
            let bytes = fs::read(path).unwrap();
            let options = pack::ReadOptions { raw: true, ..pack::ReadOptions::default() };
            // As bytes: a NaN is not equal to itself.
            pack::read(&bytes, &options).unwrap().pipeline.to_bytes()
        };
        let [json, ubj] = [json.join("model.json"), format!("{ubj}/model.ubj").into()];
        assert_eq!(pipeline(json), pipeline(ubj), "{name}");
        pairs += 1;
    }
    assert_eq!(pairs * 2, folders.len(), "every model is there in both formats");
}
