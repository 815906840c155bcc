//! Programs of the machine: where they are, and which version.

use std::path::{Path, PathBuf};

use super::{Located, Machine};
use crate::command::{self, Output};
use crate::progress::Silent;

/// Finds a program in the search path, and says what is there instead.
pub(super) fn locate(name: &'static str, machine: &Machine) -> Result<Located, String> {
    let (major, minor) = machine.at_least;
    let expected = format!("expected version {major}.{minor} or later");
    let Some(path) = in_search_path(machine.program) else {
        return Err(format!("`{}` is not in the search path, {expected}", machine.program));
    };
    let mut asked = command::clean(&path);
    asked.args(machine.arguments);
    let said = command::run(asked, Output::Kept, &mut Silent)
        .map_err(|error| format!("{} does not say its version: {error}", path.display()))?;
    let Some((version, found)) = version(&said) else {
        return Err(format!("{} says `{}`, {expected}", path.display(), said.trim()));
    };
    match found >= machine.at_least {
        true => Ok(Located { name, version, path }),
        false => Err(format!("{} is version {version}, {expected}", path.display())),
    }
}

/// The first file of this name in the folders of `PATH`.
pub(super) fn in_search_path(program: &str) -> Option<PathBuf> {
    let folders = std::env::var_os("PATH")?;
    std::env::split_paths(&folders).map(|folder| folder.join(program)).find(|path| is_program(path))
}

#[cfg(unix)]
fn is_program(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    path.metadata().is_ok_and(|file| file.is_file() && file.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
fn is_program(path: &Path) -> bool {
    path.is_file()
}

/// The first version in a text, whole and as major and minor.
fn version(text: &str) -> Option<(String, (u32, u32))> {
    let is_part = |letter: char| letter.is_ascii_digit() || letter == '.';
    text.split(|letter| !is_part(letter)).find_map(|word| {
        let word = word.trim_matches('.');
        let mut numbers = word.split('.');
        let (major, minor) = (numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?);
        Some((word.to_owned(), (major, minor)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::toolchain::Source;

    fn sh(at_least: (u32, u32), arguments: &'static [&'static str]) -> Result<Located, String> {
        let machine = Machine { program: "sh", arguments, at_least, otherwise: &Source::Rust };
        locate("sh", &machine)
    }

    #[test]
    fn versions_are_read_from_what_programs_say() {
        assert_eq!(version("go version go1.26.8 linux/amd64"), Some(("1.26.8".into(), (1, 26))));
        assert_eq!(version("v20.20.2\n"), Some(("20.20.2".into(), (20, 20))));
        assert_eq!(version("no version, 7 of them."), None);
    }

    #[test]
    fn a_program_that_is_old_or_missing_is_named_with_what_was_expected() {
        assert_eq!(sh((1, 24), &["-c", "echo go1.30.1"]).unwrap().version, "1.30.1");
        let why = sh((1, 24), &["-c", "echo go1.9.1"]).unwrap_err();
        assert!(why.ends_with("/sh is version 1.9.1, expected version 1.24 or later"), "{why}");
        let machine = Machine {
            program: "no-such-program",
            arguments: &[],
            at_least: (2, 0),
            otherwise: &Source::Rust,
        };
        assert_eq!(
            locate("none", &machine).unwrap_err(),
            "`no-such-program` is not in the search path, expected version 2.0 or later"
        );
    }
}
