//! What operators ask for: to look at an endpoint, and to change it.
//!
//! The front knows the words only. What a promotion is, and whether it may be, is the host's.

use bytes::Bytes;
use serde_json::Value;

use crate::host::NotFound;

/// A question of an operator. Its answer is a document of JSON.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Look {
    /// Which endpoints there are.
    Endpoints,
    /// What the models of an endpoint are and do.
    Models {
        /// The endpoint.
        endpoint: String,
    },
    /// What happened to an endpoint, the latest last.
    History {
        /// The endpoint.
        endpoint: String,
        /// Only what happened to this model.
        model: Option<String>,
        /// So many events at the most.
        limit: usize,
    },
    /// Who answers, as the endpoint's file says it.
    Policy {
        /// The endpoint.
        endpoint: String,
    },
}

/// A change that an operator wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Whose.
    pub endpoint: String,
    /// What is to be done.
    pub operation: Operation,
    /// How, and why.
    pub terms: Terms,
}

/// What is to be done to an endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Operation {
    /// To put a component into the folder.
    Stage {
        /// The name of its model.
        model: String,
        /// The component.
        wasm: Bytes,
    },
    /// To make a model champion.
    Promote {
        /// The model.
        model: String,
    },
    /// To undo the last change, or to put the former artefact of a model back.
    Rollback {
        /// The model.
        model: Option<String>,
    },
    /// To take a model out of the folder.
    Retire {
        /// The model.
        model: String,
    },
    /// To leave a model unasked, or to turn callers of the endpoint away.
    Pause {
        /// The model.
        model: Option<String>,
    },
    /// To end a pause.
    Resume {
        /// The model.
        model: Option<String>,
    },
    /// To replace who answers.
    SetPolicy {
        /// The TOML of `[roles]`, `[policy]` and `[[route]]`.
        text: String,
    },
}

/// How a change is made, and what is noted of it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Terms {
    /// Whether to say only what would happen.
    pub dry_run: bool,
    /// Whether to do what speaks against itself.
    pub force: bool,
    /// Why, in the operator's words.
    pub why: Option<String>,
    /// Who the operator says to be. Whoever may change something may say anything here.
    pub claimed: Option<String>,
}

/// Why a look or a change came to nothing.
#[derive(Debug, Clone, PartialEq)]
pub enum Declined {
    /// Because there is no such endpoint or model.
    NotFound(NotFound),
    /// Because what was sent is of no use.
    Invalid {
        /// What is wrong, with what was found and expected.
        message: String,
    },
    /// Because of how things are. Nothing was changed.
    Conflict {
        /// What the operator should know. Holds `error`.
        document: Value,
    },
    /// Because the host failed.
    Failed {
        /// What failed.
        message: String,
    },
}
