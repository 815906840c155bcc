//! Values of a file in JSON or UBJ, and where in it they stand.
//!
//! A number keeps its digits until somebody says of what type it is. As a double that is rounded once more it would not always be the
//! single that the library wrote, and parsers that are fast get the last bit of a double wrong now and then.

use std::borrow::Cow;

use crate::ReadError;

/// A value.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value<'a> {
    /// Nothing.
    Null,
    /// True or false.
    Bool(bool),
    /// A number by its digits.
    Digits(&'a str),
    /// A whole number of a binary file.
    Whole(i64),
    /// A number of single precision of a binary file.
    Single(f32),
    /// A number of double precision of a binary file.
    Double(f64),
    /// A text.
    Text(Cow<'a, str>),
    /// Values of any kind.
    List(Vec<Self>),
    /// Whole numbers of a binary file.
    Wholes(Vec<i64>),
    /// Numbers of single precision of a binary file.
    Singles(Vec<f32>),
    /// Numbers of double precision of a binary file.
    Doubles(Vec<f64>),
    /// Values by their keys, in the order of the file.
    Table(Vec<(Cow<'a, str>, Self)>),
}

/// A value and its place, for whoever has to say what is wrong with it.
#[derive(Debug, Clone)]
pub(crate) struct Node<'a> {
    /// Where it stands: the keys and numbers that lead to it.
    pub(crate) place: String,
    /// The value.
    pub(crate) value: &'a Value<'a>,
}

impl Value<'_> {
    fn described(&self) -> String {
        match self {
            Value::Null => "null".to_owned(),
            Value::Bool(value) => value.to_string(),
            Value::Digits(digits) => (*digits).to_owned(),
            Value::Whole(value) => value.to_string(),
            Value::Single(value) => value.to_string(),
            Value::Double(value) => value.to_string(),
            Value::Text(text) if text.chars().count() > 40 => {
                format!("the text \"{}…\"", text.chars().take(40).collect::<String>())
            }
            Value::Text(text) => format!("the text \"{text}\""),
            Value::List(list) => format!("a list of {}", list.len()),
            Value::Wholes(list) => format!("a list of {} whole numbers", list.len()),
            Value::Singles(list) => format!("a list of {} numbers", list.len()),
            Value::Doubles(list) => format!("a list of {} numbers", list.len()),
            Value::Table(table) => format!("a table of {}", table.len()),
        }
    }

    fn as_f64(&self) -> Option<f64> {
        match self {
            Value::Digits(digits) => digits.parse().ok(),
            Value::Whole(value) => Some(*value as f64),
            Value::Single(value) => Some(f64::from(*value)),
            Value::Double(value) => Some(*value),
            _ => None,
        }
    }

    fn as_f32(&self) -> Option<f32> {
        match self {
            Value::Digits(digits) => digits.parse().ok(),
            Value::Whole(value) => Some(*value as f32),
            Value::Single(value) => Some(*value),
            Value::Double(value) => Some(*value as f32),
            _ => None,
        }
    }

    fn as_i64(&self) -> Option<i64> {
        match self {
            Value::Digits(digits) => digits.parse().ok(),
            Value::Whole(value) => Some(*value),
            Value::Bool(value) => Some(i64::from(*value)),
            _ => None,
        }
    }
}

impl<'a> Node<'a> {
    /// The whole file.
    pub(crate) fn root(value: &'a Value<'a>) -> Self {
        Self { place: String::new(), value }
    }

    /// The value of a key, which has to be there.
    pub(crate) fn get(&self, key: &str) -> Result<Self, ReadError> {
        match self.find(key)? {
            Some(found) => Ok(found),
            None => Err(ReadError::Malformed {
                place: self.place().to_owned(),
                found: format!("no key `{key}`"),
                expected: "one".to_owned(),
            }),
        }
    }

    /// The value of a key, where there is one that is not null.
    pub(crate) fn find(&self, key: &str) -> Result<Option<Self>, ReadError> {
        let found = self.table()?.iter().find(|(name, _)| name == key);
        Ok(found
            .filter(|(_, value)| *value != Value::Null)
            .map(|(name, value)| Self { place: self.below(name), value }))
    }

    /// The keys of a table and their values.
    pub(crate) fn entries(&self) -> Result<Vec<(&'a str, Self)>, ReadError> {
        let node = |(key, value): &'a (Cow<'a, str>, Value<'a>)| {
            (&**key, Self { place: self.below(key), value })
        };
        Ok(self.table()?.iter().map(node).collect())
    }

    /// The values of a list.
    pub(crate) fn list(&self) -> Result<Vec<Self>, ReadError> {
        let Value::List(list) = self.value else { return Err(self.wrong("a list")) };
        let place = self.place();
        let node = |(at, value)| Self { place: format!("{place}[{at}]"), value };
        Ok(list.iter().enumerate().map(node).collect())
    }

    /// The text.
    pub(crate) fn text(&self) -> Result<&'a str, ReadError> {
        match self.value {
            Value::Text(text) => Ok(text),
            _ => Err(self.wrong("a text")),
        }
    }

    /// The number, to the last bit.
    pub(crate) fn f64(&self) -> Result<f64, ReadError> {
        self.value.as_f64().ok_or_else(|| self.wrong("a number"))
    }

    /// The number as one of single precision, rounded once.
    pub(crate) fn f32(&self) -> Result<f32, ReadError> {
        self.value.as_f32().ok_or_else(|| self.wrong("a number"))
    }

    /// The whole number.
    pub(crate) fn i64(&self) -> Result<i64, ReadError> {
        self.value.as_i64().ok_or_else(|| self.wrong("a whole number"))
    }

    /// The whole number, which must not be negative.
    pub(crate) fn count(&self) -> Result<usize, ReadError> {
        let number = self.i64()?;
        usize::try_from(number).map_err(|_| self.wrong("a whole number from 0"))
    }

    /// A list of numbers of single precision.
    pub(crate) fn f32s(&self) -> Result<Vec<f32>, ReadError> {
        match self.value {
            Value::Singles(list) => Ok(list.clone()),
            Value::Doubles(list) => Ok(list.iter().map(|value| *value as f32).collect()),
            Value::Wholes(list) => Ok(list.iter().map(|value| *value as f32).collect()),
            Value::List(list) => self.each(list, "a number", |value| value.as_f32()),
            _ => Err(self.wrong("a list of numbers")),
        }
    }

    /// A list of numbers of double precision.
    pub(crate) fn f64s(&self) -> Result<Vec<f64>, ReadError> {
        match self.value {
            Value::Singles(list) => Ok(list.iter().map(|value| f64::from(*value)).collect()),
            Value::Doubles(list) => Ok(list.clone()),
            Value::Wholes(list) => Ok(list.iter().map(|value| *value as f64).collect()),
            Value::List(list) => self.each(list, "a number", |value| value.as_f64()),
            _ => Err(self.wrong("a list of numbers")),
        }
    }

    /// A list of whole numbers.
    pub(crate) fn i64s(&self) -> Result<Vec<i64>, ReadError> {
        match self.value {
            Value::Wholes(list) => Ok(list.clone()),
            Value::List(list) => self.each(list, "a whole number", |value| value.as_i64()),
            _ => Err(self.wrong("a list of whole numbers")),
        }
    }

    /// That the value is not what it should be.
    pub(crate) fn wrong(&self, expected: &str) -> ReadError {
        ReadError::Malformed {
            place: self.place().to_owned(),
            found: self.value.described(),
            expected: expected.to_owned(),
        }
    }

    /// That the value is one that cannot be run with the same result.
    pub(crate) fn unsupported(&self, what: impl Into<String>, hint: Option<&str>) -> ReadError {
        ReadError::Unsupported {
            place: self.place().to_owned(),
            what: what.into(),
            hint: hint.map(str::to_owned),
        }
    }

    fn each<T>(
        &self,
        list: &[Value<'_>],
        expected: &str,
        read: impl Fn(&Value<'_>) -> Option<T>,
    ) -> Result<Vec<T>, ReadError> {
        let of = |(at, value): (usize, &Value<'_>)| {
            read(value).ok_or_else(|| ReadError::Malformed {
                place: format!("{}[{at}]", self.place()),
                found: value.described(),
                expected: expected.to_owned(),
            })
        };
        list.iter().enumerate().map(of).collect()
    }

    fn table(&self) -> Result<&'a [(Cow<'a, str>, Value<'a>)], ReadError> {
        match self.value {
            Value::Table(entries) => Ok(entries),
            _ => Err(self.wrong("a table")),
        }
    }

    fn place(&self) -> &str {
        if self.place.is_empty() { "the file" } else { &self.place }
    }

    fn below(&self, key: &str) -> String {
        let key: String = key.chars().take(60).collect();
        if self.place.is_empty() { key } else { format!("{}.{key}", self.place) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json;

    #[test]
    fn numbers_are_rounded_once_to_the_type_that_is_asked_for() {
        // Between two singles, a hair above the middle: over a double it would fall onto the middle, and then to the even one.
        let value = json::read(br#"{"a": [1.00000005960464477540, 16777217, 0.1]}"#).unwrap();
        let numbers = Node::root(&value).get("a").unwrap();
        assert_eq!(numbers.f32s().unwrap(), [1.000_000_1, 16_777_216.0, 0.1]);
        assert_eq!(numbers.f64s().unwrap()[2], 0.1);
    }

    #[test]
    fn what_is_wrong_is_said_with_its_place() {
        let value = json::read(br#"{"learner": {"trees": [{"id": "x"}, 7]}}"#).unwrap();
        let learner = Node::root(&value).get("learner").unwrap();
        let trees = learner.get("trees").unwrap();
        let messages = [
            learner.get("name").unwrap_err(),
            trees.list().unwrap()[0].get("id").unwrap().i64().unwrap_err(),
            trees.list().unwrap()[1].get("id").unwrap_err(),
            trees.i64s().unwrap_err(),
            trees.unsupported("a forest", Some("plant another")),
        ];
        assert_eq!(
            messages.map(|error| error.to_string()),
            [
                "learner: found no key `name`, expected one",
                "learner.trees[0].id: found the text \"x\", expected a whole number",
                "learner.trees[1]: found 7, expected a table",
                "learner.trees[0]: found a table of 1, expected a whole number",
                "learner.trees: a forest is not supported; plant another",
            ]
        );
    }
}
