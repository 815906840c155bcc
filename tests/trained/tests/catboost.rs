//! Packed models of CatBoost against CatBoost.

#[test]
fn packed_models_predict_what_catboost_predicts() {
    trained_tests::check("catboost");
}
