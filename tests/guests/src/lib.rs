//! Small components for tests, one for each behaviour: those that behave, and those that do not.
//!
//! A guest is a core module in text, made a component in memory in some milliseconds; no toolchain for WebAssembly is
//! needed. Its file under `wat/` shows only what it does differently from `parts/frame.wat`, which takes `x` (FP64\[1\])
//! and answers `y = x` (FP64\[1\]). [`ALL`] says of each guest what a host has to make of it.

mod artefact;
mod bomb;
mod module;
mod table;

pub use artefact::broken;
pub use bomb::{huge_function, many_functions};
pub use module::{Contract, component, with_contract};
pub use table::ALL;

use message::FaultClass;

/// A guest and what a host has to make of it.
#[derive(Debug, Clone, Copy)]
pub struct Guest {
    /// The name. A number behind the last dash is the `N` of its file.
    pub name: &'static str,
    /// What a host has to make of it, when it is asked with `x = 3`.
    pub expected: Expected,
    /// The file, with `PARAMETER` where `N` goes.
    pub(crate) text: &'static str,
}

/// What a host with a locked WASI has to make of a guest.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Expected {
    /// It goes live, and its first answer to `x = 3` is this `y`.
    Answers(f64),
    /// It goes live and answers, but not with the usual tensors.
    AnswersOtherwise,
    /// It goes live and refuses every request.
    Refuses,
    /// It goes live, or dies in warm-up, since every call is a fault of this class.
    Faults(FaultClass),
    /// It never goes live: it cannot be instantiated, described, or trusted.
    NeverLive,
}

/// Builds the guest of this name: one of [`ALL`], or of those with another number, like `times-7`.
///
/// # Panics
///
/// Where there is no such guest.
pub fn build(name: &str) -> Vec<u8> {
    let (guest, parameter) = find(name).unwrap_or_else(|| panic!("there is no guest `{name}`"));
    component(name, &guest.text.replace("PARAMETER", parameter))
}

/// The guest of exactly this name, or else one that differs in its number alone.
fn find(name: &str) -> Option<(&'static Guest, &str)> {
    let number = number(name);
    let exact = ALL.iter().find(|guest| guest.name == name);
    let similar = || {
        let stem = name.strip_suffix(number?)?;
        ALL.iter().find(|guest| guest.name.strip_prefix(stem).is_some_and(number_only))
    };
    exact.or_else(similar).map(|guest| (guest, number.unwrap_or_default()))
}

/// What stands behind the last dash of a name, where that is a number.
fn number(name: &str) -> Option<&str> {
    let (_, last) = name.rsplit_once('-')?;
    number_only(last).then_some(last)
}

fn number_only(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_guest_builds_the_same_bytes_each_time() {
        for guest in ALL {
            let bytes = build(guest.name);
            assert!(wasmparser::Parser::is_component(&bytes), "{}", guest.name);
            assert_eq!(bytes, build(guest.name), "{}", guest.name);
        }
    }

    #[test]
    fn a_number_in_the_name_makes_another_guest() {
        assert_ne!(build("times-2"), build("times-7"));
        assert_ne!(build("constant-0.25"), build("constant-0.5"));
    }

    #[test]
    fn every_file_is_a_row_of_the_table() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/wat");
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let stem = path.file_stem().unwrap().to_str().unwrap().to_owned();
            let text = std::fs::read_to_string(&path).unwrap();
            assert!(ALL.iter().any(|guest| guest.text == text), "{stem} is not in the table");
        }
    }

    #[test]
    #[should_panic(expected = "there is no guest `nobody`")]
    fn an_unknown_name_panics() {
        build("nobody");
    }
}
