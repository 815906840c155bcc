//! The library that trained a model, in a process of Python that times its calls itself.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use anyhow::{Context, Result, ensure};

use crate::folder::root;

/// The library with a model and its rows, ended when it is dropped.
pub(super) struct Native {
    process: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Native {
    /// Starts it, and waits until it is ready.
    pub(super) fn start(folder: &Path) -> Result<Self> {
        let mut command = Command::new(trained_tests::python());
        command.arg(root().join("tests/bench/trained/native.py")).arg(folder);
        command.env("PYTHONDONTWRITEBYTECODE", "1");
        let mut process = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let input = process.stdin.take().context("a child without an input")?;
        let output = BufReader::new(process.stdout.take().context("a child without an output")?);
        let mut native = Self { process, input, output };
        let said = native.line()?;
        ensure!(said == "ready", "native.py said {said:?}, expected `ready`");
        Ok(native)
    }

    /// How long a row takes that is asked alone.
    pub(super) fn one_us(&mut self) -> Result<f64> {
        self.ask("one")
    }

    /// How long a row takes where all are asked at once.
    pub(super) fn many_us(&mut self) -> Result<f64> {
        self.ask("many")
    }

    fn ask(&mut self, what: &str) -> Result<f64> {
        writeln!(self.input, "{what}")?;
        let said = self.line()?;
        said.parse().with_context(|| format!("native.py said {said:?}, expected a number"))
    }

    fn line(&mut self) -> Result<String> {
        let mut line = String::new();
        self.output.read_line(&mut line)?;
        ensure!(!line.is_empty(), "native.py ended");
        Ok(line.trim().to_owned())
    }
}

impl Drop for Native {
    fn drop(&mut self) {
        // It may have ended by itself, which whoever asked it last has noticed.
        let _gone = self.process.kill();
        let _gone = self.process.wait();
    }
}
