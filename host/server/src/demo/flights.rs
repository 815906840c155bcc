//! The flights of the example: what is known at scheduled departure, and what came of it.

use std::fmt::Write as _;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use bytes::Bytes;
use flate2::read::GzDecoder;

/// An arrival later than this many minutes is late.
const LATE_AFTER_MINUTES: f64 = 15.0;
const COLUMNS: &str = "month,day,weekday,hour,minute,carrier,origin,dest,distance,temp,wind_speed,precip,visib,arr_delay";

/// One departure.
#[derive(Debug, Clone)]
pub(crate) struct Flight {
    /// From 1 to 12.
    pub(crate) month: u8,
    pub(crate) day: u8,
    /// Whether it arrived late; nothing where it was cancelled or nobody knows.
    pub(crate) late: Option<bool>,
    columns: Arc<str>,
}

/// Reads the flights, in the order of their scheduled departure.
pub(crate) fn read(file: &Path) -> Result<Vec<Flight>> {
    let opened =
        std::fs::File::open(file).with_context(|| format!("cannot read {}", file.display()))?;
    let mut lines = BufReader::new(GzDecoder::new(opened)).lines();
    let header = lines.next().transpose()?.unwrap_or_default();
    ensure!(header == COLUMNS, "{}: found columns {header}, expected {COLUMNS}", file.display());
    lines
        .enumerate()
        .map(|(index, line)| {
            Flight::parse(&line?).with_context(|| format!("{}:{}", file.display(), index + 2))
        })
        .collect()
}

impl Flight {
    fn parse(line: &str) -> Result<Self> {
        let (columns, delay) = line.rsplit_once(',').context("expected 14 columns")?;
        let mut first = columns.split(',');
        let mut number =
            || -> Result<u8> { Ok(first.next().context("expected 14 columns")?.parse()?) };
        let (month, day) = (number()?, number()?);
        let late = match delay {
            "" => None,
            minutes => Some(minutes.parse::<f64>()? > LATE_AFTER_MINUTES),
        };
        ensure!(columns.split(',').count() == 13, "expected 14 columns");
        Ok(Self { month, day, late, columns: Arc::from(columns) })
    }

    /// The request: will this flight arrive more than 15 minutes late?
    pub(crate) fn request(&self, id: &str) -> Bytes {
        let columns: Vec<&str> = self.columns.split(',').collect();
        let [month, _, weekday, hour, _, carrier, origin, dest, distance, weather @ ..] =
            &columns[..]
        else {
            unreachable!("invariant: parsed flights have 13 columns");
        };
        let mut document = format!("{{\"id\":\"{id}\",\"inputs\":[");
        let mut tensor = |name: &str, datatype: &str, value: &str| {
            // A missing number travels as a text, which is how the protocol's JSON has no other.
            let quoted = datatype == "BYTES" || value.is_empty();
            let value = if value.is_empty() { "NaN" } else { value };
            let quote = if quoted { "\"" } else { "" };
            let comma = if document.ends_with('[') { "" } else { "," };
            write!(
                document,
                "{comma}{{\"name\":\"{name}\",\"shape\":[1],\"datatype\":\"{datatype}\",\"data\":[{quote}{value}{quote}]}}"
            )
            .expect("invariant: a string takes all");
        };
        tensor("carrier", "BYTES", carrier);
        tensor("origin", "BYTES", origin);
        tensor("dest", "BYTES", dest);
        tensor("distance", "FP32", distance);
        tensor("hour", "INT32", hour);
        tensor("weekday", "INT32", weekday);
        tensor("month", "INT32", month);
        for (name, value) in ["temp", "wind_speed", "precip", "visib"].iter().zip(weather) {
            tensor(name, "FP32", value);
        }
        document.push_str("]}");
        Bytes::from(document)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flight_becomes_a_request() {
        let line = "1,2,3,5,15,UA,EWR,IAH,1400,39.02,,0,10,16";
        let flight = Flight::parse(line).unwrap();
        assert_eq!((flight.month, flight.day, flight.late), (1, 2, Some(true)));
        let request = message::oip::decode_request(&flight.request("flight-1")).unwrap();
        assert_eq!(request.id.as_deref(), Some("flight-1"));
        let names: Vec<&str> = request.inputs.iter().map(|input| input.name.as_str()).collect();
        let expected =
            "carrier origin dest distance hour weekday month temp wind_speed precip visib";
        assert_eq!(names.join(" "), expected);
        let message::Contents::F32s(wind) = &request.inputs[8].contents else { panic!("a float") };
        assert!(wind[0].is_nan());
    }

    #[test]
    fn a_cancelled_flight_has_no_truth() {
        assert_eq!(Flight::parse("1,2,3,5,15,UA,EWR,IAH,1400,39.02,1,0,10,").unwrap().late, None);
        assert!(Flight::parse("1,2").is_err());
    }
}
