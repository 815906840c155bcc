//! The logistic regression of the example, native, from JSON to JSON: what a service does that is
//! written for nothing else.

use std::borrow::Cow;
use std::fmt;

use serde::de::{self, Deserializer, Visitor};
use serde::{Deserialize, Serialize};

use crate::flight::Flight;

/// A request of the protocol, as far as this service cares.
#[derive(Debug, Deserialize)]
pub(crate) struct Question<'a> {
    #[serde(borrow)]
    id: Option<Cow<'a, str>>,
    #[serde(borrow)]
    inputs: Vec<Input<'a>>,
}

#[derive(Debug, Deserialize)]
struct Input<'a> {
    #[serde(borrow)]
    name: Cow<'a, str>,
    #[serde(borrow)]
    data: [Element<'a>; 1],
}

#[derive(Debug)]
enum Element<'a> {
    Text(Cow<'a, str>),
    Number(f64),
}

/// A response of the protocol.
#[derive(Debug, Serialize)]
pub(crate) struct Reply<'a> {
    model_name: &'static str,
    model_version: &'static str,
    id: Option<Cow<'a, str>>,
    outputs: [Output; 1],
}

#[derive(Debug, Serialize)]
struct Output {
    name: &'static str,
    shape: [u32; 1],
    datatype: &'static str,
    data: [f64; 1],
}

impl<'a> Question<'a> {
    /// Says how likely the flight is to be late, or `None` where the question is about no flight.
    pub(crate) fn answer(self) -> Option<Reply<'a>> {
        let data = [self.flight()?.delayed()];
        let output = Output { name: "delayed", shape: [1], datatype: "FP64", data };
        Some(Reply {
            model_name: "flights",
            model_version: "logit",
            id: self.id,
            outputs: [output],
        })
    }

    fn flight(&self) -> Option<Flight<'_>> {
        Some(Flight {
            carrier: self.text("carrier")?,
            origin: self.text("origin")?,
            dest: self.text("dest")?,
            distance: self.number("distance")?,
            hour: self.small("hour", 24)?,
            weekday: self.small("weekday", 7)?,
            wind_speed: self.weather("wind_speed", 11.51)?,
            precip: self.weather("precip", 0.0)?,
            visib: self.weather("visib", 10.0)?,
        })
    }

    fn element(&self, name: &str) -> Option<&Element<'_>> {
        self.inputs.iter().find(|input| input.name == name).map(|input| &input.data[0])
    }

    fn text(&self, name: &str) -> Option<&str> {
        match self.element(name)? {
            Element::Text(text) => Some(text),
            Element::Number(_) => None,
        }
    }

    fn number(&self, name: &str) -> Option<f32> {
        match self.element(name)? {
            Element::Number(number) => Some(*number as f32),
            Element::Text(_) => None,
        }
    }

    /// A number, or the usual one where it is unknown.
    fn weather(&self, name: &str, usual: f32) -> Option<f32> {
        match self.element(name)? {
            Element::Text(text) if text == "NaN" => Some(usual),
            _ => self.number(name),
        }
    }

    fn small(&self, name: &str, limit: u8) -> Option<u8> {
        let number = self.number(name)? as u8;
        (number < limit).then_some(number)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Element<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ElementVisitor)
    }
}

struct ElementVisitor;

impl<'de> Visitor<'de> for ElementVisitor {
    type Value = Element<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text or a number")
    }

    fn visit_borrowed_str<E: de::Error>(self, text: &'de str) -> Result<Element<'de>, E> {
        Ok(Element::Text(Cow::Borrowed(text)))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Element<'de>, E> {
        Ok(Element::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_f64<E: de::Error>(self, number: f64) -> Result<Element<'de>, E> {
        Ok(Element::Number(number))
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<Element<'de>, E> {
        Ok(Element::Number(number as f64))
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<Element<'de>, E> {
        Ok(Element::Number(number as f64))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAMPLES: &str = include_str!("../../../../examples/flights/sample.jsonl");
    const EXPECTED: &str = include_str!("../../../../examples/flights/expected.jsonl");

    #[test]
    fn it_says_what_the_model_says() {
        for (document, expected) in SAMPLES.lines().zip(EXPECTED.lines()) {
            let expected: serde_json::Value = serde_json::from_str(expected).unwrap();
            let question: Question<'_> = serde_json::from_str(document).unwrap();
            let found = question.answer().unwrap().outputs[0].data[0];
            let expected = expected["logit"].as_f64().unwrap();
            assert!((found - expected).abs() < 1e-12, "{found} {expected}");
        }
    }

    #[test]
    fn what_is_about_no_flight_has_no_answer() {
        let question: Question<'_> = serde_json::from_str(r#"{"inputs": []}"#).unwrap();
        assert!(question.answer().is_none());
    }
}
