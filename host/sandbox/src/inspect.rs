//! What an artefact says about itself before anything of it runs or compiles.
//!
//! Only the structure is parsed here; function bodies are left to the compiler, which runs in a
//! process with limits of its own.

use message::Revision;
use sha2::{Digest as _, Sha256};
use wasmparser::component_types::ComponentEntityType;
use wasmparser::types::Types;
use wasmparser::{
    ComponentName, CustomSectionReader, Encoding, KnownCustom, Parser, Payload, ValidPayload,
    Validator,
};

use crate::contract::VERSION;
use crate::fault::line;
use crate::load::LoadError;
use crate::wasi;

/// What an artefact says about itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inspection {
    /// The SHA-256 of the artefact.
    pub revision: Revision,
    /// How large it is.
    pub size_bytes: usize,
    /// The names of what it imports: all that it could ever reach.
    pub imports: Vec<String>,
    /// The names of what it exports.
    pub exports: Vec<String>,
    /// The version of the contract that it was built for, if it is a model.
    pub contract: Option<String>,
    /// Those of its imports that no host gives a model, with WASI or without.
    pub forbidden: Vec<String>,
    /// Whether it imports parts of WASI.
    pub wants_wasi: bool,
    /// Who made it, and from what.
    pub metadata: Metadata,
}

/// Who made a component, and from what, as its standard sections tell.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Metadata {
    /// The name of the component.
    pub name: Option<String>,
    /// Its version.
    pub version: Option<String>,
    /// What it is for.
    pub description: Option<String>,
    /// Who wrote it.
    pub authors: Option<String>,
    /// Under which licences it may be used.
    pub licenses: Option<String>,
    /// Where its source is.
    pub source: Option<String>,
    /// Which commit of the source it was made from.
    pub revision: Option<String>,
    /// Where one reads more about it.
    pub homepage: Option<String>,
    /// The languages and tools that made it.
    pub producers: Vec<Producer>,
}

/// A language or a tool that took part in making a component.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Producer {
    /// `language`, `processed-by` or `sdk`
    pub field: String,
    /// The name of the tool.
    pub name: String,
    /// Its version.
    pub version: String,
}

const PREDICTOR: &str = "understudy:model/predictor@";
const TYPES: &str = "understudy:model/types@";

/// Reads what an artefact says about itself.
pub(crate) fn inspect(wasm: &[u8], limit_bytes: usize) -> Result<Inspection, LoadError> {
    if wasm.len() > limit_bytes {
        return Err(LoadError::TooLarge { found: wasm.len(), limit: limit_bytes });
    }
    check_magic(wasm)?;
    let mut surface = Surface::default();
    let types = surface.read(wasm)?;
    Ok(surface.finish(wasm, &types))
}

impl Inspection {
    /// Checks that this host can run the artefact as a model.
    pub(crate) fn check(&self, allow_wasi: bool) -> Result<(), LoadError> {
        match &self.contract {
            None => return Err(LoadError::NotAModel { exports: self.exports.clone() }),
            Some(found) if !speaks(found) => {
                return Err(LoadError::Contract {
                    found: found.clone(),
                    known: VERSION.to_owned(),
                });
            }
            Some(_) => {}
        }
        let shut = |name: &&String| {
            self.forbidden.contains(name) || (!allow_wasi && name.starts_with("wasi:"))
        };
        let names: Vec<String> = self.imports.iter().filter(shut).cloned().collect();
        if names.is_empty() { Ok(()) } else { Err(LoadError::ForbiddenImports { names }) }
    }
}

/// Returns whether this host speaks the version. Before 1.0, the patch number alone is compatible.
fn speaks(version: &str) -> bool {
    let minor = |version: &str| version.rsplit_once('.').map(|(minor, _patch)| minor.to_owned());
    minor(version) == minor(VERSION)
}

fn check_magic(wasm: &[u8]) -> Result<(), LoadError> {
    if !wasm.starts_with(b"\0asm") {
        return Err(LoadError::NotWasm { found: first_bytes(wasm) });
    }
    match wasm.get(4..8) {
        Some([1, 0, 0, 0]) => Err(LoadError::NotAComponent),
        Some(_) => Ok(()),
        None => Err(LoadError::Invalid("it ends within its header".to_owned())),
    }
}

fn first_bytes(wasm: &[u8]) -> String {
    match wasm {
        [] => "an empty file".to_owned(),
        [0x7f, b'E', b'L', b'F', ..] => "a native program (ELF)".to_owned(),
        [b'P', b'K', ..] => "a ZIP archive".to_owned(),
        [0x1f, 0x8b, ..] => "a gzip archive".to_owned(),
        [b'(', ..] => "WebAssembly text".to_owned(),
        _ => format!("a file that begins with {:02x?}", &wasm[..wasm.len().min(4)]),
    }
}

/// What was read so far of the outermost component.
#[derive(Default)]
struct Surface {
    imports: Vec<String>,
    exports: Vec<String>,
    metadata: Metadata,
}

impl Surface {
    fn read(&mut self, wasm: &[u8]) -> Result<Types, LoadError> {
        let invalid = |error: wasmparser::Error| LoadError::Invalid(line(&error.to_string()));
        let mut validator = Validator::new();
        let mut depth = 0_usize;
        for payload in Parser::new(0).parse_all(wasm) {
            let payload = payload.map_err(invalid)?;
            if depth == 1 {
                self.note(&payload).map_err(invalid)?;
            }
            if let Payload::Version { encoding: Encoding::Module, .. } = payload
                && depth == 0
            {
                return Err(LoadError::NotAComponent);
            }
            depth += usize::from(matches!(payload, Payload::Version { .. }));
            if let ValidPayload::End(types) = validator.payload(&payload).map_err(invalid)? {
                depth -= 1;
                if depth == 0 {
                    return Ok(types);
                }
            }
        }
        Err(LoadError::Invalid("it has no end".to_owned()))
    }

    fn note(&mut self, payload: &Payload<'_>) -> Result<(), wasmparser::Error> {
        match payload {
            Payload::ComponentImportSection(section) => {
                for import in section.clone() {
                    self.imports.push(import?.name.name.to_owned());
                }
            }
            Payload::ComponentExportSection(section) => {
                for export in section.clone() {
                    self.exports.push(export?.name.name.to_owned());
                }
            }
            Payload::CustomSection(section) => self.metadata.note(section),
            _ => {}
        }
        Ok(())
    }

    fn finish(self, wasm: &[u8], types: &Types) -> Inspection {
        let version = |name: &String| name.strip_prefix(PREDICTOR).map(str::to_owned);
        let known =
            |name: &String| wasi::has(name) || (name.starts_with(TYPES) && only_types(types, name));
        Inspection {
            revision: Revision::from_digest(Sha256::digest(wasm).into()),
            size_bytes: wasm.len(),
            contract: self.exports.iter().find_map(version),
            forbidden: self.imports.iter().filter(|name| !known(name)).cloned().collect(),
            wants_wasi: self.imports.iter().any(|name| name.starts_with("wasi:")),
            imports: self.imports,
            exports: self.exports,
            metadata: self.metadata,
        }
    }
}

/// Returns whether an import is an instance that holds types and nothing that could be called.
fn only_types(types: &Types, import: &str) -> bool {
    let types = types.as_ref();
    let item = types.component_item_for_import(import).map(|item| item.ty);
    let Some(ComponentEntityType::Instance(instance)) = item else { return false };
    let instance = &types[instance];
    instance.exports.values().all(|item| matches!(item.ty, ComponentEntityType::Type { .. }))
}

impl Metadata {
    fn note(&mut self, section: &CustomSectionReader<'_>) {
        let field = match section.name() {
            "version" => &mut self.version,
            "description" => &mut self.description,
            "authors" => &mut self.authors,
            "licenses" => &mut self.licenses,
            "source" => &mut self.source,
            "revision" => &mut self.revision,
            "homepage" => &mut self.homepage,
            _ => return self.note_known(section),
        };
        *field = str::from_utf8(section.data()).ok().map(line);
    }

    fn note_known(&mut self, section: &CustomSectionReader<'_>) {
        match section.as_known() {
            KnownCustom::ComponentName(names) => {
                for name in names {
                    if let Ok(ComponentName::Component { name, .. }) = name {
                        self.name = Some(line(name));
                    }
                }
            }
            KnownCustom::Producers(fields) => {
                for field in fields.into_iter().flatten() {
                    let producer = |name: &str, version: &str| Producer {
                        field: line(field.name),
                        name: line(name),
                        version: line(version),
                    };
                    let values = field.values.clone().into_iter().flatten();
                    self.producers
                        .extend(values.take(64).map(|value| producer(value.name, value.version)));
                }
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(wat: &str) -> Result<Inspection, LoadError> {
        inspect(&wat::parse_str(wat).unwrap(), 1 << 20)
    }

    #[test]
    fn what_is_no_component_is_named() {
        let found = |bytes: &[u8]| inspect(bytes, 1 << 20).unwrap_err().to_string();
        assert!(found(b"").contains("an empty file"));
        assert!(found(b"\x7fELF\x02").contains("ELF"));
        assert!(found(b"PK\x03\x04").contains("ZIP"));
        assert!(found(b"\0asm").contains("ends within its header"));
        assert_eq!(check("(module)").unwrap_err(), LoadError::NotAComponent);
        let too_large = LoadError::TooLarge { found: 8, limit: 7 };
        assert_eq!(inspect(b"\0asm\x0d\0\x01\0", 7).unwrap_err(), too_large);
    }

    #[test]
    fn every_truncation_is_invalid_and_none_panics() {
        let wasm = wat::parse_str(
            r#"(component (core module $m (func (export "f"))) (core instance $i (instantiate $m))
               (func (export "f") (canon lift (core func $i "f"))))"#,
        )
        .unwrap();
        for length in 8..wasm.len() {
            // A component may end after any whole section.
            if let Err(error) = inspect(&wasm[..length], 1 << 20) {
                assert!(matches!(error, LoadError::Invalid(_)), "{error}");
            }
        }
    }

    #[test]
    fn an_import_of_types_alone_is_harmless() {
        let inspection = check(
            r#"(component (import "understudy:model/types@0.1.0" (instance
                 (type $u (record (field "a" u8))) (export "t" (type (eq $u))))))"#,
        );
        assert_eq!(inspection.unwrap().forbidden, Vec::<String>::new());
    }

    #[test]
    fn an_import_that_can_be_called_is_forbidden_under_any_name() {
        let name = "understudy:model/types@0.1.0";
        let inspection =
            check(&format!(r#"(component (import "{name}" (instance (export "f" (func)))))"#));
        assert_eq!(inspection.unwrap().forbidden, [name]);
    }

    #[test]
    fn imports_and_exports_of_inner_components_do_not_count() {
        let inspection = check(
            r#"(component (component (import "f" (func)) (export "g" (func 0)))
                 (component $c) (instance $i (instantiate $c)) (export "a:b/c@1.0.0" (instance $i)))"#,
        )
        .unwrap();
        assert!(inspection.imports.is_empty());
        assert_eq!(inspection.exports, ["a:b/c@1.0.0"]);
        let not_a_model = LoadError::NotAModel { exports: inspection.exports.clone() };
        assert_eq!(inspection.check(true).unwrap_err(), not_a_model);
    }

    #[test]
    fn a_newer_contract_is_refused_and_both_versions_are_named() {
        let export = |version: &str| {
            let wat = format!(
                r#"(component (component $c) (instance $i (instantiate $c))
                     (export "understudy:model/predictor@{version}" (instance $i)))"#
            );
            check(&wat).unwrap().check(false)
        };
        assert_eq!(export("0.1.7"), Ok(()));
        let message = export("0.2.0").unwrap_err().to_string();
        assert!(message.contains("0.2.0") && message.contains(VERSION), "{message}");
        assert!(export("1.0.0").is_err());
    }
}
