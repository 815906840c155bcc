//! Samples: requests with what a model has to answer, carried in a custom section of its component.
//!
//! The section holds the bytes of a `samples.jsonl` as they are, so that `understudy test` reads the file and the section
//! alike.

use std::borrow::Cow;

use wasm_encoder::{ComponentSection as _, CustomSection};
use wasmparser::{Parser, Payload};

/// The name of the custom section.
pub const SAMPLES_SECTION: &str = "understudy:samples";

/// Why samples were not read or written.
#[derive(Debug, thiserror::Error)]
pub enum SamplesError {
    /// Because the bytes are no component.
    #[error("not a component: {0}")]
    NotComponent(String),
    /// Because there are samples in it already.
    #[error("the component has a section `{SAMPLES_SECTION}` already, expected none")]
    Present,
}

/// Adds samples, the bytes of a `samples.jsonl`, to a component.
///
/// # Errors
///
/// Where the bytes are no component, or it has samples already.
pub fn write_samples(component: &[u8], jsonl: &[u8]) -> Result<Vec<u8>, SamplesError> {
    match read_samples(component)? {
        Some(_) => Err(SamplesError::Present),
        None => Ok(with_section(component, SAMPLES_SECTION, jsonl)),
    }
}

/// The samples of a component, as they were written.
///
/// # Errors
///
/// Where the bytes are no component.
pub fn read_samples(component: &[u8]) -> Result<Option<Vec<u8>>, SamplesError> {
    section(component, SAMPLES_SECTION).map_err(SamplesError::NotComponent)
}

/// A component with one more custom section at its end.
pub(crate) fn with_section(component: &[u8], name: &str, data: &[u8]) -> Vec<u8> {
    let mut with = component.to_vec();
    CustomSection { name: Cow::Borrowed(name), data: Cow::Borrowed(data) }
        .append_to_component(&mut with);
    with
}

/// The last custom section of this name that a component has itself, and not a module in it.
pub(crate) fn section(component: &[u8], name: &str) -> Result<Option<Vec<u8>>, String> {
    if !Parser::is_component(component) {
        return Err("found no header of one".into());
    }
    let mut found = None;
    let mut depth = 0_usize;
    for payload in Parser::new(0).parse_all(component) {
        match payload.map_err(|error| error.to_string())? {
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => depth += 1,
            Payload::End(_) => depth = depth.saturating_sub(1),
            Payload::CustomSection(custom) if depth == 0 && custom.name() == name => {
                found = Some(custom.data().to_vec());
            }
            _ => {}
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    const EMPTY: &[u8] = b"\0asm\x0d\0\x01\0";

    #[test]
    fn samples_are_read_as_they_were_written() {
        assert_eq!(read_samples(EMPTY).unwrap(), None);
        let with = write_samples(EMPTY, b"{}\n\xff").unwrap();
        assert_eq!(read_samples(&with).unwrap().unwrap(), b"{}\n\xff");
    }

    #[test]
    fn a_section_of_a_module_inside_is_not_the_components() {
        let inside =
            wat::parse_str("(component (core module (@custom \"understudy:samples\" \"no\")))");
        assert_eq!(read_samples(&inside.unwrap()).unwrap(), None);
        let outside =
            wat::parse_str("(component (core module) (@custom \"understudy:samples\" \"yes\"))");
        assert_eq!(read_samples(&outside.unwrap()).unwrap().unwrap(), b"yes");
    }

    #[test]
    fn what_is_no_component_and_what_has_samples_are_refused() {
        let why = read_samples(b"\0asm\x01\0\0\0").unwrap_err().to_string();
        assert_eq!(why, "not a component: found no header of one");
        let with = write_samples(EMPTY, b"").unwrap();
        let why = write_samples(&with, b"").unwrap_err().to_string();
        assert_eq!(why, "the component has a section `understudy:samples` already, expected none");
    }
}
