//! A logistic regression of three features.

use understudy_model::{Description, Model, Prediction, Refusal, Request};

const WEIGHTS: [f64; 3] = [0.8, -1.2, 0.05];
const BIAS: f64 = -0.3;

struct MyModel;

understudy_model::export!(MyModel);

impl Model for MyModel {
    fn describe() -> Description {
        Description::new().input::<f32>("features", [3]).output::<f64>("probability", [1])
    }

    fn predict(request: &Request) -> Result<Prediction, Refusal> {
        let features = request.input("features")?.vector::<f32>()?;
        if features.iter().any(|feature| feature.is_nan()) {
            return Err(Refusal::abstain(
                "a feature is missing, and the training data had none of those",
            ));
        }
        let weighted =
            WEIGHTS.iter().zip(features).map(|(weight, feature)| weight * f64::from(*feature));
        let logit = BIAS + weighted.sum::<f64>();
        Ok(Prediction::new().output("probability", [1], [1.0 / (1.0 + (-logit).exp())]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_features_the_bias_decides() {
        let request = Request::new("1").with_input("features", [3], [0.0_f32; 3]);
        let prediction = MyModel::predict(&request).unwrap();
        let probability = prediction.tensor("probability").unwrap().scalar::<f64>().unwrap();
        assert!((probability - 0.425_557).abs() < 1e-6, "{probability}");
    }

    #[test]
    fn a_missing_feature_is_no_ground_for_a_guess() {
        let request = Request::new("1").with_input("features", [3], [0.0, f32::NAN, 0.0]);
        assert!(matches!(MyModel::predict(&request), Err(Refusal::Abstain(_))));
    }
}
