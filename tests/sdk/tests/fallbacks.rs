//! What is taken where the machine has no Node.js, no Go, and no root?

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use builder::Language;
use sdk_tests::{cache, proof_with, repository};

#[test]
fn node_and_go_come_from_pypi_where_the_machine_has_neither() {
    let proof = proof_with("wheels", Language::JavaScript, &["host/server/src/commands"]);
    // They are large, and neither what is pinned nor what installs it has changed since.
    if proof.exists() {
        return;
    }
    let (around, kept) = (tempfile::tempdir().expect("a temporary folder"), cache().join("wheels"));
    let programs = around.path().join("programs");
    fs::create_dir(&programs).expect("a folder");
    // Python alone is in the search path, as a script, since a link would take the library from elsewhere.
    let python = said(Command::new("python3").args(["-c", "import sys; print(sys.executable)"]));
    program(&programs.join("python3"), &format!("exec {} \"$@\"", python.trim()));
    let understudy = |arguments: &[&str]| {
        let mut command = Command::new(harness::binary());
        command.args(arguments).current_dir(around.path());
        command.env("UNDERSTUDY_CACHE", &kept).env("PATH", &programs);
        said(&mut command)
    };
    let installed = understudy(&["toolchain", "install", "javascript", "go"]);
    let path_of = |tool: &str| -> PathBuf {
        let line = installed.lines().find(|line| line.starts_with(tool));
        let (_, path) = line.and_then(|line| line.split_once(": ")).expect("a path of each tool");
        path.into()
    };
    for (tool, argument, word) in [("node", "--version", "v24."), ("go", "version", "go1.26")] {
        let path = path_of(tool);
        assert!(path.starts_with(&kept), "{}", path.display());
        let version = said(Command::new(&path).arg(argument));
        assert!(version.contains(word), "{version}");
    }
    // A project builds with that Node.js, and with what its npm has installed.
    understudy(&["new", "javascript", "late-flights"]);
    understudy(&["test", "late-flights"]);
    fs::write(proof, "").expect("a file in the cache");
}

#[test]
fn without_root_the_command_for_it_is_named() {
    let around = tempfile::tempdir().expect("a temporary folder");
    let programs = around.path().join("programs");
    fs::create_dir(&programs).expect("a folder");
    for name in ["bash", "find", "flock", "mkdir", "mktemp", "mv", "sed", "touch"] {
        symlink(in_search_path(name), programs.join(name)).expect("a link");
    }
    // A Debian whose packages are not there, for somebody who is not root: no rustup, no sudo.
    program(&programs.join("id"), "echo 1000");
    program(&programs.join("dpkg-query"), "exit 1");
    program(&programs.join("apt-get"), "echo asked for packages; exit 1");
    let script = repository().join("sdk/toolchain/rust.sh");
    let output = Command::new("bash")
        .arg(script)
        .env_clear()
        .env("PATH", &programs)
        .env("HOME", around.path())
        .env("UNDERSTUDY_CACHE", around.path().join("cache"))
        .output()
        .expect("a shell");
    let told = text(&output);
    assert!(!output.status.success(), "{told}");
    assert!(!told.contains("asked for packages") && !told.contains("not found"), "{told}");
    let lines: Vec<_> = told.lines().collect();
    let [first, second] = lines[..] else { panic!("{told}") };
    assert!(first.ends_with("lld-19, and there is no sudo"), "{told}");
    assert!(
        second.contains("install rustup (https://rustup.rs), or on Debian: sudo apt-get install"),
        "{told}"
    );
}

/// A script in the search path.
fn program(path: &Path, line: &str) {
    fs::write(path, format!("#!/bin/sh\n{line}\n")).expect("a script");
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).expect("a mode");
}

fn in_search_path(name: &str) -> PathBuf {
    let folders = std::env::var_os("PATH").expect("a search path");
    let mut paths = std::env::split_paths(&folders).map(|folder| folder.join(name));
    paths.find(|path| path.is_file()).unwrap_or_else(|| panic!("{name} is not in the search path"))
}

fn said(command: &mut Command) -> String {
    let output = command.output().expect("a program that starts");
    assert!(output.status.success(), "{command:?}: {}", text(&output));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}
