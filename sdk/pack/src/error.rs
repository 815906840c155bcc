//! Why a file was not read.

use thiserror::Error;

/// Why the file of a trained model was not read.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum ReadError {
    /// Because the file is not what its format says.
    #[error("{place}: found {found}, expected {expected}")]
    Malformed {
        /// Where: a line, a key, a node.
        place: String,
        /// What is there.
        found: String,
        /// What should be.
        expected: String,
    },
    /// Because the model uses something that cannot be run with the same result.
    #[error("{place}: {what} is not supported{}", hint.as_ref().map(|hint| format!("; {hint}")).unwrap_or_default())]
    Unsupported {
        /// Where: a line, a key, a node.
        place: String,
        /// The operator, objective or option, by the name that the library gives it.
        what: String,
        /// What the user can do instead, where there is something.
        hint: Option<String>,
    },
    /// Because what the user said does not fit the file.
    #[error("--{option}: found {found}, expected {expected}")]
    Option {
        /// The option of `understudy pack`.
        option: String,
        /// What was said.
        found: String,
        /// What would fit.
        expected: String,
    },
    /// Because what was read cannot be run; a mistake of the reader or a file that contradicts itself.
    #[error("the model contradicts itself: {0}")]
    Pipeline(#[from] trained::PipelineError),
}

/// What a forest says of its trees, in the words of a reader.
pub(crate) fn forest(error: trained::ops::forest::ForestError) -> ReadError {
    use trained::ops::forest::ForestError;
    match error {
        ForestError::Tree { tree, what } => ReadError::Malformed {
            place: format!("tree {tree}"),
            found: format!("a tree that {what}"),
            expected: "a tree".to_owned(),
        },
        ForestError::TooLarge { found, limit } => ReadError::Unsupported {
            place: "the trees".to_owned(),
            what: format!("a forest with {found}, more than {limit},"),
            hint: None,
        },
    }
}
