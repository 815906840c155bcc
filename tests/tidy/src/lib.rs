//! Tidiness as a test: the promises about the tree that no compiler keeps.
//!
//! The tests read the files that git tracks, so a stray build folder never counts.

use std::path::{Path, PathBuf};
use std::process::Command;

/// The folder of the workspace.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .canonicalize()
        .expect("the workspace is there")
}

/// Every tracked file whose name ends so, with its text.
pub fn tracked(ending: &str) -> Vec<(String, String)> {
    let output = Command::new("git")
        .args(["ls-files", "--cached", "--others", "--exclude-standard", "-z"])
        .current_dir(root())
        .output()
        .expect("git runs");
    String::from_utf8(output.stdout)
        .expect("file names are UTF-8")
        .split('\0')
        .filter(|name| !name.is_empty() && name.ends_with(ending))
        .filter_map(|name| {
            Some((name.to_owned(), std::fs::read_to_string(root().join(name)).ok()?))
        })
        .collect()
}

/// The functions of a Rust source, as name and length in lines.
///
/// Reads braces, not grammar: a line that opens with `fn` after its qualifiers starts a function,
/// and the closing brace at the same indentation ends it, which rustfmt guarantees.
pub fn functions(source: &str) -> Vec<(String, usize)> {
    let lines: Vec<&str> = source.lines().collect();
    let mut found = Vec::new();
    for (start, line) in lines.iter().enumerate() {
        let Some(name) = function_name(line) else { continue };
        let indent = line.len() - line.trim_start().len();
        let closing = format!("{}}}", " ".repeat(indent));
        let body = lines[start..].iter().take_while(|line| !ends_declaration(line, indent));
        let length = body.clone().position(|line| *line == closing);
        if let Some(length) = length {
            found.push((name, length + 1));
        }
    }
    found
}

fn function_name(line: &str) -> Option<String> {
    let mut words = line.split_whitespace().peekable();
    while words.peek().is_some_and(|word| {
        matches!(*word, "pub" | "const" | "async" | "unsafe" | "pub(crate)" | "pub(super)")
    }) {
        words.next();
    }
    if words.next()? != "fn" {
        return None;
    }
    let name = words.next()?.split(['(', '<']).next()?;
    Some(name.to_owned())
}

/// Whether this line ends a declaration without a body, as in a trait.
fn ends_declaration(line: &str, indent: usize) -> bool {
    let own_indent = line.len() - line.trim_start().len();
    own_indent == indent && line.ends_with(';')
}
