//! Models in C++: every source of the project, compiled by `zig c++`, which brings its own libraries.

use std::path::Path;

use include_dir::{Dir, include_dir};

use super::c::sources::Sources;
use super::c::{C_ENDINGS, COMPILE_FLAGS, LINK_FLAGS, compiler, objects, sources_only};
use super::{Compiled, Manifest, Sign, Support, source_sign};
use crate::build::Job;
use crate::templates::{Part, Template};
use crate::toolchain::Tool;
use crate::toolchain::pins::ZIG;
use crate::{BuildError, ProjectError, Sbom};

static TEMPLATE: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../cpp/template");

/// How the names of sources in C++ end.
const CPP_ENDINGS: &[&str] = &[".cpp", ".cc", ".cxx"];

/// The standard of C++, without what WebAssembly has not: a throw is an error of the compiler.
const CPP_FLAGS: &[&str] = &["-std=gnu++20", "-fno-exceptions", "-fno-rtti"];

/// What the builder knows of C++.
pub(super) struct Cpp;

impl Support for Cpp {
    fn sign(&self, folder: &Path) -> Option<Sign> {
        source_sign(folder, CPP_ENDINGS)
    }

    fn manifest(&self, _folder: &Path) -> Result<Manifest, ProjectError> {
        Ok(Manifest::default())
    }

    fn tools(&self) -> &'static [Tool] {
        &[ZIG]
    }

    fn compile(&self, job: &mut Job<'_>) -> Result<Compiled, BuildError> {
        let endings = [C_ENDINGS, CPP_ENDINGS].concat();
        let sources = Sources::find(job.project.folder(), job.work(), &endings)?;
        let module = job.work().join("module.wasm");
        job.step("compiling with zig c++; the first time that is its C++ library, too");
        let objects = objects(job, &sources)?;
        let mut zig = compiler(job, "c++")?;
        zig.args(COMPILE_FLAGS).args(CPP_FLAGS).args(LINK_FLAGS).args(sources.include_flags());
        zig.args(sources.with_ending(CPP_ENDINGS)).args(objects).arg("-o").arg(&module);
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
                    "vendor/understudy/understudy.hpp",
                    include_str!("../../../cpp/understudy.hpp"),
                ),
                Part::File(
                    "vendor/understudy/understudy.h",
                    include_str!("../../../c/understudy.h"),
                ),
                Part::File(
                    "vendor/understudy/understudy.c",
                    include_str!("../../../c/understudy.c"),
                ),
                Part::File("vendor/understudy/README.md", include_str!("../../../cpp/README.md")),
            ],
            replaced: &[
                ("LIBRARY = -I.. -I../../c\n", "LIBRARY = -Ivendor/understudy\n"),
                ("CORE = ../../c/", "CORE = vendor/understudy/"),
                ("-I..\n-I../../c\n", "-Ivendor/understudy\n"),
                ("[the library in C](../c/)", "the library in C"),
            ],
        })
    }
}
