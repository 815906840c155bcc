//! Models in C: every source of the project, compiled by `zig cc`, which brings its own C library.
//!
//! There is no manifest and no makefile to heed: a project is its sources. Whoever has more to say builds with their own
//! tools, and makes a component of the module with `componentize`.

pub(super) mod sources;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use include_dir::{Dir, include_dir};

use self::sources::Sources;
use super::{Compiled, Manifest, Sign, Support, library, of_project, source_sign};
use crate::build::{Job, file};
use crate::templates::{Part, Template};
use crate::toolchain::Tool;
use crate::toolchain::pins::ZIG;
use crate::{BuildError, Package, ProjectError, Sbom};

static TEMPLATE: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../c/template");

/// How the names of sources in C end.
pub(super) const C_ENDINGS: &[&str] = &[".c"];

/// For whatever compiles: WebAssembly with the vectors that the host has, as fast as it goes.
pub(super) const COMPILE_FLAGS: &[&str] =
    &["-target", "wasm32-wasi", "-msimd128", "-O3", "-Wall", "-Wextra"];
/// The standard of C.
pub(super) const C_FLAGS: &[&str] = &["-std=gnu17"];
/// For whatever links: a module with no `main`, a small stack, and no names, which would have folders in them.
pub(super) const LINK_FLAGS: &[&str] = &["-mexec-model=reactor", "-Wl,-z,stack-size=262144", "-s"];

/// What the builder knows of C.
pub(super) struct C;

impl Support for C {
    fn sign(&self, folder: &Path) -> Option<Sign> {
        source_sign(folder, C_ENDINGS)
    }

    fn manifest(&self, _folder: &Path) -> Result<Manifest, ProjectError> {
        Ok(Manifest::default())
    }

    fn tools(&self) -> &'static [Tool] {
        &[ZIG]
    }

    fn compile(&self, job: &mut Job<'_>) -> Result<Compiled, BuildError> {
        let sources = Sources::find(job.project.folder(), job.work(), C_ENDINGS)?;
        let module = job.work().join("module.wasm");
        job.step("compiling with zig cc; the first time that is its C library, too");
        let mut zig = compiler(job, "cc")?;
        zig.args(COMPILE_FLAGS).args(C_FLAGS).args(LINK_FLAGS).args(sources.include_flags());
        zig.args(sources.with_ending(C_ENDINGS)).arg("-o").arg(&module);
        job.run(zig)?;
        job.read(&module).map(Compiled::Module)
    }

    fn sbom(&self, job: &mut Job<'_>) -> Result<Option<Sbom>, BuildError> {
        Ok(Some(sources_only(job)))
    }

    fn template(&self) -> Option<Template> {
        Some(Template {
            parts: vec![
                Part::Folder("", &TEMPLATE),
                Part::File(
                    "vendor/understudy/understudy.h",
                    include_str!("../../../c/understudy.h"),
                ),
                Part::File(
                    "vendor/understudy/understudy.c",
                    include_str!("../../../c/understudy.c"),
                ),
                Part::File("vendor/understudy/README.md", include_str!("../../../c/README.md")),
            ],
            replaced: &[
                ("LIBRARY = ..\n", "LIBRARY = vendor/understudy\n"),
                ("-I..\n", "-Ivendor/understudy\n"),
            ],
        })
    }
}

/// A command of zig, whose cache all projects share: it has the C library in it, which takes half a minute.
pub(super) fn compiler(job: &Job<'_>, command: &str) -> Result<Command, BuildError> {
    let cache = zig_cache(job);
    std::fs::create_dir_all(&cache).map_err(|why| file(&cache, why))?;
    let mut zig = job.command(ZIG.name);
    zig.env("ZIG_GLOBAL_CACHE_DIR", &cache).env("ZIG_LOCAL_CACHE_DIR", &cache).arg(command);
    Ok(zig)
}

/// The bill of materials of a language without packages: what else a project uses is among its sources.
pub(super) fn sources_only(job: &Job<'_>) -> Sbom {
    Sbom::flat(of_project(job), vec![library(), standard_library(job)])
}

/// The library of the language, which is zig's.
pub(super) fn standard_library(job: &Job<'_>) -> Package {
    let zig = job.tools.iter().find(|tool| tool.name == ZIG.name);
    Package::new(ZIG.name, zig.map_or("", |zig| &zig.version), "registry")
}

pub(super) fn zig_cache(job: &Job<'_>) -> PathBuf {
    job.kept().with_file_name("zig-cache")
}

/// Compiles each of the sources in C into an object of its own.
pub(super) fn objects(job: &mut Job<'_>, sources: &Sources) -> Result<Vec<OsString>, BuildError> {
    let mut objects = Vec::new();
    for (index, source) in sources.with_ending(C_ENDINGS).into_iter().enumerate() {
        let object = job.work().join(format!("{index}.o"));
        let mut zig = compiler(job, "cc")?;
        zig.args(COMPILE_FLAGS).args(C_FLAGS).args(sources.include_flags());
        zig.arg("-c").arg(source).arg("-o").arg(&object);
        job.run(zig)?;
        objects.push(object.into_os_string());
    }
    Ok(objects)
}
