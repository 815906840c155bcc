//! The folder of compiled artefacts.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use sandbox::{How, ModelLimits, Runtime, RuntimeConfig, RuntimeError};

use crate::{request, y};

fn runtime(dir: &Path, cache_limit_bytes: u64) -> Runtime {
    let cache_dir = Some(dir.to_owned());
    let config =
        RuntimeConfig { cache_dir, cache_limit_bytes, sessions_limit: 8, ..Default::default() };
    Runtime::new(config).unwrap()
}

/// Loads a guest, and returns whether it had to be compiled.
fn compiled(dir: &Path, name: &str) -> bool {
    let model = runtime(dir, u64::MAX).load(&guests::build(name), &ModelLimits::default()).unwrap();
    let results = model.session().unwrap().predict(&[&request(2.0)]).results.unwrap();
    assert_eq!(y(results[0].as_ref().unwrap()), 4.0);
    matches!(model.loaded(), How::Compiled { .. })
}

fn files(dir: &Path, extension: &str) -> Vec<PathBuf> {
    let paths = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
    paths.filter(|path| path.extension().is_some_and(|it| it == extension)).collect()
}

#[test]
fn what_was_compiled_once_is_found() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path().join("compiled");
    assert!(compiled(&dir, "times-2"));
    assert!(!compiled(&dir, "times-2"));
    assert_eq!(fs::metadata(&dir).unwrap().permissions().mode() & 0o777, 0o700);
    assert_eq!(fs::read_dir(&dir).unwrap().count(), 2);
}

#[test]
fn what_is_known_is_recalled_from_its_compiled_code_alone() {
    let dir = tempfile::tempdir().unwrap();
    let limits = ModelLimits::default();
    let model = runtime(dir.path(), u64::MAX).load(&guests::build("times-2"), &limits).unwrap();
    let known = model.known();
    let recalled = runtime(dir.path(), u64::MAX).recall(&known, &limits).unwrap().unwrap();
    assert_eq!(recalled.known(), known);
    assert!(matches!(recalled.loaded(), How::Cached { .. }));
    assert_eq!(recalled.usage().sessions, 0);
    assert_eq!(recalled.footprint_bytes(), known.footprint_bytes());
    let mut sessions = [recalled.session().unwrap(), recalled.session().unwrap()];
    let results = sessions[0].predict(&[&request(2.0)]).results.unwrap();
    assert_eq!(y(results[0].as_ref().unwrap()), 4.0);
    let second_bytes = sessions[1].memory_bytes();
    assert!(second_bytes > 0);
    assert_eq!(recalled.footprint_bytes(), known.footprint_bytes() + second_bytes);
    for path in files(dir.path(), "cwasm") {
        fs::remove_file(path).unwrap();
    }
    assert!(runtime(dir.path(), u64::MAX).recall(&known, &limits).unwrap().is_none());
}

#[test]
fn a_damaged_artefact_is_compiled_again() {
    let damages: [fn(&mut Vec<u8>); 3] = [
        |bytes| bytes.truncate(bytes.len() / 2),
        |bytes| {
            let middle = bytes.len() / 2;
            bytes[middle] ^= 1;
        },
        Vec::clear,
    ];
    let dir = tempfile::tempdir().unwrap();
    assert!(compiled(dir.path(), "times-2"));
    for damage in damages {
        let path = files(dir.path(), "cwasm").remove(0);
        let mut bytes = fs::read(&path).unwrap();
        damage(&mut bytes);
        // A new file, as a running host may have the old one mapped.
        fs::remove_file(&path).unwrap();
        fs::write(&path, bytes).unwrap();
        assert!(compiled(dir.path(), "times-2"));
        assert!(!compiled(dir.path(), "times-2"));
    }
}

#[test]
fn an_artefact_without_its_digest_is_compiled_again() {
    let dir = tempfile::tempdir().unwrap();
    assert!(compiled(dir.path(), "times-2"));
    fs::remove_file(files(dir.path(), "sha256").remove(0)).unwrap();
    assert!(compiled(dir.path(), "times-2"));
}

#[test]
fn the_folder_stays_within_its_limit() {
    let dir = tempfile::tempdir().unwrap();
    let runtime = runtime(dir.path(), 1);
    for name in ["times-2", "times-3", "times-4"] {
        runtime.load(&guests::build(name), &ModelLimits::default()).unwrap();
    }
    assert_eq!(files(dir.path(), "cwasm"), [] as [PathBuf; 0]);
    assert_eq!(files(dir.path(), "sha256"), [] as [PathBuf; 0]);
}

#[test]
fn a_folder_that_others_can_write_to_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o777)).unwrap();
    let cache_dir = Some(dir.path().to_owned());
    let error = Runtime::new(RuntimeConfig { cache_dir, ..Default::default() }).unwrap_err();
    assert!(matches!(&error, RuntimeError::Cache(_)), "{error}");
    assert!(error.to_string().contains("others may write to it"), "{error}");
}

#[test]
fn what_a_killed_host_left_unfinished_is_swept() {
    let dir = tempfile::tempdir().unwrap();
    let (old, young) = (dir.path().join("fresh-old"), dir.path().join("fresh-young"));
    for path in [&old, &young] {
        fs::write(path, "half of an artefact").unwrap();
    }
    let long_ago = SystemTime::now() - Duration::from_secs(7 * 24 * 60 * 60);
    fs::File::options().write(true).open(&old).unwrap().set_modified(long_ago).unwrap();
    runtime(dir.path(), u64::MAX);
    assert!(!old.exists() && young.exists());
}
