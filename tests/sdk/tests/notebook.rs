//! Does every step of the walk-through of `examples/notebook` do what its page shows?
//!
//! Its own script executes the page from top to bottom, with the real binary, and prints it as it would be now.

use std::fs;
use std::process::Command;

use sdk_tests::repository;

#[test]
fn every_step_of_the_walk_through_does_what_its_page_shows() {
    let page = fs::read_to_string(repository().join("examples/notebook/README.md")).unwrap();
    let now = executed();
    for (number, (shown, found)) in steps(&page).iter().zip(&steps(&now)).enumerate() {
        let (shown, found) = (masked(shown), masked(found));
        assert_eq!(shown, found, "step {} prints something else: `make notebook`", number + 1);
    }
    assert_eq!(steps(&page).len(), steps(&now).len());

    for words in [
        "100 of 100 samples as expected, alone and together",
        "stage boosted at flights: taken up",
        "promote boosted at flights: taken up",
        "rollback boosted at flights: taken up",
    ] {
        assert!(now.contains(words), "no `{words}` in\n{now}");
    }
    // What the page says of it has to be so.
    let log_loss = |model: &str| -> f64 {
        let row = now.lines().find(|line| {
            let mut words = line.split_whitespace();
            words.next() == Some(model) && words.count() == 2
        });
        let row = row.unwrap_or_else(|| panic!("no log-loss of {model} in\n{now}"));
        row.split_whitespace().last().expect("invariant: three words").parse().expect("a number")
    };
    assert!(log_loss("boosted") < log_loss("leaves"), "{now}");
    assert!(log_loss("leaves") < log_loss("logit"), "{now}");
}

/// The page as it would be now.
fn executed() -> String {
    let done = Command::new("python3")
        .arg("-B")
        .arg(repository().join("examples/notebook/execute.py"))
        .arg("--check")
        .arg("--understudy")
        .arg(harness::binary())
        .env("UNDERSTUDY_CACHE", sdk_tests::toolchain().cache())
        .output()
        .expect("python3");
    let errors = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{}\n{errors}", done.status);
    String::from_utf8(done.stdout).expect("a page")
}

/// What each step has printed.
fn steps(page: &str) -> Vec<String> {
    let parts = page.split("\n```text\n").skip(1);
    parts.map(|part| part.split("\n```").next().unwrap_or_default().to_owned()).collect()
}

/// The words of a text, without those that a machine or a moment makes: times, digests, sizes.
///
/// Two models may be live in either order, so the order of lines does not count.
fn masked(text: &str) -> Vec<String> {
    let word =
        |word: &str| if word.chars().any(|it| it.is_ascii_digit()) { "#" } else { word }.to_owned();
    let line = |line: &str| line.split_whitespace().map(word).collect::<Vec<_>>().join(" ");
    let mut lines: Vec<_> = text.lines().map(line).collect();
    lines.sort();
    lines
}
