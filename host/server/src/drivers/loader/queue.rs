//! What waits to be loaded, in lines: whoever callers wait for goes before what nobody waits for.

use std::collections::VecDeque;

use parking_lot::{Condvar, Mutex};

/// What a load is for. The order is that in which they are served.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Line {
    /// For requests that wait, and the compiled code is at hand.
    Recall,
    /// For a model that is to run from then on.
    Load,
    /// For requests that wait, and it has to be compiled.
    Compile,
    /// For nobody yet: to find out whether a file is good.
    Check,
}

const LINES: usize = 4;

/// The lines, shared by the threads that load.
pub(super) struct Queue<T> {
    lines: Mutex<Lines<T>>,
    arrived: Condvar,
}

struct Lines<T> {
    waiting: [VecDeque<T>; LINES],
    stopped: bool,
}

impl<T> Queue<T> {
    /// Nothing waits yet.
    pub(super) fn new() -> Self {
        let lines = Lines { waiting: Default::default(), stopped: false };
        Self { lines: Mutex::new(lines), arrived: Condvar::new() }
    }

    /// Puts something at the end of a line, unless all is over.
    pub(super) fn push(&self, line: Line, item: T) {
        let mut lines = self.lines.lock();
        if !lines.stopped {
            lines.waiting[line as usize].push_back(item);
            drop(lines);
            // Not every thread serves every line.
            self.arrived.notify_all();
        }
    }

    /// Takes the first of the first line, of all up to `last`; waits for something. Nothing when all
    /// is over.
    pub(super) fn take(&self, last: Line) -> Option<T> {
        let mut lines = self.lines.lock();
        loop {
            if lines.stopped {
                return None;
            }
            let served = &mut lines.waiting[..=last as usize];
            if let Some(item) = served.iter_mut().find_map(VecDeque::pop_front) {
                return Some(item);
            }
            self.arrived.wait(&mut lines);
        }
    }

    /// Drops what waits, and sends the threads home.
    pub(super) fn stop(&self) {
        let mut lines = self.lines.lock();
        lines.stopped = true;
        let dropped = std::mem::take(&mut lines.waiting);
        drop(lines);
        drop(dropped);
        self.arrived.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_is_waited_for_is_served_first() {
        let queue = Queue::new();
        for (line, item) in [
            (Line::Check, "check"),
            (Line::Compile, "compile"),
            (Line::Recall, "recall"),
            (Line::Load, "load"),
            (Line::Recall, "another"),
        ] {
            queue.push(line, item);
        }
        assert_eq!(queue.take(Line::Recall), Some("recall"));
        let all: Vec<_> = (0..4).filter_map(|_| queue.take(Line::Check)).collect();
        assert_eq!(all, ["another", "load", "compile", "check"]);
    }

    #[test]
    fn nothing_is_taken_when_all_is_over() {
        let queue = Queue::new();
        queue.push(Line::Load, 1);
        queue.stop();
        queue.push(Line::Load, 2);
        assert_eq!(queue.take(Line::Check), None);
    }
}
