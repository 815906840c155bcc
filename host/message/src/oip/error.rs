//! What is wrong with a document, and where.
//!
//! Nobody keeps track of a path while all is well: an error collects it on its way out.

use std::fmt::Display;

use thiserror::Error;

/// The most characters of a document that an error repeats.
const EXCERPT_CHARACTERS: usize = 40;

/// Why a document is not a request or a response.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum DecodeError {
    /// Because the document is not JSON.
    #[error("line {line}, column {column}: found {found}, expected {expected}")]
    Syntax {
        /// The line, from 1.
        line: usize,
        /// The character in the line, from 1.
        column: usize,
        /// What stands there.
        found: String,
        /// What could stand there.
        expected: String,
    },
    /// Because a value is not what the protocol has in its place.
    #[error("{path}: found {found}, expected {expected}")]
    Value {
        /// The place, such as `inputs[2].data[0][3]`; `document` for the whole of it.
        path: String,
        /// What stands there.
        found: String,
        /// What should stand there.
        expected: String,
    },
}

impl DecodeError {
    /// A wrong value at `path`.
    pub(crate) fn at(path: &str, found: impl Display, expected: impl Display) -> Self {
        Self::Value {
            path: path.to_owned(),
            found: found.to_string(),
            expected: expected.to_string(),
        }
    }

    /// A wrong value right here; whoever hands it on adds the path.
    pub(super) fn here(found: impl Display, expected: impl Display) -> Box<Self> {
        Box::new(Self::at("", found, expected))
    }

    /// A field that should be here and is not.
    pub(super) fn missing(field: &str, expected: &str) -> Box<Self> {
        Box::new(Self::at(field, "nothing", expected))
    }

    /// The same, said from outside of the field that it is in.
    pub(super) fn in_field(self: Box<Self>, name: &str) -> Box<Self> {
        self.prefixed(&excerpt(name))
    }

    /// The same, said from outside of the element that it is in.
    pub(super) fn in_element(self: Box<Self>, index: usize) -> Box<Self> {
        self.prefixed(&format!("[{index}]"))
    }

    /// The same, said to the world.
    pub(super) fn at_last(mut self) -> Self {
        if let Self::Value { path, .. } = &mut self
            && path.is_empty()
        {
            path.push_str("document");
        }
        self
    }

    fn prefixed(mut self: Box<Self>, prefix: &str) -> Box<Self> {
        if let Self::Value { path, .. } = &mut *self {
            let separator = if path.is_empty() || path.starts_with('[') { "" } else { "." };
            *path = format!("{prefix}{separator}{path}");
        }
        self
    }
}

/// The first characters of a text, harmless to print.
pub(crate) fn excerpt(text: &str) -> String {
    let mut excerpt: String =
        text.chars().take(EXCERPT_CHARACTERS).flat_map(char::escape_debug).collect();
    if text.chars().nth(EXCERPT_CHARACTERS).is_some() {
        excerpt.push('…');
    }
    excerpt
}
