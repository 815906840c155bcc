//! The trained scores are what scikit-learn and LightGBM said about the sample of requests.

use std::fs;
use std::path::Path;

use flight::{Flight, delayed, forest, regression};
use serde_json::Value;
use understudy_model::{Prediction, Refusal, Request};

/// Two ways of adding up the same numbers differ by less.
const TOLERANCE: f64 = 1e-12;

#[test]
fn the_regression_is_that_of_scikit_learn() {
    check("logit", |flight| Ok(delayed(regression::log_odds(flight))));
}

#[test]
fn the_forest_is_that_of_lightgbm() {
    check("gbdt", |flight| Ok(delayed(forest::log_odds(flight)?)));
}

fn check(model: &str, predict: impl Fn(&Flight) -> Result<Prediction, Refusal>) {
    let expected = lines("expected.jsonl");
    assert_eq!(expected.len(), 200);
    for (sample, expected) in lines("sample.jsonl").iter().zip(&expected) {
        assert_eq!(sample["id"], expected["id"]);
        let request = request(sample);
        let flight = Flight::read(&request).expect("the sample is well formed");
        match (predict(&flight), &expected[model]) {
            (Ok(prediction), Value::Number(expected)) => {
                let found = prediction.outputs[0].scalar::<f64>().expect("a probability");
                let expected = expected.as_f64().expect("a probability");
                assert!((found - expected).abs() < TOLERANCE, "{sample}: {found}, not {expected}");
            }
            (Err(Refusal::Abstain(_)), Value::String(expected)) => assert_eq!(expected, "abstain"),
            (found, expected) => panic!("{sample}: {found:?}, not {expected}"),
        }
    }
}

fn lines(file: &str) -> Vec<Value> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(file);
    let text = fs::read_to_string(path).expect("the file is there");
    text.lines().map(|line| serde_json::from_str(line).expect("a line is JSON")).collect()
}

fn request(sample: &Value) -> Request {
    let inputs = sample["inputs"].as_array().expect("a request has inputs");
    inputs.iter().fold(Request::new(""), |request, input| {
        let name = input["name"].as_str().expect("an input has a name");
        let element = &input["data"][0];
        match input["datatype"].as_str() {
            Some("BYTES") => request.with_text(name, element.as_str().expect("a text")),
            Some("INT32") => {
                request.with_input(name, [1], [element.as_i64().expect("a number") as i32])
            }
            Some("FP32") => request.with_input(
                name,
                [1],
                [element.as_f64().map_or(f32::NAN, |number| number as f32)],
            ),
            other => panic!("no input of the sample is {other:?}"),
        }
    })
}
