//! A walk over the sections of a WebAssembly binary, to see whether all of it is there.
//!
//! Only lengths are read. Whether the file means anything is for others to say; what matters here
//! is that a copy which is not finished ends in the middle of a section, or in zeros where the
//! space was reserved beforehand.

use thiserror::Error;

const MAGIC: [u8; 4] = *b"\0asm";
/// The magic, then version and layer.
const PREAMBLE_BYTES: u64 = 8;
/// A length is a LEB128 of at most 32 bits.
const LENGTH_LIMIT_BYTES: u32 = 5;

/// Why a file is not a whole WebAssembly binary.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub(super) enum Flaw {
    /// Because it begins otherwise.
    #[error("a file that begins with {}", begin(.0))]
    Magic([u8; 4]),
    /// Because it ends before its section does.
    #[error("the beginning of a file, which ends {missing_bytes} bytes too early")]
    Truncated {
        /// How many bytes there should be at least.
        missing_bytes: u64,
    },
    /// Because a section cannot be as it is.
    #[error("a broken section at byte {position}")]
    Section {
        /// Where it begins.
        position: u64,
    },
}

/// A walk in progress.
#[derive(Debug, Clone)]
pub(super) struct Walk {
    position: u64,
    magic: [u8; 4],
    at: At,
    flaw: Option<Flaw>,
}

#[derive(Debug, Clone, Copy)]
enum At {
    Preamble,
    Section,
    Length { begin: u64, section: u8, length: u64, count: u32 },
    Body { missing_bytes: u64 },
}

impl Walk {
    pub(super) fn new() -> Self {
        Self { position: 0, magic: [0; 4], at: At::Preamble, flaw: None }
    }

    /// Goes over the next bytes of the file.
    pub(super) fn feed(&mut self, mut bytes: &[u8]) {
        while self.flaw.is_none() && !bytes.is_empty() {
            let count = match self.at {
                At::Body { missing_bytes } => {
                    let count =
                        bytes.len().min(usize::try_from(missing_bytes).unwrap_or(usize::MAX));
                    self.body(missing_bytes - count as u64);
                    count
                }
                _ => {
                    self.step(bytes[0]);
                    1
                }
            };
            self.position += count as u64;
            bytes = &bytes[count..];
        }
    }

    /// Says whether the file was whole, now that no more comes.
    pub(super) fn finish(self) -> Result<(), Flaw> {
        let truncated = |missing_bytes| Err(Flaw::Truncated { missing_bytes });
        match (self.flaw, self.at) {
            (Some(flaw), _) => Err(flaw),
            (None, At::Preamble) => truncated(PREAMBLE_BYTES - self.position),
            (None, At::Section) => Ok(()),
            (None, At::Length { .. }) => truncated(1),
            (None, At::Body { missing_bytes }) => truncated(missing_bytes),
        }
    }

    fn step(&mut self, byte: u8) {
        match self.at {
            At::Preamble => self.preamble(byte),
            At::Section => {
                self.at = At::Length { begin: self.position, section: byte, length: 0, count: 0 };
            }
            At::Length { begin, section, length, count } => {
                let length = length | u64::from(byte & 0x7f) << (7 * count);
                let count = count + 1;
                if byte & 0x80 == 0 {
                    self.length(begin, section, length);
                } else if count == LENGTH_LIMIT_BYTES {
                    self.flaw = Some(Flaw::Section { position: begin });
                } else {
                    self.at = At::Length { begin, section, length, count };
                }
            }
            At::Body { .. } => unreachable!("bodies are skipped as a whole"),
        }
    }

    fn preamble(&mut self, byte: u8) {
        // Garbage is told by its first four bytes, so that people recognise what it is.
        if let Some(magic) =
            usize::try_from(self.position).ok().and_then(|at| self.magic.get_mut(at))
        {
            *magic = byte;
        }
        if self.position + 1 == MAGIC.len() as u64 && self.magic != MAGIC {
            self.flaw = Some(Flaw::Magic(self.magic));
        }
        if self.position + 1 == PREAMBLE_BYTES {
            self.at = At::Section;
        }
    }

    fn length(&mut self, begin: u64, section: u8, length: u64) {
        // A custom section holds its name at least; an empty one is zeros that nobody wrote.
        if length > u64::from(u32::MAX) || (section == 0 && length == 0) {
            self.flaw = Some(Flaw::Section { position: begin });
        } else {
            self.body(length);
        }
    }

    fn body(&mut self, missing_bytes: u64) {
        self.at = if missing_bytes == 0 { At::Section } else { At::Body { missing_bytes } };
    }
}

fn begin(magic: &[u8; 4]) -> String {
    format!("\"{}\"", magic.escape_ascii())
}

#[cfg(test)]
mod tests {
    use super::*;

    const PREAMBLE: &[u8] = b"\0asm\x0d\0\x01\0";

    fn walk(pieces: &[&[u8]]) -> Result<(), Flaw> {
        let mut walk = Walk::new();
        pieces.iter().for_each(|piece| walk.feed(piece));
        walk.finish()
    }

    /// A preamble, a section of 200 bytes and an empty one.
    fn whole() -> Vec<u8> {
        [PREAMBLE, &[7, 0xc8, 0x01], &[9; 200], &[8, 0]].concat()
    }

    #[test]
    fn a_whole_file_is_whole_in_any_pieces() {
        let whole = whole();
        for at in 0..=whole.len() {
            assert_eq!(walk(&[&whole[..at], &whole[at..]]), Ok(()), "{at}");
        }
        let bytes: Vec<&[u8]> = whole.chunks(1).collect();
        assert_eq!(walk(&bytes), Ok(()));
    }

    #[test]
    fn a_beginning_is_whole_only_at_the_end_of_a_section() {
        let whole = whole();
        let ends = [8, 211];
        for at in 0..whole.len() {
            let truncated = matches!(walk(&[&whole[..at]]), Err(Flaw::Truncated { .. }));
            assert_eq!(truncated, !ends.contains(&at), "{at}");
        }
        assert_eq!(walk(&[&whole[..100]]), Err(Flaw::Truncated { missing_bytes: 111 }));
    }

    #[test]
    fn zeros_in_space_that_was_reserved_are_no_sections() {
        let zeros = [PREAMBLE, &[7, 1, 9], &[0; 100]].concat();
        assert_eq!(walk(&[&zeros]), Err(Flaw::Section { position: 11 }));
    }

    #[test]
    fn what_is_something_else_is_told_by_how_it_begins() {
        let zip = walk(&[b"PK\x03\x04and so on"]).unwrap_err();
        assert_eq!(zip.to_string(), "a file that begins with \"PK\\x03\\x04\"");
    }

    #[test]
    fn a_length_of_more_than_32_bits_is_refused() {
        let long = [PREAMBLE, &[1, 0xff, 0xff, 0xff, 0xff, 0x7f]].concat();
        assert_eq!(walk(&[&long]), Err(Flaw::Section { position: 8 }));
        let endless = [PREAMBLE, &[1, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80]].concat();
        assert_eq!(walk(&[&endless]), Err(Flaw::Section { position: 8 }));
    }
}
