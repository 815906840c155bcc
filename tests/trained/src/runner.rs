//! The components that models are written into, as they are checked in.

use std::path::Path;
use std::process::Command;

/// Builds a runner again, and compares it with the one that is checked in.
///
/// # Panics
///
/// Where it is another one, though the same compiler built it.
pub fn check_runner(name: &str) {
    let script =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../sdk").join(name).join("build.sh");
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
