//! Where the terminal view gets what it shows, and who does what it is told to.

use serde_json::Value;

/// A host that is looked at. Each method may take as long as the network does.
pub trait Source: Send + 'static {
    /// What the host says of itself, as `GET /status` has it.
    ///
    /// # Errors
    ///
    /// One line for a person when there is no answer.
    fn status(&mut self) -> Result<Value, String>;

    /// The latest changes of a model, as the host's history has them.
    ///
    /// # Errors
    ///
    /// One line for a person when there is no answer.
    fn history(&mut self, endpoint: &str, model: &str) -> Result<Value, String>;

    /// Makes a change, or says what it would do.
    ///
    /// # Errors
    ///
    /// One line for a person when the host refuses.
    fn change(&mut self, change: &Change, how: How<'_>) -> Result<Value, String>;
}

/// How a change is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum How<'a> {
    /// Not at all: the host only says what it would do.
    DryRun,
    /// For this reason, which the host keeps.
    For(&'a str),
}

/// What an operator wants to be different.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// What is to be done.
    pub verb: Verb,
    /// The endpoint.
    pub endpoint: String,
    /// Its model; all of the endpoint, where there is none.
    pub model: Option<String>,
    /// Whether to do it against the host's advice.
    pub force: bool,
}

/// What can be done to a model, or to an endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verb {
    /// To make it the champion.
    Promote,
    /// To ask it no more.
    Pause,
    /// To ask it again.
    Resume,
}

impl Verb {
    /// The word for it, which is also that of the command and of the route.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Promote => "promote",
            Self::Pause => "pause",
            Self::Resume => "resume",
        }
    }
}
