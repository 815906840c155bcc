//! Messages in their frames: a byte that says whether it is compressed, four for the length, and it.

use bytes::{Buf, Bytes, BytesMut};
use http_body_util::BodyExt;
use hyper::body::Incoming;

use crate::gate::{Gate, Pass};
use crate::problem::Problem;

const FRAME_BYTES: usize = 5;

/// A message in its frame; `write` writes the message.
pub(super) fn framed(write: impl FnOnce(&mut Vec<u8>)) -> Bytes {
    let mut out = vec![0; FRAME_BYTES];
    out.reserve(256);
    write(&mut out);
    let length = u32::try_from(out.len() - FRAME_BYTES);
    let length = length.expect("invariant: no answer is as large as 4 GiB");
    out[1..FRAME_BYTES].copy_from_slice(&length.to_be_bytes());
    Bytes::from(out)
}

/// The one message of a body.
pub(super) fn unframed(body: &Bytes) -> Result<Bytes, Problem> {
    let length = length_of(body)?.ok_or(Problem::BodyBroken)?;
    if body.len() - FRAME_BYTES != length {
        return Err(Problem::BodyBroken);
    }
    Ok(body.slice(FRAME_BYTES..))
}

/// The length that a frame begins with, where so much of it is there.
fn length_of(bytes: &[u8]) -> Result<Option<usize>, Problem> {
    let Some((frame, _)) = bytes.split_first_chunk::<FRAME_BYTES>() else { return Ok(None) };
    let [is_compressed, length @ ..] = *frame;
    if is_compressed != 0 {
        return Err(Problem::Compressed);
    }
    Ok(Some(u32::from_be_bytes(length) as usize))
}

/// The messages of a stream, one after the other.
pub(super) struct Messages {
    body: Incoming,
    buffer: BytesMut,
    share: Pass,
    memory: Gate,
    message_bytes_max: usize,
}

impl Messages {
    /// Those of a body, each at most so long.
    pub(super) fn new(
        body: Incoming,
        memory: &Gate,
        message_bytes_max: usize,
    ) -> Result<Self, Problem> {
        let share = memory.enter(0).ok_or(Problem::TooManyBytes)?;
        let memory = memory.clone();
        Ok(Self { body, buffer: BytesMut::new(), share, memory, message_bytes_max })
    }

    /// The next one with its share of the memory for bodies, or `None` at the end. May be dropped
    /// and called anew.
    pub(super) async fn next(&mut self) -> Result<Option<(Bytes, Pass)>, Problem> {
        loop {
            if let Some(message) = self.take()? {
                return Ok(Some(message));
            }
            let Some(frame) = self.body.frame().await else {
                return if self.buffer.is_empty() { Ok(None) } else { Err(Problem::BodyBroken) };
            };
            let frame = frame.map_err(|_| Problem::BodyBroken)?;
            if let Ok(piece) = frame.into_data() {
                if !self.memory.extend(&mut self.share, piece.len()) {
                    return Err(Problem::TooManyBytes);
                }
                self.buffer.extend_from_slice(&piece);
            }
        }
    }

    fn take(&mut self) -> Result<Option<(Bytes, Pass)>, Problem> {
        let Some(length) = length_of(&self.buffer)? else { return Ok(None) };
        if length > self.message_bytes_max {
            return Err(Problem::BodyTooLarge { limit: self.message_bytes_max });
        }
        if self.buffer.len() < FRAME_BYTES + length {
            return Ok(None);
        }
        self.buffer.advance(FRAME_BYTES);
        let message = self.buffer.split_to(length).freeze();
        Ok(Some((message, self.share.split(FRAME_BYTES + length))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_comes_out_of_its_frame_as_it_went_in() {
        let body = framed(|out| out.extend_from_slice(b"abc"));
        assert_eq!(body[..], [0, 0, 0, 0, 3, b'a', b'b', b'c']);
        assert_eq!(unframed(&body).unwrap(), "abc");
    }

    #[test]
    fn a_frame_is_whole_alone_and_not_compressed() {
        let body = framed(|out| out.extend_from_slice(b"abc"));
        for bad in [&body[..4], &body[..7], &[&body[..], b"x"].concat()] {
            let error = unframed(&Bytes::copy_from_slice(bad)).unwrap_err();
            assert!(matches!(error, Problem::BodyBroken), "{bad:?}");
        }
        let compressed = Bytes::from_static(&[1, 0, 0, 0, 0]);
        assert!(matches!(unframed(&compressed), Err(Problem::Compressed)));
    }
}
