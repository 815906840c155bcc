//! Progress on the terminal: what a build or an installation is at.

use std::io::{IsTerminal as _, Write as _};
use std::time::Instant;

use builder::Progress;

/// How much of a tool's line is shown while the tool runs.
const SHOWN_LETTERS: usize = 76;

/// Tells on standard error. On a terminal the last line of a running tool stands there until the next one; elsewhere only
/// the steps are told, unless everything is asked for.
#[derive(Debug)]
pub(super) struct Told {
    is_terminal: bool,
    everything: bool,
    /// Whether a line stands there that the next one takes the place of.
    is_open: bool,
    started: Instant,
}

impl Told {
    /// Tells the steps, and with `everything` each line that a tool writes.
    pub(super) fn new(everything: bool) -> Self {
        let is_terminal = std::io::stderr().is_terminal();
        Self { is_terminal, everything, is_open: false, started: Instant::now() }
    }

    /// Says that all is done, and how long it took.
    pub(super) fn done(&mut self, what: &str) {
        let took = self.started.elapsed().as_secs_f64();
        self.tell(&format!("{what} in {took:.1} s\n"));
    }

    fn tell(&mut self, text: &str) {
        let begin = if std::mem::take(&mut self.is_open) { "\r\x1b[K" } else { "" };
        // Progress that nobody can see is no reason to stop.
        let _unseen = write!(std::io::stderr().lock(), "{begin}{text}");
    }
}

impl Progress for Told {
    fn step(&mut self, what: &str) {
        self.tell(&format!("{what}\n"));
    }

    fn line(&mut self, line: &str) {
        if self.everything {
            self.tell(&format!("  {line}\n"));
        } else if self.is_terminal && !line.trim().is_empty() {
            let plain: String = line.chars().filter(|letter| !letter.is_control()).collect();
            self.tell(&format!("  {}", plain.chars().take(SHOWN_LETTERS).collect::<String>()));
            self.is_open = true;
        }
    }
}

impl Drop for Told {
    fn drop(&mut self) {
        self.tell("");
    }
}
