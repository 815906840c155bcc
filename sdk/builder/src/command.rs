//! Commands: other people's tools, run without the caller's settings for other builds.
//!
//! A virtual environment, flags for a native compiler, or a target for another machine would get into the component, or
//! keep it from being built. What says where the network and the registries are is left as it is.

use std::collections::VecDeque;
use std::ffi::OsStr;
use std::io::{BufRead as _, BufReader, Read};
use std::process::{Command, Stdio};
use std::sync::mpsc::{Sender, channel};
use std::thread;

use crate::Progress;

/// How many of the last lines of a tool are kept for its error.
const KEPT_LINES_MAX: usize = 5_000;

/// Variables that mean something to a tool and nothing to a model.
const FOREIGN: [&str; 49] = [
    "AR",
    "CC",
    "CFLAGS",
    "CONDA_PREFIX",
    "CPATH",
    "CPLUS_INCLUDE_PATH",
    "CPPFLAGS",
    "CXX",
    "CXXFLAGS",
    "C_INCLUDE_PATH",
    "GIT_DIR",
    "GIT_INDEX_FILE",
    "GIT_PREFIX",
    "GIT_WORK_TREE",
    "GO111MODULE",
    "GOARCH",
    "GOENV",
    "GOEXPERIMENT",
    "GOFLAGS",
    "GOOS",
    "GOROOT",
    "GOTOOLCHAIN",
    "GOWASM",
    "GOWORK",
    "LDFLAGS",
    "LD_LIBRARY_PATH",
    "LIBRARY_PATH",
    "MAKEFLAGS",
    "MAKELEVEL",
    "MFLAGS",
    "NODE_ENV",
    "NODE_OPTIONS",
    "NODE_PATH",
    "PIP_PREFIX",
    "PIP_TARGET",
    "PIP_USER",
    "PYTHONHOME",
    "PYTHONPATH",
    "PYTHONSTARTUP",
    "PYTHONUSERBASE",
    "RUSTC",
    "RUSTC_WORKSPACE_WRAPPER",
    "RUSTC_WRAPPER",
    "RUSTDOCFLAGS",
    "RUSTFLAGS",
    "SOURCE_DATE_EPOCH",
    "VIRTUAL_ENV",
    "VIRTUAL_ENV_PROMPT",
    "__PYVENV_LAUNCHER__",
];

/// How the names of more such variables begin.
const FOREIGN_PREFIXES: [&str; 9] = [
    "CARGO_BUILD_",
    "CARGO_ENCODED_",
    "CARGO_PKG_",
    "CARGO_PROFILE_",
    "CARGO_TARGET_WASM32",
    "CGO_",
    "ZIG_",
    "npm_lifecycle_",
    "npm_package_",
];

/// Why a command gave no result.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// Because it could not be started.
    #[error("cannot run {program}: {why}")]
    NotStarted {
        /// The program.
        program: String,
        /// What the system says.
        why: std::io::Error,
    },
    /// Because it failed.
    #[error("`{command}` failed ({status}):\n{output}")]
    Failed {
        /// The command line.
        command: String,
        /// How it ended.
        status: String,
        /// What it wrote, whole.
        output: String,
    },
}

/// What becomes of a tool's standard output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Output {
    /// It is for people, as what goes to standard error is.
    Shown,
    /// It is for us.
    Kept,
}

/// A command without input, and without the caller's settings for other builds.
pub(crate) fn clean(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    command.stdin(Stdio::null());
    for name in FOREIGN {
        command.env_remove(name);
    }
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy().into_owned();
        if FOREIGN_PREFIXES.iter().any(|prefix| name.starts_with(prefix)) {
            command.env_remove(name);
        }
    }
    command
}

/// Runs a command to its end, tells of each line that it shows, and gives what is kept of its standard output.
pub(crate) fn run(
    mut command: Command,
    output: Output,
    progress: &mut dyn Progress,
) -> Result<String, CommandError> {
    let program = command.get_program().to_string_lossy().into_owned();
    let not_started = |why| CommandError::NotStarted { program: program.clone(), why };
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(not_started)?;
    let (sender, lines) = channel();
    let readers = [
        reader(child.stdout.take(), true, sender.clone()),
        reader(child.stderr.take(), false, sender),
    ];
    let mut written = String::new();
    let mut kept = VecDeque::new();
    for (is_output, line) in lines {
        if is_output && output == Output::Kept {
            written += &line;
            written.push('\n');
            continue;
        }
        progress.line(&line);
        kept.push_back(line);
        if kept.len() > KEPT_LINES_MAX {
            kept.pop_front();
        }
    }
    for reader in readers {
        // A reader only moves lines, and gives up where it cannot.
        drop(reader.join());
    }
    let status = child.wait().map_err(not_started)?;
    if status.success() {
        return Ok(written);
    }
    let kept: Vec<String> = kept.into();
    Err(CommandError::Failed {
        command: shown(&command),
        status: status.to_string(),
        output: kept.join("\n").trim_end().to_owned(),
    })
}

/// Moves the lines of a stream into a channel.
fn reader(
    stream: Option<impl Read + Send + 'static>,
    is_output: bool,
    sender: Sender<(bool, String)>,
) -> thread::JoinHandle<()> {
    thread::spawn(move || {
        let Some(stream) = stream else { return };
        let mut stream = BufReader::new(stream);
        let mut line = Vec::new();
        while let Ok(1..) = stream.read_until(b'\n', &mut line) {
            let text = String::from_utf8_lossy(&line);
            if sender.send((is_output, text.trim_end().to_owned())).is_err() {
                return;
            }
            line.clear();
        }
    })
}

/// A command line for people.
fn shown(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(|word| quoted(&word.to_string_lossy())).collect::<Vec<_>>().join(" ")
}

fn quoted(word: &str) -> String {
    let is_plain = |letter: char| letter.is_alphanumeric() || "-_./=:,+@%^".contains(letter);
    match !word.is_empty() && word.chars().all(is_plain) {
        true => word.to_owned(),
        false => format!("'{}'", word.replace('\'', "'\\''")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Default)]
    struct Heard(Vec<String>);

    impl Progress for Heard {
        fn step(&mut self, what: &str) {
            self.0.push(format!("{what} …"));
        }

        fn line(&mut self, line: &str) {
            self.0.push(line.to_owned());
        }
    }

    fn shell(script: &str) -> Command {
        let mut command = clean("sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn lines_are_told_or_given_back() {
        let mut heard = Heard::default();
        let script = "echo one; echo two >&2";
        assert_eq!(run(shell(script), Output::Kept, &mut heard).unwrap(), "one\n");
        assert_eq!(heard.0, ["two"]);
        assert_eq!(run(shell("echo three"), Output::Shown, &mut heard).unwrap(), "");
        assert_eq!(heard.0, ["two", "three"]);
    }

    #[test]
    fn a_failure_shows_the_whole_output_and_how_to_see_it_again() {
        let failed =
            run(shell("echo wrong >&2; exit 3"), Output::Kept, &mut Heard::default()).unwrap_err();
        assert_eq!(
            failed.to_string(),
            "`sh -c 'echo wrong >&2; exit 3'` failed (exit status: 3):\nwrong"
        );
    }

    #[test]
    fn a_program_that_is_not_there_is_named() {
        let failed = run(clean("no-such-program"), Output::Kept, &mut Heard::default())
            .unwrap_err()
            .to_string();
        assert!(failed.starts_with("cannot run no-such-program: "), "{failed}");
    }

    #[test]
    fn settings_of_other_builds_do_not_get_in() {
        let command = clean("sh");
        let removed: Vec<_> =
            command.get_envs().filter(|(_, value)| value.is_none()).map(|(name, _)| name).collect();
        for name in ["VIRTUAL_ENV", "PYTHONPATH", "RUSTFLAGS", "GOFLAGS", "NODE_OPTIONS"] {
            assert!(removed.contains(&OsStr::new(name)), "{name}");
        }
        // Cargo sets these for every test.
        assert!(std::env::var_os("CARGO_PKG_NAME").is_some());
        assert!(removed.contains(&OsStr::new("CARGO_PKG_NAME")));
    }
}
