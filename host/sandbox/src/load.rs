//! Why an artefact cannot be loaded.

use message::Fault;

use crate::compile::CompileError;
use crate::description::DescriptionError;

/// Why an artefact cannot be loaded. Each is one line that says what was found and what was
/// expected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LoadError {
    /// Because the file is larger than an artefact may be.
    #[error("the file has {found} bytes, expected at most {limit}")]
    TooLarge {
        /// How large it is.
        found: usize,
        /// How large it may be.
        limit: usize,
    },
    /// Because the file is not WebAssembly.
    #[error("found {found}, expected a WebAssembly component")]
    NotWasm {
        /// What it looks like.
        found: String,
    },
    /// Because the file is a module that nobody made a component of.
    #[error("found a core WebAssembly module, expected a component (`understudy build` makes one)")]
    NotAComponent,
    /// Because the file is WebAssembly but broken.
    #[error("the component is invalid: {0}")]
    Invalid(String),
    /// Because it wants to reach what models may not.
    #[error("the component imports {}, which this host does not give to models", names.join(", "))]
    ForbiddenImports {
        /// The names of those imports.
        names: Vec<String>,
    },
    /// Because it was built for another version of the contract.
    #[error("the component is built for contract {found}, expected {known}")]
    Contract {
        /// The version that it exports.
        found: String,
        /// The version that this host knows.
        known: String,
    },
    /// Because it is a component but not a model.
    #[error(
        "the component exports {}, expected understudy:model/predictor",
        if exports.is_empty() { "nothing".to_owned() } else { exports.join(", ") }
    )]
    NotAModel {
        /// The names of what it exports.
        exports: Vec<String>,
    },
    /// Because it could not be compiled.
    #[error("the component cannot be compiled: {0}")]
    Compile(#[from] CompileError),
    /// Because a first session of it could not start.
    #[error("the model does not start: {} ({})", .0.message, .0.class)]
    Start(Fault),
    /// Because it broke when it was asked what it is.
    #[error("the model cannot describe itself: {} ({})", .0.message, .0.class)]
    Describe(Fault),
    /// Because it describes what cannot be.
    #[error("the description of the model is invalid: {0}")]
    Description(#[from] DescriptionError),
}
