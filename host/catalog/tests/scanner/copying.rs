//! Files that are being written, replaced or renamed.

use std::fs;
use std::sync::Arc;
use std::time::Duration;

use catalog::{Change, Hint, diff};

use crate::folder::{Folder, component};

#[test]
fn a_slow_copy_counts_when_it_is_whole_and_still() {
    let mut folder = Folder::new();
    let whole = component("first");
    folder.write("flights/gbdt.wasm", &whole[..12]);
    assert_eq!(folder.after(0), "");
    assert_eq!(folder.again_in(), Some(Duration::from_millis(500)));
    // It pauses for longer than anybody waits, and is known to be half a file all the same.
    assert_eq!(folder.after(600), "");
    let half = "models/flights/gbdt.wasm: found the beginning of a file, which ends 8 bytes too \
                early, expected a whole WebAssembly component";
    assert_eq!(folder.problems(), [half]);
    folder.append("flights/gbdt.wasm", &whole[12..]);
    assert_eq!(folder.after(10), "");
    assert_eq!(folder.after(489), "");
    assert_eq!(folder.after(1), "flights: gbdt=first");
    assert_eq!(folder.problems(), [""; 0]);
}

#[test]
fn a_model_that_is_being_copied_is_coming_until_it_is_there_or_of_no_use() {
    let mut folder = Folder::new();
    let whole = component("first");
    folder.write("flights/gbdt.wasm", &whole);
    folder.write("flights/logit.wasm", &whole[..12]);
    folder.write("flights/endpoint.toml", b"[roles]\nchampion = \"gbdt\"\n");
    folder.hint("flights/endpoint.toml", Hint::Done);
    assert_eq!(folder.after(0), "flights:");
    assert_eq!(folder.coming("flights"), ["gbdt", "logit"]);
    assert_eq!(folder.after(600), "flights: gbdt=first");
    assert_eq!(folder.coming("flights"), [""; 0]);
    // What runs is there, whatever becomes of its file.
    folder.write("flights/gbdt.wasm", &whole[..12]);
    folder.after(0);
    assert_eq!(folder.coming("flights"), [""; 0]);
}

#[test]
fn a_partial_copy_over_a_revision_leaves_that_revision() {
    let mut folder = Folder::holding(&[("flights/gbdt.wasm", &component("first"))]);
    let first = folder.catalog().clone();
    let whole = component("second");
    for length in [0, 4, 9, whole.len() - 1] {
        folder.write("flights/gbdt.wasm", &whole[..length]);
        for wait_ms in [0, 600, 5000] {
            folder.after(wait_ms);
            assert_eq!(folder.catalog().endpoints, first.endpoints, "{length} bytes");
        }
        assert_eq!(folder.problems().len(), 1, "{length} bytes");
    }
    folder.write("flights/gbdt.wasm", &whole);
    folder.hint("flights/gbdt.wasm", Hint::Done);
    assert_eq!(folder.after(0), "flights: gbdt=second");
    let changes = diff(&first, folder.catalog());
    assert!(matches!(changes[..], [Change::ModelChanged { .. }]), "{changes:?}");
}

#[test]
fn a_file_that_was_closed_counts_at_once() {
    let mut folder = Folder::new();
    folder.write("flights/gbdt.wasm", &component("first"));
    folder.hint("flights/gbdt.wasm", Hint::Done);
    assert_eq!(folder.after(0), "flights: gbdt=first");
    assert!(!folder.scan().unsettled());
}

#[test]
fn a_file_that_was_closed_too_early_is_refused_and_tried_again_when_it_changes() {
    let mut folder = Folder::new();
    let whole = component("first");
    folder.write("flights/gbdt.wasm", &whole[..12]);
    folder.hint("flights/gbdt.wasm", Hint::Done);
    assert_eq!(folder.after(0), "");
    assert_eq!(folder.problems().len(), 1);
    folder.append("flights/gbdt.wasm", &whole[12..]);
    folder.hint("flights/gbdt.wasm", Hint::Done);
    assert_eq!(folder.after(1), "flights: gbdt=first");
}

#[test]
fn a_writer_that_was_noticed_is_waited_for_but_not_for_ever() {
    let mut folder = Folder::new();
    folder.write("flights/gbdt.wasm", &component("first"));
    folder.hint("flights/gbdt.wasm", Hint::Writing);
    assert_eq!(folder.after(0), "");
    assert_eq!(folder.after(9_000), "");
    assert_eq!(folder.again_in(), Some(Duration::from_secs(1)));
    assert_eq!(folder.after(1_000), "flights: gbdt=first");
}

#[test]
fn hints_that_were_lost_leave_the_slow_way() {
    let mut folder = Folder::new();
    folder.write("flights/gbdt.wasm", &component("first"));
    folder.hint("flights/gbdt.wasm", Hint::Writing);
    folder.scanner.forget_hints();
    assert_eq!(folder.after(0), "");
    assert_eq!(folder.after(500), "flights: gbdt=first");
}

#[test]
fn a_hint_about_another_file_or_another_time_is_of_no_use() {
    let mut folder = Folder::new();
    folder.hint("flights/gbdt.wasm", Hint::Done);
    folder.scan();
    folder.write("flights/gbdt.wasm", &component("first"));
    folder.hint("flights/logit.wasm", Hint::Done);
    assert_eq!(folder.after(0), "");
}

#[test]
fn a_finished_file_that_is_renamed_into_place_counts_at_once() {
    let mut folder = Folder::new();
    folder.write("flights/.gbdt.wasm.x7Kq2w", &component("first"));
    assert_eq!(folder.after(600), "");
    folder.rename("flights/.gbdt.wasm.x7Kq2w", "flights/gbdt.wasm");
    assert_eq!(folder.after(0), "flights: gbdt=first");
}

#[test]
fn a_file_with_the_same_bytes_is_no_change() {
    let mut folder = Folder::holding(&[("flights/gbdt.wasm", &component("first"))]);
    let before = folder.catalog().clone();
    folder.touch("flights/gbdt.wasm");
    folder.after(0);
    assert!(Arc::ptr_eq(&before, folder.catalog()), "while it may be written");
    folder.after(1000);
    assert!(Arc::ptr_eq(&before, folder.catalog()), "when it is known");
    folder.write("flights/next", &component("first"));
    folder.rename("flights/next", "flights/gbdt.wasm");
    folder.after(1000);
    assert!(Arc::ptr_eq(&before, folder.catalog()), "another file");
}

#[test]
fn a_file_that_is_away_for_a_moment_is_not_gone() {
    let mut folder = Folder::holding(&[
        ("flights/endpoint.toml", b"deadline = '20ms'"),
        ("flights/gbdt.wasm", &component("first")),
    ]);
    let before = folder.catalog().clone();
    folder.rename("flights/gbdt.wasm", "flights/gbdt.wasm~");
    folder.rename("flights/endpoint.toml", "flights/endpoint.toml~");
    folder.after(0);
    assert_eq!(folder.again_in(), Some(Duration::from_secs(1)));
    folder.after(999);
    assert!(Arc::ptr_eq(&before, folder.catalog()));
    folder.write("flights/gbdt.wasm", &component("second"));
    folder.rename("flights/endpoint.toml~", "flights/endpoint.toml");
    folder.after(1);
    assert!(Arc::ptr_eq(&before, folder.catalog()));
    assert_eq!(folder.after(500), "flights: gbdt=second");
}

#[test]
fn a_file_that_stays_away_is_gone() {
    let mut folder = Folder::holding(&[
        ("flights/gbdt.wasm", &component("first")),
        ("flights/logit.wasm", &component("other")),
    ]);
    folder.remove("flights/gbdt.wasm");
    assert_eq!(folder.after(0), "flights: gbdt=(gone) logit=other");
    assert_eq!(folder.after(1000), "flights: logit=other");
    assert_eq!(folder.problems(), [""; 0]);
}

#[test]
fn a_clock_that_is_set_back_does_no_harm() {
    let mut folder = Folder::new();
    folder.write("flights/gbdt.wasm", &component("first"));
    assert_eq!(folder.after(0), "");
    folder.earlier(1_800_000);
    assert_eq!(folder.after(0), "");
    assert_eq!(folder.after(500), "flights: gbdt=first");
    folder.remove("flights/gbdt.wasm");
    folder.write("flights/logit.wasm", &component("other"));
    folder.scan();
    folder.earlier(1_000_000);
    folder.scan();
    folder.after(500);
    assert_eq!(folder.after(500), "flights: logit=other");
}

#[test]
fn a_version_of_the_folder_is_swapped_by_a_link() {
    let mut folder = Folder::new();
    folder.write("flights/..one/gbdt.wasm", &component("first"));
    folder.write("flights/..one/endpoint.toml", b"deadline = '10ms'");
    folder.write("flights/..two/gbdt.wasm", &component("second"));
    folder.write("flights/..two/endpoint.toml", b"deadline = '20ms'");
    folder.link("..one", "flights/..data");
    folder.link("..data/gbdt.wasm", "flights/gbdt.wasm");
    folder.link("..data/endpoint.toml", "flights/endpoint.toml");
    assert_eq!(folder.after(600), "flights: gbdt=first");
    folder.link("..two", "flights/..next");
    folder.rename("flights/..next", "flights/..data");
    fs::remove_dir_all(folder.path("flights/..one")).unwrap();
    assert_eq!(folder.after(600), "flights: gbdt=second");
    assert_eq!(folder.catalog().endpoints["flights"].config.deadline, Duration::from_millis(20));
    assert_eq!(folder.problems(), [""; 0]);
}

#[test]
fn a_thousand_models_are_one_catalog() {
    let mut folder = Folder::new();
    for number in 0..1000 {
        folder.write(&format!("e{}/m{number}.wasm", number % 10), &component("first"));
    }
    folder.after(600);
    let models: usize = folder.catalog().endpoints.values().map(|spec| spec.models.len()).sum();
    assert_eq!(models, 1000);
    let before = folder.catalog().clone();
    folder.after(600);
    assert!(Arc::ptr_eq(&before, folder.catalog()));
}
