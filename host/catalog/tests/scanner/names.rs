//! What counts as an endpoint, a model or nothing, by names and places.

use crate::folder::{Folder, component};

#[test]
fn names_of_files_that_are_not_finished_are_ignored() {
    let mut folder = Folder::holding(&[("flights/gbdt.wasm", &component("first"))]);
    for name in [
        ".gbdt.wasm.x7Kq2w",
        ".hidden.wasm",
        "..data.wasm",
        ".#endpoint.toml",
        "#endpoint.toml#",
        "gbdt.wasm~",
        "gbdt.wasm.tmp",
        "gbdt.wasm.part",
        "gbdt.wasm.crdownload",
        "gbdt.wasm.filepart",
        ".gbdt.toml.swp",
        "endpoint.toml.swp",
        "gbdt.wasm.sig",
        "README",
        "4913",
    ] {
        folder.write(&format!("flights/{name}"), &component("unfinished"));
    }
    assert_eq!(folder.after(600), "flights: gbdt=first");
    assert_eq!(folder.problems(), [""; 0]);
}

#[test]
fn an_endpoint_is_a_folder_and_a_tenant_a_folder_of_folders() {
    let mut folder = Folder::new();
    folder.write("flights/gbdt.wasm", &component("first"));
    folder.write("flights/archive/old.txt", b"");
    folder.write("empty/endpoint.toml", b"# none yet");
    folder.write("acme/fraud/rules.wasm", &component("other"));
    folder.write("acme/loans/endpoint.toml", b"deadline = '1s'");
    folder.write("acme/deep/deeper/ignored.wasm", &component("other"));
    folder.write("docs/README", b"");
    folder.write("lost+found/x", b"");
    assert_eq!(
        folder.after(600),
        "acme/fraud: rules=other; acme/loans:; empty:; flights: gbdt=first"
    );
    assert_eq!(folder.problems(), [""; 0]);
}

#[test]
fn files_in_the_wrong_place_are_told_and_do_no_harm() {
    let mut folder = Folder::holding(&[("acme/fraud/rules.wasm", &component("other"))]);
    folder.write("stray.wasm", &component("stray"));
    folder.write("acme/stray.wasm", &component("stray"));
    assert_eq!(folder.after(600), "acme/fraud: rules=other");
    let stray = |path| {
        format!("models/{path}: found a file by itself, expected it in the folder of an endpoint")
    };
    assert_eq!(folder.problems(), [stray("acme/stray.wasm"), stray("stray.wasm")]);
}

#[test]
fn names_that_cannot_be_used_are_told() {
    let mut folder = Folder::new();
    folder.write("flights/gbdt (1).wasm", &component("copy"));
    folder.write("flights/endpoint.wasm", &component("taken"));
    folder.write("flights/orphan.toml", b"");
    folder.write("my flights/gbdt.wasm", &component("first"));
    assert_eq!(folder.after(600), "");
    let name = |path: &str, name: &str| {
        format!(
            "models/{path}: found the name {name:?}, expected letters, digits, \".\", \"_\" and \"-\", at most 100, not starting with \".\""
        )
    };
    assert_eq!(
        folder.problems(),
        [
            "models/flights/endpoint.wasm: found a model named \"endpoint\", expected another \
             name, as endpoint.toml is taken"
                .to_owned(),
            name("flights/gbdt (1).wasm", "gbdt (1).wasm"),
            "models/flights/orphan.toml: found a manifest by itself, expected \"orphan.wasm\" \
             beside it"
                .to_owned(),
            name("my flights", "my flights"),
        ]
    );
}
