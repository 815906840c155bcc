//! Do the libraries pass the tests of their own, in which a model is a plain program of its language?

use std::path::Path;
use std::process::Command;

use builder::Language;
use sdk_tests::{Loud, cache, repository, toolchain};

/// A tool of a language, to run in a folder of `sdk/`.
fn tool(language: Language, name: &str, folder: &str) -> Command {
    let tools = toolchain().install(language, &mut Loud(language));
    let tools = tools.unwrap_or_else(|error| panic!("{error}"));
    let found = tools.iter().find(|tool| tool.name == name).map(|tool| tool.path.clone());
    let mut command = Command::new(found.expect("a tool of this language"));
    command.current_dir(repository().join("sdk").join(folder));
    command
}

fn succeeds(mut command: Command) -> String {
    let output = command.output().expect("a program that starts");
    let (said, told) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{command:?}: {}\n{said}{told}", output.status);
    said.into_owned()
}

/// Runs a command of go in each of its modules.
fn go(arguments: &[&str]) -> Vec<String> {
    let run = |folder: &str| {
        let mut go = tool(Language::Go, "go", folder);
        go.args(arguments).env("GOCACHE", cache().join("go")).env("GOFLAGS", "-buildvcs=false");
        succeeds(go)
    };
    ["go", "go/template", "go/conformance"].map(run).into()
}

#[test]
fn go_passes_its_tests_and_is_formatted() {
    let said = go(&["test", "./..."]);
    assert!(said[0].contains("ok") && said[1].contains("ok"), "{said:?}");
    go(&["vet", "./..."]);
    let root = succeeds({
        let mut go = tool(Language::Go, "go", "go");
        go.args(["env", "GOROOT"]);
        go
    });
    let mut gofmt = Command::new(Path::new(root.trim()).join("bin/gofmt"));
    gofmt.arg("-l").arg(repository().join("sdk/go"));
    assert_eq!(succeeds(gofmt), "", "files that gofmt would change");
}
