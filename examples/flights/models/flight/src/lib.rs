//! What the models of this example share: a flight as they see it, and the scores that were trained.
//!
//! A model can be all in one file, as `base-rate` is. These are not, because `moody` asks two of
//! them.

pub mod forest;
pub mod regression;
mod weather;

use understudy_model::{Description, Prediction, Refusal, Request};

/// A flight, as it is known at its scheduled departure.
#[derive(Debug, Clone, PartialEq)]
pub struct Flight<'a> {
    /// Who flies: `UA`.
    pub carrier: &'a str,
    /// Where from: `JFK`.
    pub origin: &'a str,
    /// Where to: `SFO`.
    pub dest: &'a str,
    /// How far, in miles.
    pub distance: f32,
    /// The hour of scheduled departure, from 0 to 23.
    pub hour: u8,
    /// The day of the week, from 0 for Monday to 6.
    pub weekday: u8,
    /// The temperature in degrees Fahrenheit.
    pub temp: f32,
    /// The speed of the wind in miles an hour.
    pub wind_speed: f32,
    /// The rain and snow of the hour, in inches.
    pub precip: f32,
    /// How far one can see, in miles.
    pub visib: f32,
}

impl<'a> Flight<'a> {
    /// Describes a model that reads a flight and says how likely it is to be late.
    pub fn describe() -> Description {
        Description::new()
            .input::<String>("carrier", [1])
            .input::<String>("origin", [1])
            .input::<String>("dest", [1])
            .input::<f32>("distance", [1])
            .input::<i32>("hour", [1])
            .input::<i32>("weekday", [1])
            .input::<f32>("temp", [1])
            .input::<f32>("wind_speed", [1])
            .input::<f32>("precip", [1])
            .input::<f32>("visib", [1])
            .output::<f64>("delayed", [1])
    }

    /// Reads the flight that a request is about. For weather that is unknown stands the usual one.
    ///
    /// # Errors
    ///
    /// [`Refusal::InvalidInput`] where an input is missing, of another type, or out of range.
    pub fn read(request: &'a Request) -> Result<Self, Refusal> {
        Ok(Self {
            carrier: request.input("carrier")?.text()?,
            origin: request.input("origin")?.text()?,
            dest: request.input("dest")?.text()?,
            distance: request.input("distance")?.scalar()?,
            hour: below(24, request, "hour")?,
            weekday: below(7, request, "weekday")?,
            temp: known_or(weather::TEMP, request, "temp")?,
            wind_speed: known_or(weather::WIND_SPEED, request, "wind_speed")?,
            precip: known_or(weather::PRECIP, request, "precip")?,
            visib: known_or(weather::VISIB, request, "visib")?,
        })
    }
}

/// Turns log-odds into the prediction that [`Flight::describe`] promises.
pub fn delayed(log_odds: f64) -> Prediction {
    Prediction::new().output("delayed", [1], [1.0 / (1.0 + (-log_odds).exp())])
}

fn below(limit: u8, request: &Request, name: &str) -> Result<u8, Refusal> {
    let found = request.input(name)?.scalar::<i32>()?;
    u8::try_from(found).ok().filter(|value| *value < limit).ok_or_else(|| {
        Refusal::invalid_input(format!("input `{name}` is {found}, expected 0 to {}", limit - 1))
    })
}

fn known_or(usual: f32, request: &Request, name: &str) -> Result<f32, Refusal> {
    let found = request.input(name)?.scalar::<f32>()?;
    Ok(if found.is_nan() { usual } else { found })
}

/// Finds what was learnt about a name in a table that is sorted by name.
fn find<T: Copy>(table: &[(&str, T)], name: &str) -> Option<T> {
    let index = table.binary_search_by_key(&name, |(known, _)| known).ok()?;
    Some(table[index].1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(hour: i32, temp: f32) -> Request {
        Request::new("1")
            .with_text("carrier", "UA")
            .with_text("origin", "EWR")
            .with_text("dest", "SFO")
            .with_input("distance", [1], [2565.0_f32])
            .with_input("hour", [1], [hour])
            .with_input("weekday", [1], [6])
            .with_input("temp", [1], [temp])
            .with_input("wind_speed", [1], [f32::NAN])
            .with_input("precip", [1], [0.25_f32])
            .with_input("visib", [1], [2.0_f32])
    }

    #[test]
    fn a_flight_is_read_and_unknown_weather_is_the_usual() {
        let request = request(23, f32::NAN);
        let flight = Flight::read(&request).unwrap();
        assert_eq!((flight.carrier, flight.origin, flight.dest), ("UA", "EWR", "SFO"));
        assert_eq!((flight.distance, flight.hour, flight.weekday), (2565.0, 23, 6));
        assert_eq!((flight.temp, flight.wind_speed), (weather::TEMP, weather::WIND_SPEED));
        assert_eq!((flight.precip, flight.visib), (0.25, 2.0));
    }

    #[test]
    fn an_hour_out_of_range_is_refused() {
        for hour in [-1, 24] {
            let expected = format!("input `hour` is {hour}, expected 0 to 23");
            let refusal = Flight::read(&request(hour, 40.0)).unwrap_err();
            assert_eq!(refusal, Refusal::invalid_input(expected));
        }
    }

    #[test]
    fn every_promised_input_is_read() {
        let names: Vec<_> = Flight::describe().inputs.into_iter().map(|input| input.name).collect();
        let given: Vec<_> = request(1, 1.0).inputs.into_iter().map(|tensor| tensor.name).collect();
        assert_eq!(names, given);
    }
}
