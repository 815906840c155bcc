//! What stands in `[stream.kafka]` and nowhere else: brokers, names of Kafka topics, properties.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{self, DeserializeSeed, MapAccess, Unexpected, Visitor};
use serde::{Deserialize, Deserializer};

use crate::flow::AnyTopic;
use crate::units::{self, Text};

/// The longest name of a topic in a Kafka cluster.
const KAFKA_NAME_BYTES: usize = 249;
/// The longest prefix: the names of endpoints stand behind it.
const PREFIX_BYTES: usize = 40;

/// Reads a value that may be left out; to be used with `#[serde(default)]`.
pub(super) fn some<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    from: D,
) -> Result<Option<T>, D::Error> {
    T::deserialize(from).map(Some)
}

/// A broker to begin with.
pub(super) struct Broker;

impl Text for Broker {
    type Value = String;
    const EXPECTED: &'static str = "a broker and its port such as \"kafka-1:9092\"";
    const NAME: &'static str = "Broker";
    const PATTERN: &'static str = "^[^\\s,/@]+:[0-9]{1,5}$";

    fn parse(text: &str) -> Option<String> {
        let (host, port) = text.rsplit_once(':')?;
        let is_plain = |character: char| !character.is_whitespace() && !",/@".contains(character);
        let is_host = !host.is_empty() && host.chars().all(is_plain);
        // An address of version 6 has colons of its own, and stands in brackets.
        let is_clear = !host.contains(':') || (host.starts_with('[') && host.ends_with(']'));
        let is_port = port.bytes().all(|byte| byte.is_ascii_digit())
            && port.parse::<u16>().is_ok_and(|port| port > 0);
        (is_host && is_clear && is_port).then(|| text.to_owned())
    }
}

/// What stands before names in a cluster.
pub(super) struct Prefix;

impl Text for Prefix {
    type Value = String;
    const EXPECTED: &'static str = "at most 40 letters, digits, \".\", \"_\" and \"-\"";
    const NAME: &'static str = "Prefix";
    const PATTERN: &'static str = "^[A-Za-z0-9._-]{0,40}$";

    fn parse(text: &str) -> Option<String> {
        (text.len() <= PREFIX_BYTES && is_legal(text)).then(|| text.to_owned())
    }
}

/// A topic as a cluster calls it.
pub(super) struct KafkaName;

impl Text for KafkaName {
    type Value = String;
    const EXPECTED: &'static str =
        "the name of a Kafka topic: at most 249 letters, digits, \".\", \"_\" and \"-\"";
    const NAME: &'static str = "KafkaTopic";
    const PATTERN: &'static str = "^[A-Za-z0-9._-]{1,249}$";

    fn parse(text: &str) -> Option<String> {
        let is_long = text.is_empty() || text.len() > KAFKA_NAME_BYTES;
        let is_dots = text == "." || text == "..";
        (!is_long && !is_dots && is_legal(text)).then(|| text.to_owned())
    }
}

fn is_legal(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
}

/// A variable of the environment.
pub(super) struct Variable;

impl Text for Variable {
    type Value = String;
    const EXPECTED: &'static str = "the name of a variable of the environment";
    const NAME: &'static str = "Variable";
    const PATTERN: &'static str = "^[A-Za-z_][A-Za-z0-9_]*$";

    fn parse(text: &str) -> Option<String> {
        let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        let begins = text.bytes().next().is_some_and(|byte| !byte.is_ascii_digit());
        (begins && text.bytes().all(is_letter)).then(|| text.to_owned())
    }
}

units::text_schema!(Broker, Prefix, KafkaName, Variable);

/// Reads which topics are called otherwise.
pub(super) fn names<'de, D: Deserializer<'de>>(
    from: D,
) -> Result<BTreeMap<String, String>, D::Error> {
    from.deserialize_map(NamesVisitor)
}

struct NamesVisitor;

impl<'de> Visitor<'de> for NamesVisitor {
    type Value = BTreeMap<String, String>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a table of topics, each with its name in the cluster")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Self::Value, A::Error> {
        let mut names = BTreeMap::new();
        while let Some((Written(topic), Written(name))) =
            entries.next_entry::<Written<AnyTopic>, Written<KafkaName>>()?
        {
            names.insert(topic, name);
        }
        Ok(names)
    }
}

/// A text as it was read.
struct Written<T: Text>(T::Value);

impl<'de, T: Text> Deserialize<'de> for Written<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        units::text::<T, D>(from).map(Self)
    }
}

/// A property as it is written: its kind is the business of whoever takes it.
pub(super) enum PropertyValue {}

impl JsonSchema for PropertyValue {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "PropertyValue".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": ["string", "integer", "boolean"] })
    }
}

/// Reads properties. Their names have dots, which TOML takes for tables unless they are quoted; both
/// mean the same here.
pub(super) fn properties<'de, D: Deserializer<'de>>(
    from: D,
) -> Result<BTreeMap<String, String>, D::Error> {
    let mut properties = BTreeMap::new();
    from.deserialize_map(PropertiesVisitor { properties: &mut properties, above: "" })?;
    Ok(properties)
}

struct PropertiesVisitor<'a> {
    properties: &'a mut BTreeMap<String, String>,
    /// The part of the name that stands above, with a dot at its end.
    above: &'a str,
}

impl<'de> Visitor<'de> for PropertiesVisitor<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a table of properties")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<(), A::Error> {
        while let Some(key) = entries.next_key::<String>()? {
            let name = format!("{}{key}", self.above);
            entries.next_value_seed(PropertyVisitor { properties: self.properties, name })?;
        }
        Ok(())
    }
}

struct PropertyVisitor<'a> {
    properties: &'a mut BTreeMap<String, String>,
    name: String,
}

impl PropertyVisitor<'_> {
    fn put<E: de::Error>(self, value: String) -> Result<(), E> {
        match self.properties.insert(self.name, value) {
            None => Ok(()),
            Some(_) => Err(E::custom("a property a second time")),
        }
    }
}

impl<'de> DeserializeSeed<'de> for PropertyVisitor<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for PropertyVisitor<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the value of a property: a text, a whole number, true or false")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<(), E> {
        if text.contains('\0') {
            return Err(E::invalid_value(Unexpected::Str(text), &self));
        }
        self.put(text.to_owned())
    }

    fn visit_bool<E: de::Error>(self, truth: bool) -> Result<(), E> {
        self.put(truth.to_string())
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<(), E> {
        self.put(number.to_string())
    }

    fn visit_map<A: MapAccess<'de>>(self, entries: A) -> Result<(), A::Error> {
        let above = format!("{}.", self.name);
        PropertiesVisitor { properties: self.properties, above: &above }.visit_map(entries)
    }
}
