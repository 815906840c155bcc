//! What a model printed last: a bounded ring of lines, shared by the sessions of the model.

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::Bytes;
use parking_lot::Mutex;
use wasmtime_wasi::p2::{OutputStream, Pollable, StreamResult};

/// The ring of lines.
#[derive(Debug)]
pub(crate) struct Log {
    limit_bytes: usize,
    ring: Mutex<Ring>,
}

#[derive(Debug, Default)]
struct Ring {
    lines: VecDeque<String>,
    bytes: usize,
}

/// A longer line is cut into several.
const LINE_BYTES: usize = 1024;
/// How much a guest may write in one call.
const WRITE_BYTES: usize = 4096;

impl Log {
    pub(crate) fn new(limit_bytes: usize) -> Self {
        Self { limit_bytes, ring: Mutex::default() }
    }

    pub(crate) fn lines(&self) -> Vec<String> {
        self.ring.lock().lines.iter().cloned().collect()
    }

    fn push(&self, line: &[u8]) {
        let printable = |c: char| if c.is_control() && c != '\t' { '\u{fffd}' } else { c };
        let line: String = String::from_utf8_lossy(line).chars().map(printable).collect();
        let mut ring = self.ring.lock();
        ring.bytes += line.len();
        ring.lines.push_back(line);
        while ring.bytes > self.limit_bytes || ring.lines.len() > self.limit_bytes / 16 {
            let Some(oldest) = ring.lines.pop_front() else { break };
            ring.bytes -= oldest.len();
        }
    }
}

/// Standard output and error of one session, in one. A clone writes to the same line.
#[derive(Debug, Clone)]
pub(super) struct LogStream {
    log: Arc<Log>,
    unfinished: Arc<Mutex<Vec<u8>>>,
}

impl LogStream {
    pub(super) fn new(log: Arc<Log>) -> Self {
        Self { log, unfinished: Arc::default() }
    }

    fn append(&self, bytes: &[u8]) {
        let mut unfinished = self.unfinished.lock();
        for &byte in bytes {
            if byte != b'\n' {
                unfinished.push(byte);
            }
            if byte == b'\n' || unfinished.len() == LINE_BYTES {
                self.log.push(&unfinished);
                unfinished.clear();
            }
        }
    }
}

impl OutputStream for LogStream {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.append(&bytes);
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(WRITE_BYTES)
    }
}

#[wasmtime_wasi::async_trait]
impl Pollable for LogStream {
    async fn ready(&mut self) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_keeps_the_last_lines_and_never_more_than_its_limit() {
        let log = Arc::new(Log::new(64));
        let stream = LogStream::new(log.clone());
        for number in 0..1000 {
            stream.append(format!("line {number}\n").as_bytes());
        }
        let lines = log.lines();
        assert_eq!(lines.last().unwrap(), "line 999");
        assert!(lines.iter().map(String::len).sum::<usize>() <= 64);
    }

    #[test]
    fn empty_lines_are_bounded_too() {
        let log = Arc::new(Log::new(64));
        LogStream::new(log.clone()).append(&[b'\n'; 10_000]);
        assert_eq!(log.lines().len(), 4);
    }

    #[test]
    fn a_long_line_is_cut_and_control_characters_are_not_shown() {
        let log = Arc::new(Log::new(1 << 20));
        let stream = LogStream::new(log.clone());
        stream.append(&vec![b'x'; 2 * LINE_BYTES]);
        stream.append(b"a\x1b[31m\xff\n");
        assert_eq!(log.lines()[2], "a\u{fffd}[31m\u{fffd}");
        assert_eq!(log.lines().len(), 3);
    }
}
