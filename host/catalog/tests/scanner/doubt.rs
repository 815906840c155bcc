//! Folders that are empty, gone, unreadable or strange: nothing that was there is given up.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixListener;
use std::thread;

use catalog::{ScanOptions, Severity};
use rustix::fs::{CWD, FileType, mknodat};
use rustix::thread::{CapabilitySet, capabilities, set_capabilities};

use crate::folder::{Folder, component};

const BOTH: &str = "acme/fraud: rules=other; flights: gbdt=first";

fn both() -> Folder {
    let mut folder = Folder::holding(&[
        ("flights/gbdt.wasm", &component("first")),
        ("acme/fraud/rules.wasm", &component("other")),
    ]);
    assert_eq!(folder.after(0), BOTH);
    folder
}

fn names(folder: &Folder) -> Vec<&str> {
    folder.catalog().endpoints.keys().map(|name| name.as_str()).collect()
}

#[test]
fn an_empty_folder_keeps_what_was_there() {
    let mut folder = both();
    folder.rename("flights", "../elsewhere");
    folder.rename("acme", "../acme");
    folder.after(0);
    for wait_ms in [1_000, 5_000, 3_600_000] {
        folder.after(wait_ms);
        assert_eq!(names(&folder), ["acme/fraud", "flights"]);
        let problem = "models: found a folder without models, expected endpoints; what was there \
                       stays; is something unmounted?";
        assert_eq!(folder.problems(), [problem]);
    }
    folder.rename("../elsewhere", "flights");
    folder.rename("../acme", "acme");
    assert_eq!(folder.after(0), BOTH);
    assert_eq!(folder.problems(), [""; 0]);
}

#[test]
fn a_folder_that_is_gone_keeps_what_was_there() {
    let mut folder = both();
    let away = folder.outside().join("away");
    fs::rename(folder.path(""), &away).unwrap();
    for wait_ms in [0, 5_000] {
        folder.after(wait_ms);
        assert_eq!(names(&folder), ["acme/fraud", "flights"]);
        let problem = "models: found no folder (No such file or directory (os error 2)), expected \
                       a folder that can be listed";
        assert_eq!(folder.problems(), [problem]);
    }
    fs::rename(&away, folder.path("")).unwrap();
    assert_eq!(folder.after(0), BOTH);
}

#[test]
fn a_folder_that_never_held_anything_is_no_problem() {
    let mut folder = Folder::new();
    assert_eq!(folder.after(0), "");
    assert_eq!(folder.problems(), [""; 0]);
}

#[test]
fn an_endpoint_goes_when_its_folder_is_removed() {
    let mut folder = both();
    folder.remove("flights");
    folder.after(0);
    assert_eq!(names(&folder), ["acme/fraud", "flights"]);
    assert_eq!(folder.after(1000), "acme/fraud: rules=other");
    assert_eq!(folder.problems(), [""; 0]);
}

#[test]
fn an_endpoint_stays_when_only_its_files_are_gone() {
    let mut folder = both();
    folder.remove("flights/gbdt.wasm");
    folder.remove("acme/fraud");
    for wait_ms in [0, 5_000] {
        folder.after(wait_ms);
        assert_eq!(names(&folder), ["acme/fraud", "flights"]);
    }
    // Nothing is left, so the whole folder is in doubt and so are its parts.
    let stays = |path: &str| {
        format!(
            "{path}: found a folder without models, expected the endpoints that were there; they \
             stay until the folder itself is removed"
        )
    };
    assert_eq!(folder.problems(), [stays("models/acme"), stays("models/flights")]);
    folder.remove("acme");
    folder.write("new/m.wasm", &component("third"));
    folder.after(600);
    folder.after(1000);
    assert_eq!(names(&folder), ["flights", "new"]);
}

#[test]
fn what_cannot_be_listed_or_read_keeps_what_was_there() {
    // On a thread of its own, so that the rights of the others are not touched.
    let outcome = thread::spawn(|| {
        without_special_rights();
        let mut folder = both();
        let mode = |path: &str, mode| {
            fs::set_permissions(folder.path(path), Permissions::from_mode(mode)).unwrap();
        };
        mode("flights/gbdt.wasm", 0o000);
        mode("acme/fraud", 0o000);
        let path = folder.path("");
        folder.after(5_000);
        folder.after(5_000);
        assert_eq!(names(&folder), ["acme/fraud", "flights"]);
        let (list, read) = (
            "models/acme/fraud: found a folder that cannot be listed (Permission denied (os error \
             13)), expected a folder that can be listed",
            "models/flights/gbdt.wasm: found a file that cannot be read (Permission denied (os \
             error 13)), expected a readable file",
        );
        assert_eq!(folder.problems(), [list, read]);

        fs::set_permissions(path.join("acme/fraud"), Permissions::from_mode(0o700)).unwrap();
        fs::set_permissions(path.join("flights/gbdt.wasm"), Permissions::from_mode(0o600)).unwrap();
        assert_eq!(folder.after(1_000), BOTH);
        assert_eq!(folder.problems(), [""; 0]);

        fs::set_permissions(&path, Permissions::from_mode(0o000)).unwrap();
        folder.after(5_000);
        assert_eq!(names(&folder), ["acme/fraud", "flights"]);
        fs::set_permissions(&path, Permissions::from_mode(0o700)).unwrap();
    });
    outcome.join().unwrap();
}

/// Gives up, for this thread, the right of the superuser to read everything.
fn without_special_rights() {
    let mut sets = capabilities(None).unwrap();
    sets.effective -= CapabilitySet::DAC_OVERRIDE | CapabilitySet::DAC_READ_SEARCH;
    set_capabilities(None, sets).unwrap();
}

#[test]
fn what_is_no_regular_file_is_never_opened() {
    let mut folder = Folder::holding(&[("flights/gbdt.wasm", &component("first"))]);
    mknodat(CWD, folder.path("flights/fifo.wasm"), FileType::Fifo, 0o600.into(), 0).unwrap();
    let _socket = UnixListener::bind(folder.path("flights/socket.wasm")).unwrap();
    fs::create_dir(folder.path("flights/folder.wasm")).unwrap();
    assert_eq!(folder.after(5_000), "flights: gbdt=first");
    let odd = |name: &str, kind: &str| {
        format!("models/flights/{name}.wasm: found {kind}, expected a regular file")
    };
    assert_eq!(
        folder.problems(),
        [odd("fifo", "a FIFO"), odd("folder", "a folder"), odd("socket", "a socket")]
    );
}

#[test]
fn a_revision_stays_when_something_odd_takes_its_place() {
    let mut folder = Folder::holding(&[("flights/gbdt.wasm", &component("first"))]);
    let before = folder.catalog().endpoints.clone();
    folder.remove("flights/gbdt.wasm");
    mknodat(CWD, folder.path("flights/gbdt.wasm"), FileType::Fifo, 0o600.into(), 0).unwrap();
    folder.after(5_000);
    folder.after(5_000);
    assert_eq!(folder.catalog().endpoints, before);
}

#[test]
fn links_lead_nowhere_but_inside_the_folder() {
    let mut folder = Folder::holding(&[("flights/gbdt.wasm", &component("first"))]);
    fs::write(folder.outside().join("secret.wasm"), component("secret")).unwrap();
    folder.link("../../secret.wasm", "flights/out.wasm");
    folder.link("missing", "flights/nowhere.wasm");
    folder.link("loop.wasm", "flights/loop.wasm");
    folder.link("gbdt.wasm", "flights/alias.wasm");
    folder.link("..", "flights/up");
    folder.link("flights", "same");
    folder.link(".", "self");
    assert_eq!(
        folder.after(5_000),
        "flights: alias=first gbdt=first; same: alias=first gbdt=first"
    );
    let problems = folder.problems();
    let has = |text: &str| assert!(problems.iter().any(|it| it == text), "{text}\n{problems:#?}");
    has("models/flights/out.wasm: found a link that leads out of the folder, expected a regular \
         file");
    has("models/flights/nowhere.wasm: found a link that leads nowhere, expected a regular file");
    has("models/flights/loop.wasm: found a link that cannot be followed (Too many levels of \
         symbolic links (os error 40)), expected a regular file");
    has("models/self: found a link that leads back to a folder above it, expected a folder that \
         can be listed");
}

#[test]
fn a_link_to_an_endpoint_that_leads_nowhere_for_a_moment_keeps_the_endpoint() {
    let mut folder = Folder::new();
    folder.write("..one/flights/gbdt.wasm", &component("first"));
    folder.write("acme/fraud/rules.wasm", &component("other"));
    folder.link("..one/flights", "flights");
    assert_eq!(folder.after(600), BOTH);
    folder.rename("..one", "..two");
    folder.after(5_000);
    folder.after(5_000);
    assert_eq!(names(&folder), ["acme/fraud", "flights"]);
    folder.remove("flights");
    folder.link("..two/flights", "flights");
    assert_eq!(folder.after(0), BOTH);
}

#[test]
fn a_file_that_is_too_large_is_not_read() {
    let mut folder = Folder::with(ScanOptions { model_limit_bytes: 100, ..ScanOptions::default() });
    folder.write("flights/huge.wasm", &component(&"a".repeat(100)));
    folder.write("flights/gbdt.wasm", &component("first"));
    // A sparse file of a gigabyte, which takes no room and must take no time.
    fs::File::create(folder.path("flights/sparse.wasm")).unwrap().set_len(1 << 30).unwrap();
    assert_eq!(folder.after(600), "flights: gbdt=first");
    assert_eq!(
        folder.problems(),
        [
            "models/flights/huge.wasm: found 115 bytes, expected at most 100",
            "models/flights/sparse.wasm: found 1073741824 bytes, expected at most 100",
        ]
    );
}

#[test]
fn what_is_no_webassembly_is_told_by_how_it_begins() {
    let mut folder = Folder::new();
    folder.write("flights/zip.wasm", b"PK\x03\x04 and more");
    folder.write("flights/empty.wasm", b"");
    assert_eq!(folder.after(600), "");
    assert_eq!(
        folder.problems(),
        [
            "models/flights/empty.wasm: found the beginning of a file, which ends 8 bytes too \
             early, expected a whole WebAssembly component",
            "models/flights/zip.wasm: found a file that begins with \"PK\\x03\\x04\", expected a \
             whole WebAssembly component",
        ]
    );
    assert!(folder.catalog().problems.iter().all(|it| it.severity == Severity::Error));
}
