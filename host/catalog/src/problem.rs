//! What is wrong with a file or a folder, in one line for people.

use std::fmt;
use std::path::PathBuf;

use serde::Serialize;

/// One thing that is wrong in the watched folder or in a configuration file.
///
/// A problem never stops what runs: the last good version of what it is about stays.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Problem {
    /// The file or folder, as the folder that was given says it.
    pub file: PathBuf,
    /// The line, from 1, where the file has lines.
    pub line: Option<u32>,
    /// The character in the line, from 1.
    pub column: Option<u32>,
    /// The key in the document, such as `policy.order[0].model`.
    pub key: Option<Box<str>>,
    /// What was found.
    pub found: Box<str>,
    /// What was expected instead.
    pub expected: Option<Box<str>>,
    /// What follows from it, or what may have been meant.
    pub note: Option<Box<str>>,
    /// How bad it is.
    pub severity: Severity,
}

/// How bad a problem is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// When something was not taken: the last good version, or nothing, is in its place.
    Error,
    /// When all was taken, but probably not as it was meant.
    Warning,
}

impl Problem {
    /// A problem with a whole file or folder.
    pub fn new(file: impl Into<PathBuf>, found: impl Into<Box<str>>) -> Self {
        Self {
            file: file.into(),
            line: None,
            column: None,
            key: None,
            found: found.into(),
            expected: None,
            note: None,
            severity: Severity::Error,
        }
    }

    pub(crate) fn expected(mut self, expected: impl Into<Box<str>>) -> Self {
        self.expected = Some(expected.into());
        self
    }

    pub(crate) fn note(mut self, note: impl Into<Box<str>>) -> Self {
        self.note = Some(note.into());
        self
    }

    pub(crate) fn warning(mut self) -> Self {
        self.severity = Severity::Warning;
        self
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file.display())?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        if let Some(key) = &self.key {
            write!(f, ": {key}")?;
        }
        write!(f, ": found {}", self.found)?;
        if let Some(expected) = &self.expected {
            write!(f, ", expected {expected}")?;
        }
        if let Some(note) = &self.note {
            write!(f, "; {note}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Problem {}

/// Lists what would have been right: `"a"`, `"a" or "b"`, `one of "a", "b", "c"`.
pub(crate) fn one_of<T: AsRef<str>>(names: &[T]) -> String {
    match names {
        [] => "nothing".to_owned(),
        [only] => format!("{:?}", only.as_ref()),
        names => {
            let quoted: Vec<_> = names.iter().map(|name| format!("{:?}", name.as_ref())).collect();
            format!("one of {}", quoted.join(", "))
        }
    }
}

/// Asks whether the name that is closest to `found` was meant, where one is close.
pub(crate) fn did_you_mean<T: AsRef<str>>(found: &str, names: &[T]) -> Option<String> {
    let tolerated = if found.chars().count() <= 3 { 1 } else { 2 };
    names
        .iter()
        .map(|name| (edits(found, name.as_ref()), name.as_ref()))
        .filter(|(distance, _)| (1..=tolerated).contains(distance))
        .min()
        .map(|(_, name)| format!("did you mean {name:?}?"))
}

/// The number of letters to insert, remove, replace or swap with their neighbour that make `left`
/// into `right` (optimal string alignment).
fn edits(left: &str, right: &str) -> usize {
    let left: Vec<char> = left.chars().collect();
    let right: Vec<char> = right.chars().collect();
    let mut above: Vec<usize> = Vec::new();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for i in 1..=left.len() {
        let mut next = vec![i; right.len() + 1];
        for j in 1..=right.len() {
            let replaced = row[j - 1] + usize::from(left[i - 1] != right[j - 1]);
            next[j] = replaced.min(row[j] + 1).min(next[j - 1] + 1);
            if i > 1 && j > 1 && left[i - 1] == right[j - 2] && left[i - 2] == right[j - 1] {
                next[j] = next[j].min(above[j - 2] + 1);
            }
        }
        above = std::mem::replace(&mut row, next);
    }
    row[right.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_reads_as_file_line_key_found_and_expected() {
        let problem = Problem {
            line: Some(7),
            key: Some("policy.order[0].model".into()),
            ..Problem::new("models/flights/endpoint.toml", "\"gbtd\"")
        }
        .expected(one_of(&["gbdt", "logit"]))
        .note(did_you_mean("gbtd", &["gbdt", "logit"]).unwrap());
        assert_eq!(
            problem.to_string(),
            "models/flights/endpoint.toml:7: policy.order[0].model: found \"gbtd\", \
             expected one of \"gbdt\", \"logit\"; did you mean \"gbdt\"?"
        );
    }

    #[test]
    fn only_a_close_name_is_suggested() {
        let known = ["deadline", "policy", "key"];
        assert_eq!(did_you_mean("deadlin", &known).unwrap(), "did you mean \"deadline\"?");
        assert_eq!(did_you_mean("kye", &known).unwrap(), "did you mean \"key\"?");
        assert_eq!(did_you_mean("timeout", &known), None);
        assert_eq!(did_you_mean("ab", &known), None);
    }
}
