//! Components of interpreters: the elements of a tensor cross into them as bytes.
//!
//! Bindings for interpreters make an object of every element, and those for JavaScript have no integer of 64 bits. So a
//! guest is written for `understudy:bytes`, and a small component in front of it speaks the contract to the host. Both
//! lie in one component, which exports the contract alone, and not what else an interpreter exports.

use wasm_encoder::{
    Component, ComponentAliasSection, ComponentExportKind, ComponentExportSection,
    ComponentInstanceSection, ComponentSectionId, RawSection,
};
use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

/// The WIT of the guest and of the shim, for the tools of a language.
pub(crate) const WIT: &str = include_str!("bytes/contract.wit");
/// The world of [`WIT`] that a guest is built for.
pub(crate) const WORLD: &str = "guest";

const SHIM: &str = include_str!("bytes/shim.wat");
const GUEST_PREDICTOR: &str = "understudy:bytes/predictor@0.1.0";
const PREDICTOR: &str = "understudy:model/predictor@0.1.0";

/// Why a guest did not become a component of the contract.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BytesError {
    /// Because the shim is not what it should be, which a test of this crate would have found.
    #[error("the shim of interpreters does not encode: {0}")]
    Shim(String),
    /// Because the guest imports something, or does not export what its world asks for.
    #[error(
        "the guest does not fit its shim, expected an export `{GUEST_PREDICTOR}` and no imports: {0}"
    )]
    Misfit(String),
}

/// Puts the shim in front of a guest, which is a component of the world [`WORLD`] that imports nothing.
///
/// # Errors
///
/// Where the guest imports something, or does not export what its world asks for.
pub(crate) fn with_shim(guest: &[u8]) -> Result<Vec<u8>, BytesError> {
    let shim = shim().map_err(|error| BytesError::Shim(format!("{error:#}")))?;
    let mut component = Component::new();
    for nested in [guest, &shim] {
        component.section(&RawSection { id: ComponentSectionId::Component.into(), data: nested });
    }
    let instance =
        |instances: &mut ComponentInstanceSection, component, arguments: &[(&str, u32)]| {
            let arguments = arguments
                .iter()
                .map(|(name, instance)| (*name, ComponentExportKind::Instance, *instance));
            instances.instantiate(component, arguments);
        };
    let export_of = |instance, name| {
        let mut aliases = ComponentAliasSection::new();
        aliases.alias(wasm_encoder::Alias::InstanceExport {
            instance,
            kind: ComponentExportKind::Instance,
            name,
        });
        aliases
    };
    let mut guest_instance = ComponentInstanceSection::new();
    instance(&mut guest_instance, 0, &[]);
    component.section(&guest_instance);
    component.section(&export_of(0, GUEST_PREDICTOR));
    let mut shim_instance = ComponentInstanceSection::new();
    instance(&mut shim_instance, 1, &[(GUEST_PREDICTOR, 1)]);
    component.section(&shim_instance);
    component.section(&export_of(2, PREDICTOR));
    let mut exports = ComponentExportSection::new();
    exports.export(PREDICTOR, ComponentExportKind::Instance, 3, None);
    component.section(&exports);
    let component = component.finish();
    wasmparser::Validator::new_with_features(wasmparser::WasmFeatures::all())
        .validate_all(&component)
        .map_err(|error| BytesError::Misfit(error.to_string()))?;
    Ok(component)
}

/// The shim as a component.
fn shim() -> anyhow::Result<Vec<u8>> {
    let mut module = wat::parse_str(SHIM)?;
    let mut resolve = Resolve::default();
    let package = resolve.push_str("contract.wit", WIT)?;
    let world = resolve.select_world(&[package], Some("shim"))?;
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8)?;
    ComponentEncoder::default().validate(true).module(&module)?.encode()
}

#[cfg(test)]
mod tests {
    use wit_component::dummy_module;
    use wit_parser::{LiftLowerAbi, ManglingAndAbi};

    use super::*;

    /// A guest that traps in every function.
    fn guest(world: &str) -> Vec<u8> {
        let mut resolve = Resolve::default();
        let package = resolve.push_str("contract.wit", WIT).unwrap();
        let world = resolve.select_world(&[package], Some(world)).unwrap();
        let mut module = dummy_module(&resolve, world, ManglingAndAbi::Legacy(LiftLowerAbi::Sync));
        embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8).unwrap();
        ComponentEncoder::default().module(&module).unwrap().encode().unwrap()
    }

    #[test]
    fn a_guest_of_bytes_becomes_a_component_of_the_contract_that_imports_nothing() {
        let component = with_shim(&guest(WORLD)).unwrap();
        let decoded = wit_component::decode(&component).unwrap();
        let wit_component::DecodedWasm::Component(resolve, world) = decoded else {
            panic!("expected a component, found a package");
        };
        let world = &resolve.worlds[world];
        assert_eq!(world.imports.len(), 0);
        let exports: Vec<_> = world.exports.keys().map(|key| resolve.name_world_key(key)).collect();
        assert_eq!(exports, [PREDICTOR]);
    }

    #[test]
    fn a_guest_of_another_world_is_refused() {
        let why = with_shim(&guest("shim")).unwrap_err().to_string();
        assert!(why.starts_with("the guest does not fit its shim"), "{why}");
    }
}
