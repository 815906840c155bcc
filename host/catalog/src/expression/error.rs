//! What can be wrong with an expression, before and when it is evaluated.

use std::fmt;

use cel::ExecutionError;
use cel::common::value::Val;
use thiserror::Error;

use super::{
    BRACKETS_LIMIT, DEPTH_LIMIT, Kind, LENGTH_LIMIT_BYTES, NODES_LIMIT, STEPS_LIMIT, TOKENS_LIMIT,
};

const VARIABLES: &str = "key, id, tenant, inputs and parameters";
const FUNCTIONS: &str = "size, contains, startsWith, endsWith, string, int, uint, double, has, \
                         exists, exists_one, all, filter and map";

/// How much of what somebody else says is repeated, in bytes.
const QUOTE_LIMIT_BYTES: usize = 200;

/// Why a text is no expression of ours. Completes "found …".
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ExpressionError {
    /// Because there is nothing in it.
    #[error("an empty expression")]
    Empty,
    /// Because it is too long.
    #[error("an expression of {bytes} bytes, of at most {LENGTH_LIMIT_BYTES}")]
    TooLong {
        /// Its length.
        bytes: usize,
    },
    /// Because it has too many words and signs.
    #[error("an expression of more than {TOKENS_LIMIT} words and signs")]
    TooManyTokens,
    /// Because it has too many brackets.
    #[error("an expression of more than {BRACKETS_LIMIT} brackets and question marks")]
    TooManyBrackets,
    /// Because it has too many parts.
    #[error("an expression of {nodes} parts, of at most {NODES_LIMIT}")]
    TooManyNodes {
        /// How many it has.
        nodes: usize,
    },
    /// Because its parts stand too deep in each other.
    #[error("an expression that is more than {DEPTH_LIMIT} deep")]
    TooDeep,
    /// Because evaluating it could take too long.
    #[error("an expression that may take {steps} steps, of at most {STEPS_LIMIT}")]
    TooCostly {
        /// The most steps that it could take.
        steps: u64,
    },
    /// Because it cannot be parsed.
    #[error("an expression that cannot be parsed: {message}, {place}")]
    Syntax {
        /// Where.
        place: Place,
        /// What the parser said.
        message: String,
    },
    /// Because the parser panicked on it.
    #[error("an expression that the parser cannot take: it said {message:?}")]
    Panicked {
        /// What the panic said.
        message: String,
    },
    /// Because the system gave no thread to parse it on.
    #[error("an expression that no thread could be started for: {message}")]
    NoThread {
        /// What the system said.
        message: String,
    },
    /// Because a variable is none.
    #[error("an unknown variable {name:?}, {place}, where there are {VARIABLES}")]
    UnknownVariable {
        /// What it is called.
        name: String,
        /// Where.
        place: Place,
    },
    /// Because a function is none.
    #[error("an unknown function {name:?}, {place}, where there are {FUNCTIONS}")]
    UnknownFunction {
        /// What it is called.
        name: String,
        /// Where.
        place: Place,
    },
    /// Because a part of it cannot be used so.
    #[error("{found}, {place}")]
    Misused {
        /// What was found.
        found: String,
        /// Where.
        place: Place,
    },
    /// Because it gives something else.
    #[error("an expression that gives {found}")]
    Gives {
        /// What it gives.
        found: Kind,
    },
}

/// A place in an expression, counted in characters from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// The line, from 1.
    pub line: usize,
    /// The character in the line, from 1.
    pub column: usize,
}

impl Place {
    /// The place of a byte of `text`.
    pub(super) fn of(text: &str, byte: usize) -> Self {
        let before = text.char_indices().take_while(|(at, _)| *at < byte);
        before.fold(Self { line: 1, column: 1 }, |place, (_, character)| match character {
            '\n' => Self { line: place.line + 1, column: 1 },
            _ => Self { column: place.column + 1, ..place },
        })
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            1 => write!(f, "at column {} of it", self.column),
            line => write!(f, "at line {line}, column {} of it", self.column),
        }
    }
}

/// Why an expression has no value for a request.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum EvaluationError {
    /// Because the request has not what the expression asks for.
    #[error("{message}")]
    Failed {
        /// What the evaluation said.
        message: String,
    },
    /// Because it gave something else.
    #[error("the expression gave {found}, expected {expected}")]
    Result {
        /// What it gave.
        found: String,
        /// What was wanted.
        expected: &'static str,
    },
    /// Because the evaluation panicked.
    #[error("the evaluation panicked: {message}")]
    Panicked {
        /// What the panic said.
        message: String,
    },
}

impl EvaluationError {
    pub(super) fn result(found: &dyn Val, expected: &'static str) -> Self {
        Self::Result { found: found.get_type().name().to_owned(), expected }
    }
}

impl From<ExecutionError> for EvaluationError {
    fn from(error: ExecutionError) -> Self {
        let message = match error {
            // What we said ourselves, in `facts`.
            ExecutionError::InternalError(message) => message,
            other => quote(&other.to_string()),
        };
        Self::Failed { message }
    }
}

/// Repeats what somebody else said, on one line and not endlessly.
pub(super) fn quote(text: &str) -> String {
    let line = text.lines().next().unwrap_or_default();
    let end = line.floor_char_boundary(QUOTE_LIMIT_BYTES);
    match line.len() > end {
        true => format!("{}…", &line[..end]),
        false => line.to_owned(),
    }
}
