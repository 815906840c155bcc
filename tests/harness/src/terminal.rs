//! A command on a terminal of its own, whose keys are pressed and whose screen is read.
//!
//! The system makes the terminal, by way of Python's standard library: to do that from here would need unsafe code.

use std::io::{Read, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use rustix::process::{Pid, Signal, kill_process};

use crate::{binary, wait};

/// A command that runs on a terminal. When dropped it is killed.
#[derive(Debug)]
pub struct Terminal {
    child: Child,
    keys: Option<ChildStdin>,
    screen: Arc<Mutex<Screen>>,
    reader: Option<JoinHandle<()>>,
}

/// What a terminal shows.
#[derive(Debug)]
struct Screen {
    lines: Vec<Vec<char>>,
    at: (usize, usize),
    /// Whether it shows the page that programs have for themselves.
    is_alternate: bool,
    /// What came last and is not whole yet.
    rest: String,
}

impl Terminal {
    /// Starts the binary on a terminal of this size.
    ///
    /// # Panics
    ///
    /// Where there is no Python, or the binary does not start.
    pub fn start<'a>(
        arguments: impl IntoIterator<Item = &'a str>,
        columns: usize,
        lines: usize,
    ) -> Self {
        let mut child = Command::new("python3")
            .args(["-c", include_str!("terminal.py")])
            .args([columns.to_string(), lines.to_string()])
            .arg(binary())
            .args(arguments)
            .env("TERM", "xterm-256color")
            .env_remove("NO_COLOR")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("python3, which makes the terminal");
        let keys = child.stdin.take();
        let painted = child.stdout.take().expect("invariant: it is piped");
        let screen = Arc::new(Mutex::new(Screen::new(columns, lines)));
        let reader = thread::spawn({
            let screen = Arc::clone(&screen);
            move || read(painted, &screen)
        });
        Self { child, keys, screen, reader: Some(reader) }
    }

    /// Presses keys: letters stand for themselves, `\r` is enter, `\x1b` is escape.
    ///
    /// # Panics
    ///
    /// Where the command has ended.
    pub fn press(&mut self, keys: &str) {
        let pipe = self.keys.as_mut().expect("invariant: it is piped");
        pipe.write_all(keys.as_bytes()).and_then(|()| pipe.flush()).expect("a command that runs");
    }

    /// What is on the screen, a line each.
    pub fn text(&self) -> String {
        self.screen().text()
    }

    /// Waits until these words are on the screen, and returns the line that they are on.
    ///
    /// # Panics
    ///
    /// When they do not come for a long time.
    pub fn wait_for(&self, words: &str) -> String {
        let line = || {
            let text = self.text();
            text.lines().find(|line| line.contains(words)).map(str::to_owned)
        };
        wait::until(&format!("`{words}` is on the screen"), || self.text(), line)
    }

    /// Waits until these words are no longer on the screen.
    ///
    /// # Panics
    ///
    /// When they stay for a long time.
    pub fn wait_until_gone(&self, words: &str) {
        wait::until(
            &format!("`{words}` is not on the screen"),
            || self.text(),
            || (!self.text().contains(words)).then_some(()),
        );
    }

    /// Whether the command uses the page that terminals have for programs, and has not given it back.
    pub fn is_taken(&self) -> bool {
        self.screen().is_alternate
    }

    /// Tells the command to end, as the system would.
    ///
    /// # Panics
    ///
    /// Where it has ended.
    pub fn terminate(&self) {
        kill_process(Pid::from_child(&self.child), Signal::TERM).expect("a command that runs");
    }

    /// Takes the terminal away, as a lost connection would, and waits until the command has ended.
    ///
    /// # Panics
    ///
    /// When it goes on for a long time.
    pub fn hang_up(mut self) {
        let holder = self.child.id();
        let children = std::fs::read_to_string(format!("/proc/{holder}/task/{holder}/children"));
        let command = children.expect("the holder of the terminal runs").trim().to_owned();
        self.child.kill().expect("a child that can be killed");
        let runs = || {
            let state =
                std::fs::read_to_string(format!("/proc/{command}/stat")).unwrap_or_default();
            state.rsplit_once(") ").is_some_and(|(_, state)| !state.starts_with('Z'))
        };
        wait::until("the command ends", || self.text(), || (!runs()).then_some(()));
    }

    /// Waits until the command has ended, and returns how.
    ///
    /// # Panics
    ///
    /// When it goes on for a long time.
    pub fn wait(&mut self) -> ExitStatus {
        let child = &mut self.child;
        let screen = &self.screen;
        let status = wait::until(
            "the command ends",
            || screen.lock().unwrap_or_else(PoisonError::into_inner).text(),
            || child.try_wait().expect("a child that can be waited for"),
        );
        if let Some(reader) = self.reader.take() {
            reader.join().expect("invariant: the reader does not panic");
        }
        status
    }

    fn screen(&self) -> std::sync::MutexGuard<'_, Screen> {
        self.screen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // It has ended already where it was waited for; else its terminal goes, and it with that.
        let _ended = self.child.kill();
        let _status = self.child.wait();
        if thread::panicking() {
            eprintln!("the screen was:\n{}", self.text());
        }
    }
}

impl Screen {
    fn new(columns: usize, lines: usize) -> Self {
        let lines = vec![vec![' '; columns]; lines];
        Self { lines, at: (0, 0), is_alternate: false, rest: String::new() }
    }

    fn text(&self) -> String {
        let line = |line: &Vec<char>| line.iter().collect::<String>().trim_end().to_owned();
        self.lines.iter().map(line).collect::<Vec<_>>().join("\n")
    }

    /// Takes what a program paints: text, and the few sequences that move about and clear.
    fn paint(&mut self, painted: &str) {
        let painted = std::mem::take(&mut self.rest) + painted;
        let mut left = painted.as_str();
        while let Some(first) = left.chars().next() {
            left = match first {
                '\x1b' => match sequence(left) {
                    Some((sequence, after)) => {
                        self.obey(sequence);
                        after
                    }
                    None => {
                        self.rest = left.to_owned();
                        return;
                    }
                },
                letter => {
                    self.put(letter);
                    &left[letter.len_utf8()..]
                }
            };
        }
    }

    fn put(&mut self, letter: char) {
        let (line, column) = self.at;
        self.at = match letter {
            '\r' => (line, 0),
            '\n' => (line + 1, column),
            letter => {
                if let Some(cell) = self.lines.get_mut(line).and_then(|it| it.get_mut(column)) {
                    *cell = letter;
                }
                (line, column + 1)
            }
        };
    }

    fn obey(&mut self, sequence: &str) {
        let numbers = sequence.trim_start_matches("\x1b[").trim_end_matches(char::is_alphabetic);
        let mut numbers = numbers.split(';').map(|number| number.parse().unwrap_or(1_usize));
        match sequence {
            "\x1b[?1049h" => self.is_alternate = true,
            "\x1b[?1049l" => self.is_alternate = false,
            "\x1b[2J" => self.lines.iter_mut().for_each(|line| line.fill(' ')),
            _ if sequence.ends_with('H') => {
                let (line, column) = (numbers.next().unwrap_or(1), numbers.next().unwrap_or(1));
                self.at = (line.saturating_sub(1), column.saturating_sub(1));
            }
            // Colours, and what the cursor looks like.
            _ => {}
        }
    }
}

/// The sequence at the beginning and what is behind it, if it is whole.
fn sequence(text: &str) -> Option<(&str, &str)> {
    let is_end = |(_, letter): &(usize, char)| letter.is_ascii_alphabetic();
    let (end, _) = text.char_indices().skip(2).find(is_end)?;
    Some(text.split_at(end + 1))
}

fn read(mut painted: ChildStdout, screen: &Mutex<Screen>) {
    let mut bytes = Vec::new();
    let mut piece = [0; 65_536];
    while let Ok(length @ 1..) = painted.read(&mut piece) {
        bytes.extend_from_slice(&piece[..length]);
        let whole = match std::str::from_utf8(&bytes) {
            Ok(_) => bytes.len(),
            Err(error) => error.valid_up_to(),
        };
        let text: Vec<u8> = bytes.drain(..whole).collect();
        let mut screen = screen.lock().unwrap_or_else(PoisonError::into_inner);
        screen.paint(&String::from_utf8_lossy(&text));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_screen_is_what_was_painted_last() {
        let mut screen = Screen::new(8, 2);
        screen.paint("\x1b[?1049h\x1b[2J\x1b[1;3Hab\x1b[38;5;67mc\x1b[2;1H");
        screen.paint("x\x1b[1");
        screen.paint(";4HB");
        assert_eq!(screen.text(), "  aBc\nx");
        assert!(screen.is_alternate);
        screen.paint("\x1b[?1049l");
        assert!(!screen.is_alternate);
    }
}
