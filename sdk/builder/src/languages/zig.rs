//! Models in Zig: what the `build.zig` of the project says.
//!
//! Before zig runs any `build.zig`, it compiles its build system, for a minute or two. One as `understudy new` writes it
//! says nothing that is not known here: then the compiler is called at once, with the same flags and to the same bytes.

mod packages;
mod zon;

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use include_dir::{Dir, include_dir};

use super::c::sources::write_library;
use super::c::{compiler, standard_library, zig_cache};
use super::{Compiled, LIBRARY_NAME, Manifest, Sign, Support, library, manifest_sign, of_project};
use zon::Zon;

use crate::build::{Job, file};
use crate::project::read;
use crate::templates::{Part, Template};
use crate::toolchain::Tool;
use crate::toolchain::pins::ZIG;
use crate::{BuildError, ProjectError, Sbom};

static TEMPLATE: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../zig/template");
static LIBRARY: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../zig/src");

const BUILD_ZIG: &str = "build.zig";
const BUILD_ZIG_ZON: &str = "build.zig.zon";
/// Where the library is in a project that brings it along.
const LIBRARY_ROOT: &str = "vendor/understudy/src/understudy.zig";

/// What the builder knows of Zig.
pub(super) struct Zig;

impl Support for Zig {
    fn sign(&self, folder: &Path) -> Option<Sign> {
        manifest_sign(folder, &[BUILD_ZIG])
    }

    fn manifest(&self, folder: &Path) -> Result<Manifest, ProjectError> {
        let zon = read(&folder.join(BUILD_ZIG_ZON))?;
        let zon = zon.and_then(|text| Zon::read(&text)).unwrap_or(Zon::Other);
        Ok(Manifest {
            name: zon.text("name").map(|name| name.replace('_', "-")),
            version: zon.text("version").map(str::to_owned),
            ..Manifest::default()
        })
    }

    fn tools(&self) -> &'static [Tool] {
        &[ZIG]
    }

    fn compile(&self, job: &mut Job<'_>) -> Result<Compiled, BuildError> {
        let project = job.project.folder();
        if read(&project.join(BUILD_ZIG))?.is_some_and(|text| is_plain(&text)) {
            return compile_plain(job);
        }
        let installed = job.work().join("installed");
        job.step("compiling with zig build; the first time that is the build system, too");
        let mut zig = compiler(job, "build")?;
        zig.arg("--prefix").arg(&installed);
        job.run(zig)?;
        let module = module_in(&installed.join("bin")).map_err(|found| {
            let manifest = job.project.folder().join(BUILD_ZIG);
            file(&manifest, format!("installs {found}, expected one file in bin that ends in .wasm, as addModel of the package understudy does"))
        })?;
        job.read(&module).map(Compiled::Module)
    }

    fn sbom(&self, job: &mut Job<'_>) -> Result<Option<Sbom>, BuildError> {
        let project = job.project.folder();
        let unpacked = [project.join("zig-pkg"), zig_cache(job).join("p")];
        let mut packages = packages::packages(project, &unpacked);
        if !packages.iter().any(|package| package.name == LIBRARY_NAME) {
            packages.push(library());
        }
        packages.push(standard_library(job));
        Ok(Some(Sbom::flat(of_project(job), packages)))
    }

    fn template(&self) -> Option<Template> {
        Some(Template {
            parts: vec![
                Part::Folder("", &TEMPLATE),
                Part::Folder("vendor/understudy/src", &LIBRARY),
                Part::File("vendor/understudy/build.zig", include_str!("../../../zig/build.zig")),
                Part::File(
                    "vendor/understudy/build.zig.zon",
                    include_str!("../../../zig/build.zig.zon"),
                ),
                Part::File("vendor/understudy/README.md", include_str!("../../../zig/README.md")),
            ],
            replaced: &[(".path = \"..\"", ".path = \"vendor/understudy\"")],
        })
    }
}

/// Says whether a `build.zig` is that of the template, whatever the model is called.
fn is_plain(build_zig: &str) -> bool {
    let template = TEMPLATE.get_file(BUILD_ZIG).and_then(|file| file.contents_utf8());
    let Some((before, after)) = template.and_then(|text| text.split_once("my-model")) else {
        return false;
    };
    let name = build_zig.strip_prefix(before).and_then(|rest| rest.strip_suffix(after));
    name.is_some_and(|name| !name.contains(['"', '\n']))
}

/// Does what `addModel` does in the package's `build.zig`.
fn compile_plain(job: &mut Job<'_>) -> Result<Compiled, BuildError> {
    let mut library = job.project.folder().join(LIBRARY_ROOT);
    if !library.is_file() {
        write_library(&LIBRARY, job.work())?;
        library = job.work().join("understudy.zig");
    }
    let module = job.work().join("module.wasm");
    let option = |name: &str, path: &Path| {
        let mut option = OsString::from(name);
        option.push(path);
        option
    };
    job.step("compiling with zig build-exe");
    let mut zig = compiler(job, "build-exe")?;
    zig.args(["-target", "wasm32-freestanding", "-mcpu", "baseline+simd128", "-O", "safe"]);
    zig.args(["-fstrip", "-fno-entry", "-rdynamic", "--stack", "262144"]);
    zig.args(["--dep", "understudy", "-Mroot=src/model.zig"]);
    zig.arg(option("-Munderstudy=", &library)).arg(option("-femit-bin=", &module));
    job.run(zig)?;
    job.read(&module).map(Compiled::Module)
}

/// The one module in a folder, or what there is instead.
fn module_in(folder: &Path) -> Result<PathBuf, String> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let is_module = |path: &PathBuf| path.extension().is_some_and(|ending| ending == "wasm");
    let mut modules: Vec<_> = entries.map(|entry| entry.path()).filter(is_module).collect();
    match (modules.pop(), modules.len()) {
        (Some(module), 0) => Ok(module),
        (None, _) => Err("no such file".to_owned()),
        (Some(_), others) => Err(format!("{} such files", others + 1)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_build_zig_that_says_more_than_a_name_is_run() {
        let template = TEMPLATE.get_file(BUILD_ZIG).unwrap().contents_utf8().unwrap();
        assert!(is_plain(template));
        assert!(is_plain(&template.replace("my-model", "late-flights")));
        assert!(!is_plain(&template.replace("src/model.zig", "src/main.zig")));
        assert!(!is_plain(
            &template.replace("my-model\",", "my-model\",\n        .optimize = .fast,")
        ));
        assert!(!is_plain(""));
    }

    #[test]
    fn the_module_is_the_only_one() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(module_in(folder.path()), Err("no such file".to_owned()));
        std::fs::write(folder.path().join("notes.txt"), "").unwrap();
        std::fs::write(folder.path().join("late.wasm"), "").unwrap();
        assert_eq!(module_in(folder.path()), Ok(folder.path().join("late.wasm")));
        std::fs::write(folder.path().join("early.wasm"), "").unwrap();
        assert_eq!(module_in(folder.path()), Err("2 such files".to_owned()));
    }
}
