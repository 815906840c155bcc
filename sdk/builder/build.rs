//! Builds the builder anew when a file is added to what it carries along; changed files are known without.

use std::path::Path;

/// The folders of `sdk/` that are embedded.
const EMBEDDED: [&str; 15] = [
    "rust/template",
    "rust/src",
    "c/template",
    "cpp/template",
    "zig/template",
    "zig/src",
    "go/template",
    "go/understudy",
    "python/template",
    "python/understudy_model",
    "javascript/template",
    "javascript/template-typescript",
    "javascript/src",
    "assemblyscript/template",
    "assemblyscript/assembly",
];

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    for folder in EMBEDDED {
        if Path::new("..").join(folder).is_dir() {
            println!("cargo::rerun-if-changed=../{folder}");
        }
    }
}
