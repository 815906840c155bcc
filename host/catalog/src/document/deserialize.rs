//! The `serde` side of a document: values out, mistakes back with their way and place.

use std::fmt::{self, Display};
use std::ops::Range;

use serde::de::value::StrDeserializer;
use serde::de::{
    self, DeserializeSeed, Deserializer, Expected, IntoDeserializer, MapAccess, SeqAccess,
    Unexpected, Visitor,
};
use serde::forward_to_deserialize_any;

use super::{DATE, Entry, Node, Step, Value};
use crate::problem::{did_you_mean, one_of};

/// What a type had to say against a document.
#[derive(Debug, Default)]
pub(crate) struct Mistake {
    /// From the mistake to the top: each level adds its own step on the way out.
    pub(super) path: Vec<Step>,
    /// Where it is; the innermost level that knows a place sets it.
    pub(super) span: Option<Range<usize>>,
    pub(super) found: String,
    pub(super) expected: Option<String>,
    pub(super) note: Option<String>,
}

impl Mistake {
    fn new(found: impl Into<String>, expected: impl Into<String>) -> Self {
        Self { found: found.into(), expected: Some(expected.into()), ..Self::default() }
    }

    fn at(mut self, span: &Range<usize>) -> Self {
        self.span.get_or_insert_with(|| span.clone());
        self
    }

    fn beneath(mut self, step: Step) -> Self {
        self.path.push(step);
        self
    }
}

impl de::Error for Mistake {
    fn custom<T: Display>(message: T) -> Self {
        Self { found: message.to_string(), ..Self::default() }
    }

    fn invalid_type(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::new(found_words(found), expected_words(expected))
    }

    fn invalid_value(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::invalid_type(found, expected)
    }

    fn invalid_length(length: usize, expected: &dyn Expected) -> Self {
        Self::new(format!("{length} elements"), expected_words(expected))
    }

    fn unknown_variant(found: &str, expected: &'static [&'static str]) -> Self {
        let note = did_you_mean(found, expected);
        Self { note, ..Self::new(format!("{found:?}"), one_of(expected)) }
    }

    fn unknown_field(found: &str, expected: &'static [&'static str]) -> Self {
        let note = did_you_mean(found, expected);
        let mistake = Self::new("an unknown key", one_of(expected));
        Self { note, ..mistake }.beneath(Step::Key(found.to_owned()))
    }

    fn missing_field(field: &'static str) -> Self {
        Self::new(format!("no key {field:?}"), "one")
    }
}

impl Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.found)
    }
}

impl std::error::Error for Mistake {}

fn found_words(found: Unexpected<'_>) -> String {
    match found {
        Unexpected::Bool(truth) => truth.to_string(),
        Unexpected::Signed(number) => number.to_string(),
        Unexpected::Unsigned(number) => number.to_string(),
        Unexpected::Float(number) => format!("{number:?}"),
        Unexpected::Str(text) => format!("{text:?}"),
        Unexpected::Seq => "an array".to_owned(),
        Unexpected::Map => "a table".to_owned(),
        other => other.to_string(),
    }
}

/// Says what a type expected in the words of TOML, where `serde` says it in those of Rust.
fn expected_words(expected: &dyn Expected) -> String {
    let words = expected.to_string();
    match words.as_str() {
        "a string" => "a text",
        "a boolean" => "true or false",
        "a sequence" => "an array",
        "a map" => "a table",
        "u8" => "a whole number from 0 to 255",
        "u32" => "a whole number from 0 to 4294967295",
        "i32" | "i64" => "a whole number",
        "u64" | "usize" => "a whole number from 0",
        "f64" => "a number",
        words if words.starts_with("struct ") => "a table",
        words => words,
    }
    .to_owned()
}

impl Value {
    fn words(&self) -> String {
        found_words(match self {
            Self::Bool(truth) => Unexpected::Bool(*truth),
            Self::Int(number) => Unexpected::Signed(*number),
            Self::Float(number) => Unexpected::Float(*number),
            Self::Text(text) => Unexpected::Str(text),
            Self::Date(text) | Self::Other(text) => Unexpected::Other(text),
            Self::List(_) => Unexpected::Seq,
            Self::Table(_) => Unexpected::Map,
        })
    }
}

impl<'de> Deserializer<'de> for &Node {
    type Error = Mistake;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mistake> {
        match &self.value {
            Value::Bool(truth) => visitor.visit_bool(*truth),
            Value::Int(number) => visitor.visit_i64(*number),
            Value::Float(number) => visitor.visit_f64(*number),
            Value::Text(text) => visitor.visit_str(text),
            Value::Date(_) | Value::Other(_) => {
                Err(Mistake::new(self.value.words(), expected_words(&visitor)))
            }
            Value::List(nodes) => visitor.visit_seq(Elements { nodes: nodes.iter(), index: 0 }),
            Value::Table(entries) => {
                visitor.visit_map(Entries { entries: entries.iter(), value: None })
            }
        }
        .map_err(|mistake| mistake.at(&self.span))
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mistake> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Mistake> {
        match &self.value {
            Value::Date(text) if name == DATE => {
                visitor.visit_str(text).map_err(|mistake: Mistake| mistake.at(&self.span))
            }
            _ if name == DATE => self.deserialize_any(visitor),
            _ => visitor.visit_newtype_struct(self),
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Mistake> {
        match &self.value {
            Value::Text(text) => {
                visitor.visit_enum(IntoDeserializer::<Mistake>::into_deserializer(text.as_str()))
            }
            other => Err(Mistake::new(other.words(), one_of(variants))),
        }
        .map_err(|mistake| mistake.at(&self.span))
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string
        bytes byte_buf unit unit_struct seq tuple tuple_struct map struct identifier ignored_any
    }
}

struct Elements<'a> {
    nodes: std::slice::Iter<'a, Node>,
    index: usize,
}

impl<'de> SeqAccess<'de> for Elements<'_> {
    type Error = Mistake;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Mistake> {
        let Some(node) = self.nodes.next() else { return Ok(None) };
        let index = self.index;
        self.index += 1;
        seed.deserialize(node)
            .map(Some)
            .map_err(|mistake| mistake.at(&node.span).beneath(Step::Index(index)))
    }
}

struct Entries<'a> {
    entries: std::slice::Iter<'a, Entry>,
    value: Option<&'a Entry>,
}

impl<'de> MapAccess<'de> for Entries<'_> {
    type Error = Mistake;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Mistake> {
        let Some(entry) = self.entries.next() else { return Ok(None) };
        self.value = Some(entry);
        let key: StrDeserializer<'_, Mistake> = entry.key.as_str().into_deserializer();
        seed.deserialize(key).map(Some).map_err(|mistake| mistake.at(&entry.key_span))
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Mistake> {
        let entry = self.value.take().expect("invariant: a value is asked for after its key");
        seed.deserialize(&entry.node)
            .map_err(|mistake| mistake.at(&entry.node.span).beneath(Step::Key(entry.key.clone())))
    }
}
