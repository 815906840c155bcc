//! Makes a component from a core module.
//!
//! Compilers give core modules; the host takes components. What is in between is done here, so that no model author
//! needs another tool. The same module and the same metadata always give the same bytes: neither the time nor a path
//! gets in.

mod component;
mod metadata;

pub use component::{ComponentizeError, EmbedError, componentize, embed};
pub use metadata::{Metadata, MetadataError};
