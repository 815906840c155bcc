//! Builds the builder anew when a file is added to what it carries along; changed files are known without.

use std::path::Path;

/// The folders of `sdk/` that are embedded.
const EMBEDDED: [&str; 4] = ["rust/template", "rust/src", "go/template", "go/understudy"];

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    for folder in EMBEDDED {
        if Path::new("..").join(folder).is_dir() {
            println!("cargo::rerun-if-changed=../{folder}");
        }
    }
}
