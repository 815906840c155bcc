//! The text: a header of `key=value`, a block for each tree, and what follows them.

use std::collections::BTreeMap;

use crate::{ReadError, limits};

/// A block of lines `key=value`; a key alone has an empty value.
pub(super) struct Block<'a> {
    /// What it is called in errors: `the header`, `Tree=3`.
    pub(super) place: String,
    values: BTreeMap<&'a str, &'a str>,
}

/// The parts of a file.
pub(super) struct File<'a> {
    pub(super) header: Block<'a>,
    pub(super) trees: Vec<Block<'a>>,
    /// The parameters of the training, `[key: value]`.
    pub(super) parameters: BTreeMap<&'a str, &'a str>,
    /// The names of categories, as JSON.
    pub(super) pandas_categorical: Option<&'a str>,
}

/// What the header says.
pub(super) struct Header<'a> {
    pub(super) version: &'a str,
    /// How many columns a row has.
    pub(super) columns: usize,
    /// How many scores a row has.
    pub(super) outputs: usize,
    /// The objective with its options, where there is one.
    pub(super) objective: Option<&'a str>,
    /// Whether the prediction is the mean of the trees.
    pub(super) average: bool,
    pub(super) names: Vec<&'a str>,
    /// What is known of the values of each column; empty in files of old.
    pub(super) infos: Vec<&'a str>,
}

impl<'a> File<'a> {
    pub(super) fn parse(text: &'a str) -> Result<Self, ReadError> {
        let mut lines = text.lines();
        let mut header = Block::new("the header".to_owned());
        let mut trees: Vec<Block<'a>> = Vec::new();
        let mut ended = false;
        for line in lines.by_ref() {
            if line == "end of trees" {
                ended = true;
                break;
            }
            if line.starts_with("Tree=") {
                trees.push(Block::new(line.to_owned()));
            } else if !line.is_empty() {
                let (key, value) = line.split_once('=').unwrap_or((line, ""));
                trees.last_mut().unwrap_or(&mut header).values.insert(key, value);
            }
        }
        if !ended {
            return Err(ReadError::Malformed {
                place: "the end of the file".to_owned(),
                found: format!("{} trees", trees.len()),
                expected: "the line `end of trees` after them; the file seems to be cut off"
                    .to_owned(),
            });
        }
        let mut parameters = BTreeMap::new();
        let mut pandas_categorical = None;
        for line in lines {
            if let Some(json) = line.strip_prefix("pandas_categorical:") {
                pandas_categorical = Some(json);
            } else if let Some(inner) = line.strip_prefix('[')
                && let Some((key, value)) = inner.trim_end_matches(']').split_once(": ")
            {
                parameters.insert(key, value);
            }
        }
        Ok(Self { header, trees, parameters, pandas_categorical })
    }
}

impl<'a> Header<'a> {
    pub(super) fn read(file: &File<'a>) -> Result<Self, ReadError> {
        let header = &file.header;
        let version = header.value("version")?;
        if !["v3", "v4"].contains(&version) {
            return Err(ReadError::Unsupported {
                place: "the header, key `version`".to_owned(),
                what: format!("the format {version}"),
                hint: Some("load the model in LightGBM 3 or 4 and save it again".to_owned()),
            });
        }
        let columns = header.number("max_feature_idx")?.saturating_add(1);
        let outputs = header.number("num_tree_per_iteration")?;
        if outputs == 0 || !file.trees.len().is_multiple_of(outputs) {
            return Err(header.wrong(
                "num_tree_per_iteration",
                format!("{outputs} for {} trees", file.trees.len()),
                "as many trees in every iteration".to_owned(),
            ));
        }
        limits::check(
            "the header, key `num_tree_per_iteration`",
            outputs,
            "scores",
            limits::OUTPUTS,
        )?;
        let list = |key| header.get(key).unwrap_or_default().split_whitespace().collect();
        let names: Vec<_> = list("feature_names");
        let infos: Vec<_> = list("feature_infos");
        for (key, found) in [("feature_names", names.len()), ("feature_infos", infos.len())] {
            if found != columns && !(found == 0 && key == "feature_infos") {
                return Err(header.wrong(key, format!("{found} of them"), columns.to_string()));
            }
        }
        Ok(Self {
            version,
            columns,
            outputs,
            objective: header.get("objective"),
            average: header.get("average_output").is_some(),
            names,
            infos,
        })
    }
}

impl<'a> Block<'a> {
    fn new(place: String) -> Self {
        Self { place, values: BTreeMap::new() }
    }

    pub(super) fn get(&self, key: &str) -> Option<&'a str> {
        self.values.get(key).copied()
    }

    pub(super) fn value(&self, key: &str) -> Result<&'a str, ReadError> {
        let missing = || self.wrong(key, "nothing".to_owned(), "a value".to_owned());
        self.get(key).ok_or_else(missing)
    }

    pub(super) fn number(&self, key: &str) -> Result<usize, ReadError> {
        let text = self.value(key)?;
        text.parse().map_err(|_| self.wrong(key, format!("`{text}`"), "a whole number".to_owned()))
    }

    /// A list of so many numbers.
    pub(super) fn list<T: std::str::FromStr>(
        &self,
        key: &str,
        count: usize,
    ) -> Result<Vec<T>, ReadError> {
        let words = self.get(key).unwrap_or_default().split_ascii_whitespace();
        let mut numbers = Vec::new();
        for word in words {
            numbers.push(
                word.parse()
                    .map_err(|_| self.wrong(key, format!("`{word}`"), "a number".to_owned()))?,
            );
        }
        if numbers.len() != count {
            return Err(self.wrong(key, format!("{} numbers", numbers.len()), count.to_string()));
        }
        Ok(numbers)
    }

    pub(super) fn wrong(&self, key: &str, found: String, expected: String) -> ReadError {
        ReadError::Malformed { place: format!("{}, key `{key}`", self.place), found, expected }
    }
}
