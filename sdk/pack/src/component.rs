//! Components: a trained model in the runner, with what is known of it.

use builder::{ComponentizeError, Metadata};
use serde::Serialize;
use wasm_encoder::{ComponentSection as _, CustomSection};
use wasm_metadata::AddMetadata;

use crate::runner::{self, PatchError};
use crate::{Task, Trained, TrainedColumn};

/// The custom section of a packed component that says what it was made of: a JSON document with the format of the file, the library,
/// the task, and the columns of the training.
pub const TRAINED_SECTION: &str = "understudy:trained";

/// Why a model was not packed.
#[derive(Debug, thiserror::Error)]
pub enum PackError {
    /// Because the model was not written into the runner.
    #[error(transparent)]
    Patch(#[from] PatchError),
    /// Because the runner with the model in it did not become a component, or the metadata is not well-formed.
    #[error(transparent)]
    Componentize(#[from] ComponentizeError),
    /// Because what made the component was not written down.
    #[error("the producers were not written: {0}")]
    Producers(String),
}

#[derive(Serialize)]
struct Section<'a> {
    format: String,
    library: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    library_version: Option<&'a str>,
    task: Task,
    summary: &'a str,
    columns: &'a [TrainedColumn],
}

/// Makes a component of a trained model. The same model and the same metadata always give the same bytes.
///
/// # Errors
///
/// Where the metadata is not well-formed. That a model cannot be packed at all is a mistake of this crate.
pub fn pack(trained: &Trained, metadata: &Metadata) -> Result<Vec<u8>, PackError> {
    let module = match trained.pipeline.net() {
        Some(net) => runner::patch(&runner::of_nets()?, &net.to_bytes())?,
        None => runner::patch(runner::RUNNER, &trained.pipeline.to_bytes())?,
    };
    let mut metadata = metadata.clone();
    metadata
        .description
        .get_or_insert_with(|| format!("{}: {}", trained.format.library(), trained.summary));
    let component = builder::componentize(&module, &metadata)?;

    let mut add = AddMetadata::default();
    add.processed_by = vec![("understudy-pack".to_owned(), env!("CARGO_PKG_VERSION").to_owned())];
    let version = trained.library_version.clone().unwrap_or_default();
    add.sdk = vec![(trained.format.library().to_owned(), version)];
    let mut component =
        add.to_wasm(&component).map_err(|error| PackError::Producers(format!("{error:#}")))?;

    let section = serde_json::to_vec(&Section {
        format: trained.format.to_string(),
        library: trained.format.library(),
        library_version: trained.library_version.as_deref(),
        task: trained.task,
        summary: &trained.summary,
        columns: &trained.columns,
    })
    .expect("invariant: a section has no key that is not a text");
    CustomSection { name: TRAINED_SECTION.into(), data: section.into() }
        .append_to_component(&mut component);
    Ok(component)
}
