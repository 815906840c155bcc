//! How likely a flight is to be late, by logistic regression.

use flight::{Flight, delayed, regression};
use understudy_model::{Description, Model, Prediction, Refusal, Request};

struct Logit;

impl Model for Logit {
    fn describe() -> Description {
        Flight::describe()
    }

    fn predict(request: &Request) -> Result<Prediction, Refusal> {
        let flight = Flight::read(request)?;
        Ok(delayed(regression::log_odds(&flight)))
    }
}

understudy_model::export!(Logit);
