//! How many flights of that hour were late. It is the fallback, so it never refuses.

mod trained;

use understudy_model::{Description, Model, Prediction, Refusal, Request};

use trained::{HOURS, OVERALL};

struct BaseRate;

impl Model for BaseRate {
    fn describe() -> Description {
        Description::new().input::<i32>("hour", [1]).output::<f64>("delayed", [1])
    }

    fn predict(request: &Request) -> Result<Prediction, Refusal> {
        let hour = request.input("hour")?.scalar::<i32>()?;
        let rate = usize::try_from(hour).ok().and_then(|hour| HOURS.get(hour));
        Ok(Prediction::new().output("delayed", [1], [*rate.unwrap_or(&OVERALL)]))
    }
}

understudy_model::export!(BaseRate);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_hour_that_is_none_gets_the_rate_of_all() {
        let delayed = |hour: i32| {
            let request = Request::new("1").with_input("hour", [1], [hour]);
            BaseRate::predict(&request).unwrap().outputs.remove(0).scalar::<f64>().unwrap()
        };
        assert_eq!(delayed(17), HOURS[17]);
        assert_eq!(delayed(24), OVERALL);
        assert_eq!(delayed(-1), OVERALL);
    }
}
