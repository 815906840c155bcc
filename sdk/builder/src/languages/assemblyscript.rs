//! Models in AssemblyScript: a core module by asc, whose exports get the names of the contract here.
//!
//! The names of the contract are no identifiers, and the compiler exports nothing under another name. So the library has
//! functions of plain names, and the section of the exports is written anew.

use std::path::{Path, PathBuf};

use include_dir::{Dir, include_dir};
use wasm_encoder::{ExportSection, Module, RawSection};
use wasmparser::{Parser, Payload};

use super::javascript::{self, JavaScript};
use super::{Compiled, Manifest, Sign, Support, manifest_sign};
use crate::build::{Job, file};
use crate::templates::{Part, Template};
use crate::toolchain::Tool;
use crate::toolchain::pins::{ASSEMBLYSCRIPT, NODE};
use crate::{BuildError, ProjectError, Sbom};

static TEMPLATE: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../assemblyscript/template");
static LIBRARY: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../assemblyscript/assembly");

const ASCONFIG: &str = "asconfig.json";
const MAINS: [&str; 4] = ["assembly/model.ts", "assembly/index.ts", "src/model.ts", "model.ts"];

/// What the library calls its functions, and what the contract does.
const RENAMED: [(&str, &[&str]); 3] = [
    ("understudy_describe", &["understudy:model/predictor@0.1.0#describe"]),
    ("understudy_predict", &["understudy:model/predictor@0.1.0#predict"]),
    (
        "understudy_free",
        &[
            "cabi_post_understudy:model/predictor@0.1.0#describe",
            "cabi_post_understudy:model/predictor@0.1.0#predict",
        ],
    ),
];
/// What else is exported: memory, and how the host gets some.
const KEPT: [&str; 2] = ["memory", "cabi_realloc"];

/// What the builder knows of AssemblyScript.
pub(super) struct AssemblyScript;

impl Support for AssemblyScript {
    fn sign(&self, folder: &Path) -> Option<Sign> {
        manifest_sign(folder, &[ASCONFIG])
    }

    fn manifest(&self, folder: &Path) -> Result<Manifest, ProjectError> {
        let manifest = JavaScript.manifest(folder)?;
        let main =
            manifest.main.filter(|main| main.extension().is_some_and(|ending| ending == "ts"));
        Ok(Manifest { main, ..manifest })
    }

    fn tools(&self) -> &'static [Tool] {
        &[NODE, ASSEMBLYSCRIPT]
    }

    fn compile(&self, job: &mut Job<'_>) -> Result<Compiled, BuildError> {
        let main = javascript::main(job, &MAINS)?;
        javascript::install(job)?;
        let out = job.work().join("model.wasm");
        job.step("compiling with asc");
        let mut asc = javascript::script(job, ASSEMBLYSCRIPT.name);
        // The path gets into messages of the program, so it is one that is the same in every folder.
        asc.arg(
            main.strip_prefix(job.project.folder()).map_or_else(|_| main.clone(), PathBuf::from),
        );
        asc.args([
            "-O3",
            "--runtime",
            "incremental",
            "--use",
            "abort=",
            "--enable",
            "simd",
            "--outFile",
        ])
        .arg(&out);
        job.run(asc)?;
        let module = renamed(&job.read(&out)?).map_err(|why| file(&main, why))?;
        Ok(Compiled::Module(module))
    }

    fn sbom(&self, job: &mut Job<'_>) -> Result<Option<Sbom>, BuildError> {
        JavaScript.sbom(job)
    }

    fn template(&self) -> Option<Template> {
        Some(Template {
            parts: vec![
                Part::Folder("", &TEMPLATE),
                Part::Folder("vendor/understudy/assembly", &LIBRARY),
                Part::File(
                    "vendor/understudy/README.md",
                    include_str!("../../../assemblyscript/README.md"),
                ),
            ],
            replaced: &[("../../assembly", "../vendor/understudy/assembly")],
        })
    }
}

/// The same module with exports of the names that the contract asks for, and no others.
fn renamed(module: &[u8]) -> Result<Vec<u8>, String> {
    let unread =
        |error: wasmparser::BinaryReaderError| format!("asc gave no valid module: {error}");
    let mut written = Module::new();
    let mut found = Vec::new();
    for payload in Parser::new(0).parse_all(module) {
        let payload = payload.map_err(unread)?;
        if let Payload::ExportSection(section) = payload {
            let mut exports = ExportSection::new();
            for export in section {
                let export = export.map_err(unread)?;
                found.push(export.name.to_owned());
                let names = match RENAMED.iter().find(|(name, _)| *name == export.name) {
                    Some((_, names)) => (*names).to_vec(),
                    None => KEPT.into_iter().filter(|name| *name == export.name).collect(),
                };
                for name in names {
                    exports.export(name, kind(export.kind), export.index);
                }
            }
            written.section(&exports);
        } else if let Some((id, range)) = payload.as_section() {
            written.section(&RawSection { id, data: &module[range] });
        }
    }
    let wanted = RENAMED.iter().map(|(name, _)| *name).chain(KEPT);
    let missing: Vec<_> =
        wanted.filter(|name| !found.iter().any(|export| export == name)).collect();
    if missing.is_empty() {
        return Ok(written.finish());
    }
    Err(format!(
        "found no exports {}, expected those of the library: `export * from \".../component\"`",
        missing.join(", ")
    ))
}

fn kind(kind: wasmparser::ExternalKind) -> wasm_encoder::ExportKind {
    match kind {
        wasmparser::ExternalKind::Memory => wasm_encoder::ExportKind::Memory,
        wasmparser::ExternalKind::Table => wasm_encoder::ExportKind::Table,
        wasmparser::ExternalKind::Global => wasm_encoder::ExportKind::Global,
        wasmparser::ExternalKind::Tag => wasm_encoder::ExportKind::Tag,
        _ => wasm_encoder::ExportKind::Func,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIBRARY_EXPORTS: &str = r#"
        (memory (export "memory") 1)
        (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) i32.const 0)
        (func (export "understudy_describe") (result i32) i32.const 0)
        (func (export "understudy_predict") (param i32 i32) (result i32) i32.const 0)
        (func (export "understudy_free") (param i32))
        (func (export "other"))"#;

    #[test]
    fn a_module_of_the_library_fits_the_contract_under_its_new_names() {
        let module = wat::parse_str(format!("(module {LIBRARY_EXPORTS})")).unwrap();
        crate::component::without_imports(&renamed(&module).unwrap()).unwrap();
    }

    #[test]
    fn a_module_without_the_functions_of_the_library_is_refused_with_what_to_write() {
        let module = wat::parse_str("(module (memory (export \"memory\") 1))").unwrap();
        let why = renamed(&module).unwrap_err();
        assert!(
            why.starts_with("found no exports understudy_describe, understudy_predict"),
            "{why}"
        );
        assert!(why.ends_with("`export * from \".../component\"`"), "{why}");
    }
}
