//! Metadata: where a component comes from, in the sections that the tools of the ecosystem read.

use wasm_metadata::{
    AddMetadata, AddMetadataField, Authors, Description, Homepage, Licenses, Revision, Source,
    Version,
};

/// What a component says about itself. Everything is optional; what is absent stays as the module has it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Metadata {
    /// The name of the model.
    pub name: Option<String>,
    /// The version that its author gives it.
    pub version: Option<String>,
    /// The people who made it, in any form.
    pub authors: Option<String>,
    /// What it is, in a sentence.
    pub description: Option<String>,
    /// The licences, as an SPDX expression.
    pub licenses: Option<String>,
    /// The URL of its source code.
    pub source: Option<String>,
    /// The URL of its documentation.
    pub homepage: Option<String>,
    /// The commit that it was built from.
    pub revision: Option<String>,
}

/// Why metadata was not written.
#[derive(Debug, thiserror::Error)]
pub enum MetadataError {
    /// Because a value does not have the form that its section asks for.
    #[error("{field} is `{found}`, expected {expected}: {why}")]
    Value {
        /// The name of the value.
        field: &'static str,
        /// The value.
        found: String,
        /// What its form is.
        expected: &'static str,
        /// What is wrong with it.
        why: String,
    },
    /// Because the component cannot be read.
    #[error("the metadata was not written: {0}")]
    Component(String),
}

impl Metadata {
    /// Writes the metadata into a component.
    pub(crate) fn write_into(&self, component: &[u8]) -> Result<Vec<u8>, MetadataError> {
        if *self == Self::default() {
            return Ok(component.to_vec());
        }
        let url = "a url";
        let mut add = AddMetadata::default();
        add.name = set(self.name.clone());
        add.version = set(self.version.clone().map(Version::new));
        add.authors = set(self.authors.clone().map(Authors::new));
        add.description = set(self.description.clone().map(Description::new));
        add.revision = set(self.revision.clone().map(Revision::new));
        add.licenses =
            set(parse("licenses", "an spdx expression", self.licenses.as_deref(), Licenses::new)?);
        add.source = set(parse("source", url, self.source.as_deref(), Source::new)?);
        add.homepage = set(parse("homepage", url, self.homepage.as_deref(), Homepage::new)?);
        add.to_wasm(component).map_err(|error| MetadataError::Component(format!("{error:#}")))
    }
}

fn set<T: std::fmt::Debug + Clone>(value: Option<T>) -> AddMetadataField<T> {
    value.map_or(AddMetadataField::Keep, AddMetadataField::Set)
}

fn parse<T>(
    field: &'static str,
    expected: &'static str,
    found: Option<&str>,
    new: impl Fn(&str) -> anyhow::Result<T>,
) -> Result<Option<T>, MetadataError> {
    let Some(found) = found else { return Ok(None) };
    new(found).map(Some).map_err(|error| MetadataError::Value {
        field,
        found: found.to_owned(),
        expected,
        why: format!("{error:#}"),
    })
}

#[cfg(test)]
mod tests {
    use wasm_metadata::Payload;

    use super::*;

    const EMPTY: &[u8] = b"\0asm\x0d\0\x01\0";

    #[test]
    fn metadata_is_read_back_as_it_was_written() {
        let metadata = Metadata {
            name: Some("gbdt".into()),
            version: Some("1.2.0".into()),
            authors: Some("Ada Lovelace".into()),
            description: Some("Delays of flights".into()),
            licenses: Some("Apache-2.0".into()),
            source: Some("https://example.org/flights".into()),
            homepage: Some("https://example.org/".into()),
            revision: Some("0123456789ab".into()),
        };
        let component = metadata.write_into(EMPTY).unwrap();
        let payload = Payload::from_binary(&component).unwrap();
        let read = payload.metadata();
        let text = |value: Option<String>| value.unwrap();
        assert_eq!(read.name.as_deref(), Some("gbdt"));
        assert_eq!(text(read.version.as_ref().map(ToString::to_string)), "1.2.0");
        assert_eq!(text(read.authors.as_ref().map(ToString::to_string)), "Ada Lovelace");
        assert_eq!(text(read.description.as_ref().map(ToString::to_string)), "Delays of flights");
        assert_eq!(text(read.licenses.as_ref().map(ToString::to_string)), "Apache-2.0");
        assert_eq!(
            text(read.source.as_ref().map(ToString::to_string)),
            "https://example.org/flights"
        );
        assert_eq!(text(read.homepage.as_ref().map(ToString::to_string)), "https://example.org/");
        assert_eq!(text(read.revision.as_ref().map(ToString::to_string)), "0123456789ab");
    }

    #[test]
    fn no_metadata_leaves_the_bytes_alone() {
        assert_eq!(Metadata::default().write_into(EMPTY).unwrap(), EMPTY);
    }

    #[test]
    fn a_value_of_the_wrong_form_is_refused_with_its_name() {
        let metadata = Metadata { source: Some("nowhere".into()), ..Metadata::default() };
        let why = metadata.write_into(EMPTY).unwrap_err().to_string();
        assert!(why.starts_with("source is `nowhere`, expected a url: "), "{why}");
        let metadata = Metadata { licenses: Some("mine".into()), ..Metadata::default() };
        let why = metadata.write_into(EMPTY).unwrap_err().to_string();
        assert!(why.starts_with("licenses is `mine`, expected an spdx expression: "), "{why}");
    }
}
