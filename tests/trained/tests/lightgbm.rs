//! Packed models of LightGBM against LightGBM.

#[test]
fn packed_models_predict_what_lightgbm_predicts() {
    trained_tests::check("lightgbm");
}
