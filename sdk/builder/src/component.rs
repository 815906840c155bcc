//! Components: a core module, wrapped in what it says of its world.

use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use wasmparser::{Parser, Payload};
use wit_component::{ComponentEncoder, StringEncoding, metadata};
use wit_parser::Resolve;

use crate::{Metadata, MetadataError};

/// The contract, as the WIT package that it is.
pub(crate) const CONTRACT: &str = include_str!("../../../wit/understudy-model-0.1.0/model.wit");
/// The world of a model in it.
const WORLD: &str = "model";
/// The module whose functions the adapter has.
pub(crate) const PREVIEW1: &str = "wasi_snapshot_preview1";

/// Preview 1 without a host: see the text.
static ADAPTER: LazyLock<Vec<u8>> = LazyLock::new(|| {
    wat::parse_str(include_str!("nowasi.wat")).expect("invariant: a test parses the same text")
});

/// Why a module did not become a component.
#[derive(Debug, thiserror::Error)]
pub enum ComponentizeError {
    /// Because the bytes are neither a WebAssembly module nor its text form.
    #[error("not a webassembly module, expected its binary or its text form: {0}")]
    NotWasm(wat::Error),
    /// Because it is a component already.
    #[error("found a component, expected a core module")]
    AlreadyComponent,
    /// Because the module does not say which world it was built for.
    #[error(
        "found a module without a `component-type` section, expected one that the bindings of its language \
         wrote, or the name of a world"
    )]
    NoWorld,
    /// Because the module is not what its world asks for: an export is missing or has another type, or it imports
    /// what the world does not have.
    #[error("the module does not fit its world: {0}")]
    Misfit(String),
    /// Because the metadata is not well-formed.
    #[error(transparent)]
    Metadata(#[from] MetadataError),
}

/// Why a world was not written into a module.
#[derive(Debug, thiserror::Error)]
pub enum EmbedError {
    /// Because the bytes are neither a WebAssembly module nor its text form.
    #[error("not a webassembly module, expected its binary or its text form: {0}")]
    NotWasm(wat::Error),
    /// Because the WIT does not parse.
    #[error("{path} is not a wit package: {why}")]
    Wit {
        /// The file or folder.
        path: PathBuf,
        /// What the parser says.
        why: String,
    },
    /// Because the package has no such world.
    #[error("{path} has no world `{world}`: {why}")]
    World {
        /// The file or folder of the package.
        path: PathBuf,
        /// The name that was asked for.
        world: String,
        /// What the parser says.
        why: String,
    },
}

/// Wraps a core module, binary or text, into a component that exports what its world asks for.
///
/// The component is validated. What it imports is what the module imports; a module that imports WASI preview 1 is
/// refused, since there is no such thing in the world of a model.
///
/// # Errors
///
/// Where the module is not one, names no world, or does not fit it.
pub fn componentize(module: &[u8], metadata: &Metadata) -> Result<Vec<u8>, ComponentizeError> {
    let module = wat::parse_bytes(module).map_err(ComponentizeError::NotWasm)?;
    if Parser::is_component(&module) {
        return Err(ComponentizeError::AlreadyComponent);
    }
    let (without_world, _) = metadata::decode(&module).map_err(misfit)?;
    if without_world.is_none() {
        return Err(ComponentizeError::NoWorld);
    }
    let component = ComponentEncoder::default()
        .validate(true)
        .module(&module)
        .and_then(|mut encoder| encoder.encode())
        .map_err(misfit)?;
    Ok(metadata.write_into(&component)?)
}

/// Writes into a core module, binary or text, that it is built for a world of the WIT package at `path`.
///
/// For modules written by hand, and for languages whose bindings do not do it.
///
/// # Errors
///
/// Where the module or the package does not parse, or the package has no such world.
pub fn embed(module: &[u8], path: &Path, world: &str) -> Result<Vec<u8>, EmbedError> {
    let mut module = wat::parse_bytes(module).map_err(EmbedError::NotWasm)?.into_owned();
    let mut resolve = Resolve::default();
    let (package, _) = resolve
        .push_path(path)
        .map_err(|error| EmbedError::Wit { path: path.to_owned(), why: format!("{error:#}") })?;
    let no_world = |why| EmbedError::World {
        path: path.to_owned(),
        world: world.to_owned(),
        why: format!("{why:#}"),
    };
    let id = resolve.select_world(&[package], Some(world)).map_err(no_world)?;
    wit_component::embed_component_metadata(&mut module, &resolve, id, StringEncoding::UTF8)
        .map_err(no_world)?;
    Ok(module)
}

/// Wraps a core module, binary or text, into a component that imports nothing, whatever of WASI preview 1 it imports.
///
/// In place of preview 1 there is an adapter that finds no file and no clock. The world of a model is written into a
/// module that does not name one.
///
/// # Errors
///
/// Where the module is not one, or does not fit the world.
pub fn without_imports(module: &[u8]) -> Result<Vec<u8>, ComponentizeError> {
    let mut module = wat::parse_bytes(module).map_err(ComponentizeError::NotWasm)?.into_owned();
    if metadata::decode(&module).map_err(misfit)?.0.is_none() {
        let mut resolve = Resolve::default();
        let package = resolve.push_str("model.wit", CONTRACT).map_err(misfit)?;
        let world = resolve.select_world(&[package], Some(WORLD)).map_err(misfit)?;
        wit_component::embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8)
            .map_err(misfit)?;
    }
    ComponentEncoder::default()
        .validate(true)
        .module(&module)
        .and_then(|encoder| encoder.adapter(PREVIEW1, &ADAPTER))
        .and_then(|mut encoder| encoder.encode())
        .map_err(misfit)
}

/// Whether the adapter has a function of this name.
pub(crate) fn adapter_has(name: &str) -> bool {
    let exports = Parser::new(0).parse_all(&ADAPTER).filter_map(|payload| match payload {
        Ok(Payload::ExportSection(exports)) => Some(exports),
        _ => None,
    });
    exports.flatten().flatten().any(|export| export.name == name)
}

/// Joins the causes into one line, since the encoder puts what is wrong into the last of them.
fn misfit(error: anyhow::Error) -> ComponentizeError {
    ComponentizeError::Misfit(format!("{error:#}"))
}

#[cfg(test)]
mod tests {
    use wit_component::dummy_module;
    use wit_parser::{LiftLowerAbi, ManglingAndAbi};

    use super::*;

    fn contract() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../wit/understudy-model-0.1.0")
    }

    /// A module that fits the world `model`, and traps in every function.
    fn module() -> Vec<u8> {
        let mut resolve = Resolve::default();
        let (package, _) = resolve.push_path(contract()).unwrap();
        let world = resolve.select_world(&[package], Some("model")).unwrap();
        dummy_module(&resolve, world, ManglingAndAbi::Legacy(LiftLowerAbi::Sync))
    }

    fn refused(module: &[u8]) -> String {
        componentize(module, &Metadata::default()).unwrap_err().to_string()
    }

    #[test]
    fn a_module_with_a_world_becomes_a_component_that_exports_it() {
        let module = embed(&module(), &contract(), "model").unwrap();
        let component = componentize(&module, &Metadata::default()).unwrap();
        let decoded = wit_component::decode(&component).unwrap();
        let resolve = decoded.resolve();
        let interfaces: Vec<_> =
            resolve.interfaces.iter().filter_map(|(id, _)| resolve.id_of(id)).collect();
        assert!(
            interfaces.contains(&"understudy:model/predictor@0.1.0".to_owned()),
            "{interfaces:?}"
        );
    }

    #[test]
    fn the_same_module_gives_the_same_bytes() {
        let metadata = Metadata {
            name: Some("gbdt".into()),
            version: Some("1.2.0".into()),
            authors: Some("Ada".into()),
            ..Metadata::default()
        };
        let build =
            || componentize(&embed(&module(), &contract(), "model").unwrap(), &metadata).unwrap();
        assert_eq!(build(), build());
    }

    #[test]
    fn a_module_without_a_world_is_refused() {
        assert!(
            refused(&module()).starts_with("found a module without a `component-type` section")
        );
    }

    #[test]
    fn a_component_is_refused() {
        assert_eq!(refused(b"(component)"), "found a component, expected a core module");
    }

    #[test]
    fn garbage_is_refused() {
        assert!(refused(b"garbage").starts_with("not a webassembly module"));
        assert!(refused(b"\0asm\x01\0\0").starts_with("the module does not fit"));
        assert!(refused(b"").starts_with("not a webassembly module"));
    }

    #[test]
    fn a_module_that_lacks_an_export_of_its_world_is_refused_by_the_name_of_the_export() {
        let module =
            embed(b"(module (memory (export \"memory\") 1))", &contract(), "model").unwrap();
        let why = refused(&module);
        assert!(why.contains("`understudy:model/predictor@0.1.0` function `describe`"), "{why}");
    }

    #[test]
    fn a_module_that_imports_what_its_world_does_not_have_is_refused_by_the_name_of_the_import() {
        let text = b"(module (import \"wasi_snapshot_preview1\" \"fd_write\" (func (param i32))))";
        let why = refused(&embed(text, &contract(), "model").unwrap());
        assert!(why.contains("wasi_snapshot_preview1"), "{why}");
    }

    /// Every function of preview 1.
    const PREVIEW1_FUNCTIONS: [&str; 46] = [
        "args_get",
        "args_sizes_get",
        "clock_res_get",
        "clock_time_get",
        "environ_get",
        "environ_sizes_get",
        "fd_advise",
        "fd_allocate",
        "fd_close",
        "fd_datasync",
        "fd_fdstat_get",
        "fd_fdstat_set_flags",
        "fd_fdstat_set_rights",
        "fd_filestat_get",
        "fd_filestat_set_size",
        "fd_filestat_set_times",
        "fd_pread",
        "fd_prestat_dir_name",
        "fd_prestat_get",
        "fd_pwrite",
        "fd_read",
        "fd_readdir",
        "fd_renumber",
        "fd_seek",
        "fd_sync",
        "fd_tell",
        "fd_write",
        "path_create_directory",
        "path_filestat_get",
        "path_filestat_set_times",
        "path_link",
        "path_open",
        "path_readlink",
        "path_remove_directory",
        "path_rename",
        "path_symlink",
        "path_unlink_file",
        "poll_oneoff",
        "proc_exit",
        "proc_raise",
        "random_get",
        "sched_yield",
        "sock_accept",
        "sock_recv",
        "sock_send",
        "sock_shutdown",
    ];

    #[test]
    fn the_adapter_has_all_of_preview_1_and_asks_for_a_memory_only() {
        for name in PREVIEW1_FUNCTIONS {
            assert!(adapter_has(name), "{name}");
        }
        assert!(!adapter_has("fd_fly"));
        wasmparser::Validator::new().validate_all(&ADAPTER).unwrap();
    }

    #[test]
    fn a_module_that_imports_preview_1_becomes_a_component_that_imports_nothing() {
        let text = br#"(module
            (import "wasi_snapshot_preview1" "fd_write" (func (param i32 i32 i32 i32) (result i32)))
            (import "wasi_snapshot_preview1" "proc_exit" (func (param i32)))
            (memory (export "memory") 1)
            (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) unreachable)
            (func (export "understudy:model/predictor@0.1.0#describe") (result i32) unreachable)
            (func (export "understudy:model/predictor@0.1.0#predict") (param i32 i32) (result i32) unreachable))"#;
        let component = without_imports(text).unwrap();
        let decoded = wit_component::decode(&component).unwrap();
        let world = &decoded.resolve().worlds
            [decoded.resolve().select_world(&[decoded.package()], None).unwrap()];
        let imports: Vec<_> =
            world.imports.keys().map(|key| decoded.resolve().name_world_key(key)).collect();
        assert_eq!(imports, ["understudy:model/types@0.1.0"]);
        assert_eq!(component, without_imports(text).unwrap(), "the same bytes");
    }

    #[test]
    fn a_world_that_is_not_there_is_refused_by_its_name() {
        let why = embed(&module(), &contract(), "stateful-model").unwrap_err().to_string();
        assert!(why.contains("has no world `stateful-model`"), "{why}");
        let why = embed(&module(), &contract().join("nowhere"), "model").unwrap_err().to_string();
        assert!(why.contains("nowhere is not a wit package"), "{why}");
    }
}
