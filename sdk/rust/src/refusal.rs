//! Refusals: a model's polite no.

use std::{error, fmt};

use crate::Refusal;

impl Refusal {
    /// A no because the request makes no sense. Say which input, what was found, and what was expected.
    pub fn invalid_input(why: impl Into<String>) -> Self {
        Self::InvalidInput(why.into())
    }

    /// A no because the model would rather not answer: the request is outside of what it was trained on, say.
    pub fn abstain(why: impl Into<String>) -> Self {
        Self::Abstain(why.into())
    }

    /// A no because the model tried and could not.
    pub fn failed(why: impl Into<String>) -> Self {
        Self::Failed(why.into())
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InvalidInput(why) => write!(f, "invalid input: {why}"),
            Self::Abstain(why) => write!(f, "abstained: {why}"),
            Self::Failed(why) => write!(f, "failed: {why}"),
        }
    }
}

impl error::Error for Refusal {}
