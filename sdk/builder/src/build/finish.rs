//! The end of a build: from what a compiler gave to a component that the host takes.

use wasmparser::{Parser, Payload, Validator};

use super::BuildError;
use crate::component::{PREVIEW1, adapter_has, without_imports};
use crate::languages::Compiled;
use crate::samples::with_section;
use crate::{Project, SBOM_SECTION, Sbom};

/// What a model exports.
const PREDICTOR: &str = "understudy:model/predictor@0.1.0";
/// The interface that every component names, because its exports speak of it. Nothing is linked for it.
const TYPES: &str = "understudy:model/types@";

const HINT_OF_MODULE: &str =
    "a function was declared and is defined nowhere, or a library needs another platform";
const HINT_OF_COMPONENT: &str =
    "a library of the model reads files, clocks or the network; a model has its request only";

/// Makes the component, with its metadata and its bill of materials, and checks it.
pub(super) fn component(
    compiled: Compiled,
    project: &Project,
    sbom: Option<&Sbom>,
    revision: Option<&str>,
) -> Result<Vec<u8>, BuildError> {
    let component = match compiled {
        Compiled::Component(component) if Parser::is_component(&component) => component,
        Compiled::Component(_) => {
            return Err(BuildError::Invalid("found no header of a component".into()));
        }
        Compiled::Module(module) => {
            refuse(imports_of_module(&module)?, HINT_OF_MODULE)?;
            without_imports(&module)?
        }
    };
    let metadata =
        crate::Metadata { revision: revision.map(str::to_owned), ..project.metadata().clone() };
    let mut component = metadata.write_into(&component)?;
    if let Some(sbom) = sbom {
        component = with_section(&component, SBOM_SECTION, &sbom.to_section());
    }
    check(&component)?;
    Ok(component)
}

/// Checks that a component is valid, imports nothing, and is a model.
fn check(component: &[u8]) -> Result<(), BuildError> {
    let invalid = |error: wasmparser::BinaryReaderError| BuildError::Invalid(error.to_string());
    Validator::new().validate_all(component).map_err(invalid)?;
    let (mut imports, mut exports) = (Vec::new(), Vec::new());
    let mut depth = 0_usize;
    for payload in Parser::new(0).parse_all(component) {
        match payload.map_err(invalid)? {
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => depth += 1,
            Payload::End(_) => depth = depth.saturating_sub(1),
            Payload::ComponentImportSection(section) if depth == 0 => {
                for import in section {
                    imports.push(import.map_err(invalid)?.name.name.to_owned());
                }
            }
            Payload::ComponentExportSection(section) if depth == 0 => {
                for export in section {
                    exports.push(export.map_err(invalid)?.name.name.to_owned());
                }
            }
            _ => {}
        }
    }
    imports.retain(|import| !import.starts_with(TYPES));
    refuse(imports, HINT_OF_COMPONENT)?;
    match exports.iter().any(|export| export == PREDICTOR) {
        true => Ok(()),
        false => Err(BuildError::Exports { expected: PREDICTOR, found: exports }),
    }
}

/// What a core module imports that the adapter does not have.
fn imports_of_module(module: &[u8]) -> Result<Vec<String>, BuildError> {
    let invalid = |error: wasmparser::BinaryReaderError| BuildError::Invalid(error.to_string());
    let mut imports = Vec::new();
    for payload in Parser::new(0).parse_all(module) {
        if let Payload::ImportSection(section) = payload.map_err(invalid)? {
            for import in section.into_imports() {
                let import = import.map_err(invalid)?;
                if import.module != PREVIEW1 || !adapter_has(import.name) {
                    imports.push(format!("{}::{}", import.module, import.name));
                }
            }
        }
    }
    Ok(imports)
}

fn refuse(imports: Vec<String>, hint: &'static str) -> Result<(), BuildError> {
    match imports.is_empty() {
        true => Ok(()),
        false => Err(BuildError::Imports { imports, hint }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Package, read_sbom};

    const MODEL: &str = r#"
        (memory (export "memory") 1)
        (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) unreachable)
        (func (export "understudy:model/predictor@0.1.0#describe") (result i32) unreachable)
        (func (export "understudy:model/predictor@0.1.0#predict") (param i32 i32) (result i32) unreachable)"#;

    fn project() -> Project {
        let folder = tempfile::tempdir().unwrap();
        let said = "name = \"late\"\nversion = \"1.0.0\"\nlanguage = \"c\"\n";
        std::fs::write(folder.path().join("model.toml"), said).unwrap();
        Project::find(folder.path()).unwrap()
    }

    fn module(imports: &str) -> Compiled {
        Compiled::Module(wat::parse_str(format!("(module {imports} {MODEL})")).unwrap())
    }

    fn refused(compiled: Compiled) -> String {
        component(compiled, &project(), None, None).unwrap_err().to_string()
    }

    #[test]
    fn a_module_becomes_a_component_with_all_that_is_known_of_it() {
        let sbom = Sbom::flat(Package::new("late", "1.0.0", "local"), Vec::new());
        let build = || component(module(""), &project(), Some(&sbom), Some("0123abc")).unwrap();
        let built = build();
        assert_eq!(read_sbom(&built).unwrap(), Some(sbom.clone()));
        let payload = wasm_metadata::Payload::from_binary(&built).unwrap();
        let metadata = payload.metadata();
        assert_eq!(metadata.name.as_deref(), Some("late"));
        assert_eq!(metadata.revision.as_ref().unwrap().to_string(), "0123abc");
        assert_eq!(built, build(), "the same bytes");
    }

    #[test]
    fn an_import_of_a_module_is_refused_by_its_name() {
        let why = refused(module(
            r#"(import "env" "abort" (func)) (import "wasi_snapshot_preview1" "fd_fly" (func))"#,
        ));
        assert!(
            why.starts_with(
                "the model asks its host for env::abort, wasi_snapshot_preview1::fd_fly, expected no import: "
            ),
            "{why}"
        );
    }

    #[test]
    fn an_import_of_a_component_is_refused_by_its_name() {
        let text = r#"(component (import "wasi:clocks/wall-clock@0.2.0" (instance)))"#;
        let why = refused(Compiled::Component(wat::parse_str(text).unwrap()));
        assert!(
            why.starts_with("the model asks its host for wasi:clocks/wall-clock@0.2.0, expected"),
            "{why}"
        );
    }

    #[test]
    fn a_component_that_is_no_model_is_refused_by_what_it_exports() {
        let text = r#"(component (instance $i) (export "something" (instance $i)))"#;
        let why = refused(Compiled::Component(wat::parse_str(text).unwrap()));
        assert_eq!(
            why,
            "the component does not export `understudy:model/predictor@0.1.0`, found: something"
        );
        let why = refused(Compiled::Component(b"garbage".to_vec()));
        assert_eq!(why, "the component is not valid: found no header of a component");
    }
}
