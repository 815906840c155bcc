//! Do the compiled languages give the same bytes from the same sources, wherever those lie?

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use builder::{Language, Toolchain};
use sdk_tests::{build, proof, toolchain};

/// A cache with the same tools, in which no compiler finds anything that it has compiled before.
fn without_memory(toolchain: &Toolchain, folder: &Path) -> Toolchain {
    for entry in fs::read_dir(toolchain.cache()).expect("the cache") {
        let entry = entry.expect("an entry of the cache");
        if entry.file_name() != "build" {
            symlink(entry.path(), folder.join(entry.file_name())).expect("a link");
        }
    }
    Toolchain::in_cache(folder)
}

/// Builds a new project twice: in two folders, of which one is deeper than the other, and the second time from nothing.
fn check(language: Language) {
    assert!(language.is_reproducible());
    let (toolchain, proof) = (toolchain(), proof("reproducible", language));
    // Compilers are slow from nothing, and nothing has changed since.
    if proof.exists() {
        return;
    }
    let around = tempfile::tempdir().expect("a temporary folder");
    let write = |folder: &str| {
        let parent = around.path().join(folder);
        fs::create_dir_all(&parent).expect("a folder for a project");
        builder::write_project(&parent, language, "twice-built").expect("a new project").folder
    };
    let cache = around.path().join("cache");
    fs::create_dir(&cache).expect("a folder for a cache");
    let first = build(&write("here"), &toolchain);
    let second = build(&write("another/folder"), &without_memory(&toolchain, &cache));
    assert!(first == second, "{} and {} bytes differ", first.len(), second.len());
    fs::write(proof, "").expect("a file in the cache");
}

macro_rules! languages {
    ($($test:ident: $language:ident,)+) => {
        $(#[test]
        fn $test() {
            check(Language::$language);
        })+

        #[test]
        fn every_compiled_language_is_asked() {
            let compiled = Language::ALL.into_iter().filter(|it| it.is_reproducible());
            assert_eq!(compiled.collect::<Vec<_>>(), [$(Language::$language),+]);
        }
    };
}

languages! {
    rust_is_built_twice_to_the_same_bytes: Rust,
    c_is_built_twice_to_the_same_bytes: C,
    cpp_is_built_twice_to_the_same_bytes: Cpp,
    zig_is_built_twice_to_the_same_bytes: Zig,
    go_is_built_twice_to_the_same_bytes: Go,
    assemblyscript_is_built_twice_to_the_same_bytes: AssemblyScript,
}
