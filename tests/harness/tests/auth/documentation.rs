//! What `docs/security.md` shows is what the host reads.

use std::fs;
use std::path::Path;

use harness::understudy;

/// The blocks of a kind in the page.
fn blocks(kind: &str) -> Vec<String> {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/security.md");
    let page = fs::read_to_string(page).expect("the page");
    let mut blocks = Vec::new();
    for block in page.split("```").skip(1).step_by(2) {
        if let Some(text) = block.strip_prefix(&format!("{kind}\n")) {
            blocks.push(text.to_owned());
        }
    }
    assert!(!blocks.is_empty(), "the page has no {kind}");
    blocks
}

#[test]
fn every_configuration_of_the_page_is_read() {
    for block in blocks("toml") {
        let folder = tempfile::tempdir().unwrap();
        let config = folder.path().join("understudy.toml");
        fs::write(&config, &block).unwrap();
        let config = config.display().to_string();
        let data = folder.path().join("data").display().to_string();
        // An address that nobody may listen on: the host ends after it has read its configuration.
        let line = ["serve", "--config", &config, "--data", &data, "--listen", "192.0.2.1:1"];
        let said = String::from_utf8_lossy(&understudy(line).stderr).into_owned();
        assert!(!said.contains("understudy.toml:"), "{said}\n{block}");
    }
}

#[test]
fn every_command_of_the_page_is_one() {
    for block in blocks("sh") {
        let lines = block.lines().filter_map(|line| line.strip_prefix("understudy "));
        for line in lines {
            let line = line.split(" > ").next().unwrap_or_default();
            let words: Vec<_> = line.split_whitespace().collect();
            let known: Vec<_> = words.iter().take_while(|word| !word.starts_with('-')).collect();
            let depth = if words[0] == "token" { 2 } else { 1 };
            let command = known.into_iter().take(depth).copied();
            let help = understudy(command.chain(["--help"]));
            let help = String::from_utf8_lossy(&help.stdout).into_owned();
            for option in words.iter().filter(|word| word.starts_with("--")) {
                assert!(help.contains(option), "{option} of `understudy {line}`:\n{help}");
            }
        }
    }
}
