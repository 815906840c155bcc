//! Modules: a guest's text, the frame around it, and the world it is built for.

use builder::Metadata;
use wit_component::StringEncoding;
use wit_parser::Resolve;

const FRAME: &str = include_str!("../parts/frame.wat");
const CONTRACT: &str = include_str!("../../../wit/understudy-model-0.1.0/model.wit");
const WORLDS: &str = include_str!("../wit/worlds.wit");

/// A version of the contract that a guest claims to be built for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Contract(pub &'static str);

impl Contract {
    /// The version that the host knows.
    pub const KNOWN: Self = Self("0.1.0");
    /// The next version, as far as a host can tell.
    pub const NEWER: Self = Self("0.2.0");
    /// A version of another generation.
    pub const MUCH_NEWER: Self = Self("9.0.0");

    fn rename(self, text: &str) -> String {
        text.replace(
            "understudy:model/predictor@0.1.0",
            &format!("understudy:model/predictor@{}", self.0),
        )
        .replace("understudy:model@0.1.0", &format!("understudy:model@{}", self.0))
    }
}

/// Makes a component of a guest's text and the frame. The name goes into its metadata, and chooses the world where there
/// is one of that name.
///
/// # Panics
///
/// Where the text is no module that fits.
pub fn component(name: &str, text: &str) -> Vec<u8> {
    with_contract(name, text, Contract::KNOWN)
}

/// Makes a component of a guest's text and the frame that claims to be built for a version of the contract.
///
/// # Panics
///
/// Where the text is no module that fits.
pub fn with_contract(name: &str, text: &str, contract: Contract) -> Vec<u8> {
    let text = contract.rename(&framed(text));
    let mut module = wat::parse_str(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
    embed(name, &mut module, contract);
    let metadata = Metadata { name: Some(name.to_owned()), ..Metadata::default() };
    builder::componentize(&module, &metadata).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn embed(name: &str, module: &mut Vec<u8>, contract: Contract) {
    let mut resolve = Resolve::default();
    let mut push = |path, text: &str| {
        resolve
            .push_str(path, &contract.rename(text))
            .unwrap_or_else(|error| panic!("{path}: {error}"))
    };
    let package = push("model.wit", CONTRACT);
    let worlds = push("worlds.wit", WORLDS);
    let world = resolve
        .select_world(&[worlds], Some(name))
        .or_else(|_| resolve.select_world(&[package], Some("model")))
        .expect("invariant: the contract has a world `model`");
    wit_component::embed_component_metadata(module, &resolve, world, StringEncoding::UTF8)
        .expect("invariant: a world of ours can be encoded");
}

/// A module of the guest's forms and those of the frame that it does not define itself.
fn framed(guest: &str) -> String {
    let own: Vec<_> = guest.lines().filter_map(heading).collect();
    let rest = FRAME
        .split("\n\n")
        .filter(|form| {
            form.lines().find_map(heading).is_some_and(|heading| !own.contains(&heading))
        })
        .collect::<Vec<_>>()
        .join("\n");
    format!("(module\n{guest}\n{rest}\n)")
}

/// The first two words of a form, like `(func $answer`, where a line starts one.
fn heading(line: &str) -> Option<(&str, &str)> {
    let mut words = line.strip_prefix('(')?.split([' ', ')']);
    Some((words.next()?, words.next()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_of_the_guest_takes_the_place_of_that_of_the_frame() {
        let text = framed("(func $answer (param $x f64) (result f64) (f64.const 1))");
        assert_eq!(text.matches("(func $answer ").count(), 1);
        assert!(text.contains("(f64.const 1)"));
        assert!(text.contains("(func $predict "));
    }

    #[test]
    fn a_guest_can_claim_to_be_built_for_another_version() {
        let decoded = wit_component::decode(&with_contract("newer", "", Contract::NEWER)).unwrap();
        let resolve = decoded.resolve();
        let names: Vec<_> =
            resolve.interfaces.iter().filter_map(|(id, _)| resolve.id_of(id)).collect();
        assert!(names.contains(&"understudy:model/predictor@0.2.0".to_owned()), "{names:?}");
    }
}
