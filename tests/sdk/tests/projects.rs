//! Does a new project of each language build, and do what its samples say, with the real binary and outside of this
//! repository? And what is told where a tool is missing?

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use builder::Language;
use sdk_tests::proof_with;
use serde_json::Value;

/// Runs the binary in a folder.
fn understudy(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(harness::binary());
    command.args(arguments).current_dir(folder);
    command
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn succeeds(mut command: Command) -> String {
    let Output { status, stdout, stderr } = command.output().expect("a binary that starts");
    assert!(status.success(), "{command:?}: {status}\n{}{}", text(&stdout), text(&stderr));
    text(&stdout)
}

/// Writes a project, builds it, looks at what the binary says of it, and tests it on its samples.
fn check(language: Language) {
    let proof = proof_with("new-builds", language, &["host/server/src/commands"]);
    // Compilers are slow, and neither the commands nor the language have changed since.
    if proof.exists() {
        return;
    }
    let around = tempfile::tempdir().expect("a temporary folder");
    let folder = around.path();
    succeeds(understudy(folder, &["new", language.word(), "late-flights"]));
    let project = folder.join("late-flights");
    let readme = fs::read_to_string(project.join("README.md")).expect("a README");
    assert!(readme.contains("late-flights") && !readme.contains("my-model"), "{readme}");
    assert!((5..=20).contains(&readme.lines().count()), "{readme}");

    let report = succeeds(understudy(folder, &["build", "late-flights", "--json"]));
    let report: Value = serde_json::from_str(&report).expect("a report in JSON");
    assert_eq!(report["imports"], Value::Array(Vec::new()), "{report:#}");
    assert_eq!(report["language"], language.word(), "{report:#}");
    assert!(
        report["bytes"].as_u64() > Some(0) && report["call"]["p50_us"].is_number(),
        "{report:#}"
    );
    let component = project.join("late-flights.wasm");
    let shown = succeeds(understudy(folder, &["check", &component.display().to_string()]));
    assert!(shown.contains("late-flights") && shown.contains("0.1.0"), "{shown}");
    let listed =
        succeeds(understudy(folder, &["check", "--sbom", &component.display().to_string()]));
    let has =
        |words: &[&str]| listed.lines().any(|line| words.iter().all(|word| line.contains(word)));
    assert!(has(&["late-flights", "0.1.0", "the model itself"]), "{listed}");
    if matches!(language, Language::C | Language::Cpp | Language::Zig) {
        assert!(
            has(&["understudy", "0.1.0", "local"]) && has(&["zig", "0.", "registry"]),
            "{listed}"
        );
    }
    succeeds(understudy(folder, &["test", "late-flights"]));

    // Samples are of no use if they do not notice anything.
    let samples = fs::read_to_string(project.join("samples.jsonl")).expect("samples");
    let first = samples.lines().next().expect("a sample");
    let mut wrong: Value = serde_json::from_str(first).expect("a sample in JSON");
    wrong["prediction"]["outputs"][0]["data"] = serde_json::json!([0.125]);
    fs::write(folder.join("wrong.jsonl"), wrong.to_string()).expect("a file of samples");
    let file = component.display().to_string();
    let told = understudy(folder, &["test", &file, "--samples", "wrong.jsonl"]).output();
    let told = told.expect("a binary that starts");
    assert_eq!(told.status.code(), Some(1), "{}{}", text(&told.stdout), text(&told.stderr));
    assert!(text(&told.stdout).contains("0.125"), "{}", text(&told.stdout));
    fs::write(proof, "").expect("a file in the cache");
}

/// Builds a project on a machine without any tool.
fn without_tools(language: Language) {
    let around = tempfile::tempdir().expect("a temporary folder");
    let folder = around.path();
    succeeds(understudy(folder, &["new", language.word(), "late-flights"]));
    let mut build = understudy(folder, &["build", "late-flights"]);
    build.env("UNDERSTUDY_CACHE", folder.join("cache")).env("PATH", folder.join("nothing"));
    build.env("HOME", folder).env_remove("CARGO_HOME").env_remove("RUSTUP_HOME");
    build.env_remove("UNDERSTUDY_RUST").env_remove("XDG_CACHE_HOME");
    let told = build.output().expect("a binary that starts");
    let words = text(&told.stderr);
    assert_eq!(told.status.code(), Some(1), "{words}");
    assert!(words.contains(&format!("models in {} need ", language.title())), "{words}");
    assert!(words.contains(&format!("understudy toolchain install {language}")), "{words}");
    assert!(!folder.join("late-flights/late-flights.wasm").exists());
}

macro_rules! languages {
    ($($name:ident: $language:ident,)+) => {
        mod a_new_project_builds_and_passes_its_samples {
            $(#[test]
            fn $name() {
                super::check(builder::Language::$language);
            })+
        }

        mod a_missing_tool_is_told_with_the_command_that_installs_it {
            $(#[test]
            fn $name() {
                super::without_tools(builder::Language::$language);
            })+
        }

        #[test]
        fn every_language_is_asked() {
            assert_eq!(Language::ALL.to_vec(), [$(Language::$language),+]);
        }
    };
}

languages! {
    rust: Rust,
    c: C,
    cpp: Cpp,
    zig: Zig,
    go: Go,
    python: Python,
    javascript: JavaScript,
    typescript: TypeScript,
    assemblyscript: AssemblyScript,
}
