//! The runner is what its sources make.

use std::path::Path;
use std::process::Command;

#[test]
fn the_runner_is_built_again_byte_for_byte() {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../sdk/runner/build.sh");
    let output = Command::new(script).arg("--check").output().expect("a shell");
    if output.status.success() {
        return;
    }
    let said = String::from_utf8_lossy(&output.stderr);
    // Another compiler gives other bytes; that they predict the same is tested beside this.
    let compilers = said.lines().last().and_then(|line| {
        line.strip_prefix("built with ")?.split_once("; checked in was built with ")
    });
    let (here, then) = compilers.unwrap_or_else(|| panic!("{said}"));
    assert_ne!(here, then, "{said}");
}
