//! How likely a flight is to be late, by gradient-boosted trees. It abstains where it has no idea.

use flight::{Flight, delayed, forest};
use understudy_model::{Description, Model, Prediction, Refusal, Request};

struct Gbdt;

impl Model for Gbdt {
    fn describe() -> Description {
        Flight::describe()
    }

    fn predict(request: &Request) -> Result<Prediction, Refusal> {
        let flight = Flight::read(request)?;
        Ok(delayed(forest::log_odds(&flight)?))
    }
}

understudy_model::export!(Gbdt);
