//! Makes a component from a project folder in any language.
//!
//! Compilers give core modules; the host takes components that import nothing. What is in between is done here, so
//! that no model author needs to know of it: [`Project::find`] reads a folder, a [`Toolchain`] finds or installs what
//! its language needs, and [`build`] gives the component. The same sources and the same tools give the same bytes,
//! where the compiler does: neither the time nor a path gets in.

mod build;
mod bytes;
mod command;
mod component;
mod language;
mod languages;
mod metadata;
mod progress;
mod project;
mod samples;
mod sbom;
mod templates;
mod toolchain;

pub use build::{BuildError, Built, build};
pub use command::CommandError;
pub use component::{ComponentizeError, EmbedError, componentize, embed, without_imports};
pub use language::{Language, UnknownLanguage};
pub use metadata::{Metadata, MetadataError};
pub use progress::{Progress, Silent};
pub use project::{Project, ProjectError};
pub use samples::{SAMPLES_SECTION, SamplesError, read_samples, write_samples};
pub use sbom::{Kind, Package, SBOM_SECTION, Sbom, SbomError, read_sbom};
pub use templates::{NameError, NewError, Written, check_name, write_project};
pub use toolchain::{InstallError, Located, Missing, ToolState, Toolchain, Tools};
