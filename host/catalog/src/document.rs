//! A TOML document that remembers where everything stands.
//!
//! It is read through a `serde` deserializer of our own, because that gives mistakes as data: the
//! key, the place, what was found and what was expected, instead of a sentence to take apart.

mod deserialize;

use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::problem::Problem;

/// The name of the newtype that a date is read as; `serde` has no word for dates.
pub(crate) const DATE: &str = "date";

/// The text of one file, parsed but not yet understood.
#[derive(Debug, Clone)]
pub(crate) struct Document {
    file: PathBuf,
    text: String,
    root: Node,
}

/// A value and the bytes of the text that it stands in.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Node {
    span: Range<usize>,
    value: Value,
}

#[derive(Debug, Clone, PartialEq)]
enum Value {
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(String),
    /// A date, a time of day, or both.
    Date(String),
    /// What no key of ours takes: a number beyond 64 bits.
    Other(String),
    List(Vec<Node>),
    /// In the order of the file.
    Table(Vec<Entry>),
}

#[derive(Debug, Clone, PartialEq)]
struct Entry {
    key: String,
    key_span: Range<usize>,
    node: Node,
}

/// One step down into a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Step {
    Key(String),
    Index(usize),
}

/// The way from the top of a document to a value: `policy.order[0].model`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct KeyPath(Vec<Step>);

impl Document {
    /// Parses the text of `file`, which is named in problems only.
    pub(crate) fn parse(file: &Path, text: &str) -> Result<Self, Problem> {
        let document = |root| Self { file: file.to_owned(), text: text.to_owned(), root };
        match DeTable::parse(text) {
            Ok(table) => Ok(document(Node::table(table.span(), table.get_ref()))),
            Err(error) => {
                let span = error.span().unwrap_or(0..0);
                let nothing =
                    document(Node { span: span.clone(), value: Value::Table(Vec::new()) });
                let found = format!("text that is not TOML: {}", error.message().trim());
                Err(nothing.problem(&span, None, found))
            }
        }
    }

    /// A document without a key.
    pub(crate) fn empty() -> Self {
        let root = Node { span: 0..0, value: Value::Table(Vec::new()) };
        Self { file: PathBuf::new(), text: String::new(), root }
    }

    /// Whether the file has not a single byte.
    pub(crate) fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// Reads the document as a `T`.
    pub(crate) fn read<T: DeserializeOwned>(&self) -> Result<T, Problem> {
        T::deserialize(&self.root).map_err(|mistake| {
            let span = mistake.span.clone().unwrap_or(0..0);
            let path = KeyPath(mistake.path.iter().rev().cloned().collect());
            let key = (!path.0.is_empty()).then(|| path.to_string());
            Problem {
                expected: mistake.expected.map(Into::into),
                note: mistake.note.map(Into::into),
                ..self.problem(&span, key, mistake.found)
            }
        })
    }

    /// A problem with the value at `path`, or with the nearest table above it.
    pub(crate) fn problem_at(&self, path: &KeyPath, found: impl Into<Box<str>>) -> Problem {
        self.problem(&self.root.span_of(&path.0), Some(path.to_string()), found)
    }

    /// The keys of the table at `path`, in the order of the file; none where there is no table.
    pub(crate) fn keys_at(&self, path: &KeyPath) -> impl Iterator<Item = &str> {
        let node = path.0.iter().try_fold(&self.root, |node, step| node.child(step));
        let entries = match node.map(|node| &node.value) {
            Some(Value::Table(entries)) => entries.as_slice(),
            _ => &[],
        };
        entries.iter().map(|entry| entry.key.as_str())
    }

    /// Whether there is a value at `path`.
    pub(crate) fn has(&self, path: &KeyPath) -> bool {
        path.0.iter().try_fold(&self.root, |node, step| node.child(step)).is_some()
    }

    /// The value of a key at the top, for [`underlay`](Self::underlay).
    pub(crate) fn take(&self, key: &str) -> Option<Node> {
        self.root.child(&Step::Key(key.to_owned())).cloned()
    }

    /// Fills in the keys that this document leaves out.
    pub(crate) fn underlay(&mut self, beneath: &Node) {
        self.root.underlay(beneath);
    }

    fn problem(
        &self,
        span: &Range<usize>,
        key: Option<String>,
        found: impl Into<Box<str>>,
    ) -> Problem {
        let start = span.start.min(self.text.len());
        let before = self.text.get(..start).unwrap_or_default();
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let number = |count: usize| u32::try_from(count + 1).ok();
        Problem {
            line: number(before.matches('\n').count()),
            column: number(before[line_start..].chars().count()),
            key: key.map(Into::into),
            ..Problem::new(&self.file, found)
        }
    }
}

impl Node {
    fn table(span: Range<usize>, table: &DeTable<'_>) -> Self {
        let mut entries: Vec<Entry> = table
            .iter()
            .map(|(key, value)| Entry {
                key: key.get_ref().to_string(),
                key_span: key.span(),
                node: Self::new(value),
            })
            .collect();
        entries.sort_by_key(|entry| entry.key_span.start);
        Self { span, value: Value::Table(entries) }
    }

    fn new(value: &Spanned<DeValue<'_>>) -> Self {
        let span = value.span();
        let value = match value.get_ref() {
            DeValue::Table(table) => return Self::table(span, table),
            DeValue::Array(array) => Value::List(array.iter().map(Self::new).collect()),
            DeValue::Boolean(truth) => Value::Bool(*truth),
            DeValue::String(text) => Value::Text(text.to_string()),
            DeValue::Integer(number) => {
                match i64::from_str_radix(number.as_str(), number.radix()) {
                    Ok(number) => Value::Int(number),
                    Err(_) => Value::Other(number.to_string()),
                }
            }
            DeValue::Float(number) => match number.as_str().parse() {
                Ok(number) => Value::Float(number),
                Err(_) => Value::Other(number.to_string()),
            },
            DeValue::Datetime(datetime) => Value::Date(datetime.to_string()),
        };
        Self { span, value }
    }

    fn child(&self, step: &Step) -> Option<&Self> {
        match (&self.value, step) {
            (Value::Table(entries), Step::Key(key)) => {
                entries.iter().find(|entry| entry.key == *key).map(|entry| &entry.node)
            }
            (Value::List(nodes), Step::Index(index)) => nodes.get(*index),
            _ => None,
        }
    }

    fn span_of(&self, path: &[Step]) -> Range<usize> {
        path.iter()
            .try_fold(self, |node, step| node.child(step).ok_or(node))
            .map_or_else(|nearest| nearest.span.clone(), |node| node.span.clone())
    }

    fn underlay(&mut self, beneath: &Self) {
        let (Value::Table(entries), Value::Table(below)) = (&mut self.value, &beneath.value) else {
            return;
        };
        for entry in below {
            match entries.iter_mut().find(|above| above.key == entry.key) {
                Some(above) => above.node.underlay(&entry.node),
                None => entries.push(entry.clone()),
            }
        }
    }
}

impl KeyPath {
    pub(crate) fn new(key: &str) -> Self {
        Self::default().key(key)
    }

    pub(crate) fn key(mut self, key: &str) -> Self {
        self.0.push(Step::Key(key.to_owned()));
        self
    }

    pub(crate) fn index(mut self, index: usize) -> Self {
        self.0.push(Step::Index(index));
        self
    }
}

impl fmt::Display for KeyPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, step) in self.0.iter().enumerate() {
            match step {
                Step::Key(key) if position == 0 => write!(f, "{key}")?,
                Step::Key(key) => write!(f, ".{key}")?,
                Step::Index(index) => write!(f, "[{index}]")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde::Deserialize;

    use super::*;

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Play {
        title: String,
        #[serde(default)]
        acts: Vec<Act>,
        #[serde(default)]
        cast: BTreeMap<String, f64>,
        #[serde(default)]
        mood: Option<Mood>,
    }

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Act {
        scenes: u8,
    }

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(rename_all = "lowercase")]
    enum Mood {
        Comic,
        Tragic,
    }

    fn check(text: &str, expected: &str) {
        let problem = Document::parse(Path::new("play.toml"), text)
            .and_then(|document| document.read::<Play>())
            .unwrap_err();
        assert_eq!(problem.to_string(), expected);
    }

    #[test]
    fn a_document_reads_as_its_type() {
        let text = "title = 'Ham'\nacts = [{ scenes = 5 }]\nmood = 'tragic'\n[cast]\nhamlet = 1";
        let document = Document::parse(Path::new("play.toml"), text).unwrap();
        let play: Play = document.read().unwrap();
        assert_eq!(play.acts, [Act { scenes: 5 }]);
        assert_eq!(play.cast["hamlet"], 1.0);
        assert_eq!(play.mood, Some(Mood::Tragic));
    }

    #[test]
    fn a_mistake_names_line_key_found_and_expected() {
        check(
            "title = 'Ham'\n[[acts]]\nscenes = 5\n[[acts]]\nscenes = 'six'",
            "play.toml:5: acts[1].scenes: found \"six\", expected a whole number from 0 to 255",
        );
        check(
            "title = 'Ham'\nact = []",
            "play.toml:2: act: found an unknown key, expected one of \"title\", \"acts\", \"cast\", \
             \"mood\"; did you mean \"acts\"?",
        );
        check("\nacts = []", "play.toml:1: found no key \"title\", expected one");
        check(
            "title = 'Ham'\nmood = 'tragik'",
            "play.toml:2: mood: found \"tragik\", expected one of \"comic\", \"tragic\"; did you \
             mean \"tragic\"?",
        );
        check("title = 7", "play.toml:1: title: found 7, expected a text");
        check(
            "title = 'Ham'\nacts = [{ scenes = 999 }]",
            "play.toml:2: acts[0].scenes: found 999, expected a whole number from 0 to 255",
        );
        check("title = 'Ham'\nacts = 3", "play.toml:2: acts: found 3, expected an array");
        check("title = 1979-05-27", "play.toml:1: title: found 1979-05-27, expected a text");
    }

    #[test]
    fn text_that_is_not_toml_names_the_line() {
        let problem =
            Document::parse(Path::new("play.toml"), "title = 'Ham'\nacts = [").unwrap_err();
        assert_eq!((problem.line, problem.key.clone()), (Some(2), None));
        let text = problem.to_string();
        assert!(text.starts_with("play.toml:2: found text that is not TOML: "), "{text}");
    }

    #[test]
    fn what_lies_beneath_shows_only_where_nothing_lies_above() {
        let mut above = Document::parse(Path::new("a"), "title = 'A'\n[cast]\nyorick = 1").unwrap();
        let beneath = "[play]\ntitle = 'B'\nmood = 'comic'\n[play.cast]\nyorick = 2\nhamlet = 3";
        let beneath = Document::parse(Path::new("b"), beneath).unwrap();
        above.underlay(&beneath.take("play").unwrap());
        let play: Play = above.read().unwrap();
        assert_eq!((play.title.as_str(), play.mood), ("A", Some(Mood::Comic)));
        assert_eq!(play.cast, BTreeMap::from([("yorick".into(), 1.0), ("hamlet".into(), 3.0)]));
    }
}
