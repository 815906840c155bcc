//! Numbers of categories: a text or a number becomes its place in a list.

use serde::{Deserialize, Serialize};

use super::Shape;
use crate::block::{Block, ValueType, Values};

/// Gives each value the number that its category has, as a number of double precision.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Codes {
    categories: Categories,
    unknown: f64,
}

/// Categories in a sorted list, each with its number.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Categories {
    /// Texts, equal to the byte.
    Text(Vec<(String, f64)>),
    /// Numbers, equal as numbers: zeros of both signs are one. A missing value is none of them.
    Numbers(Vec<(f64, f64)>),
}

impl Codes {
    /// Codes of texts in their order of training: the first is 0. Whatever is not among them is `unknown`.
    pub fn of_texts(texts: impl IntoIterator<Item = String>, unknown: f64) -> Self {
        let mut them: Vec<_> =
            texts.into_iter().enumerate().map(|(code, text)| (text, code as f64)).collect();
        them.sort_by(|a, b| a.0.cmp(&b.0));
        Self { categories: Categories::Text(them), unknown }
    }

    /// Codes of numbers in their order of training, as in [`Self::of_texts`].
    pub fn of_numbers(numbers: impl IntoIterator<Item = f64>, unknown: f64) -> Self {
        let mut them: Vec<_> = numbers
            .into_iter()
            .enumerate()
            // An addition of zero makes the zeros one.
            .map(|(code, number)| (number + 0.0, code as f64))
            .collect();
        them.sort_by(|a, b| a.0.total_cmp(&b.0));
        Self { categories: Categories::Numbers(them), unknown }
    }

    pub(crate) fn check(&self, inputs: &[Shape]) -> Result<Shape, String> {
        let [input] = inputs else {
            return Err(format!("codes takes one block, found {}", inputs.len()));
        };
        match (&self.categories, input.values) {
            (Categories::Text(_), ValueType::Text) => {}
            (Categories::Numbers(_), ValueType::F64) => {}
            (categories, found) => {
                let expected = match categories {
                    Categories::Text(_) => ValueType::Text,
                    Categories::Numbers(_) => ValueType::F64,
                };
                return Err(format!("codes takes {expected:?}, found {found:?}"));
            }
        }
        Ok(Shape { values: ValueType::F64, width: input.width })
    }

    pub(crate) fn run(&self, inputs: &[&Block]) -> Block {
        let codes = match (&self.categories, &inputs[0].values) {
            (Categories::Text(known), Values::Text(values)) => values
                .iter()
                .map(|value| {
                    let at = known.binary_search_by(|(text, _)| text.as_str().cmp(value));
                    at.map_or(self.unknown, |at| known[at].1)
                })
                .collect(),
            (Categories::Numbers(known), Values::F64(values)) => values
                .iter()
                .map(|value| {
                    let at = known.binary_search_by(|(number, _)| number.total_cmp(&(value + 0.0)));
                    at.map_or(self.unknown, |at| known[at].1)
                })
                .collect(),
            _ => unreachable!("checked: the type of the block"),
        };
        Block::f64(inputs[0].width, codes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_gets_the_number_of_its_category() {
        let codes = Codes::of_texts(["UA".into(), "AA".into(), String::new()], -1.0);
        let block = Block {
            width: 1,
            values: Values::Text(["AA", "UA", "", "aa", "AA "].map(String::from).to_vec()),
        };
        assert_eq!(codes.run(&[&block]), Block::f64(1, vec![1.0, 0.0, 2.0, -1.0, -1.0]));
    }

    #[test]
    fn a_number_gets_the_number_of_its_category() {
        let codes = Codes::of_numbers([7.0, 0.0, -2.0], -1.0);
        let block = Block::f64(1, vec![-2.0, -0.0, 7.0, 7.5, f64::NAN]);
        assert_eq!(codes.run(&[&block]), Block::f64(1, vec![2.0, 1.0, 0.0, -1.0, -1.0]));
    }
}
