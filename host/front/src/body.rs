//! Bodies of calls: read within their limits, and decoded.
//!
//! A small body arrives in one piece and is never copied. A large one is decoded on a thread that
//! may block, so that it does not hold up the calls beside it.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use hyper::body::{Body, Incoming};
use message::oip::{self, DecodeError};
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use crate::gate::{Gate, Pass};
use crate::host::InferError;
use crate::limits::FrontLimits;
use crate::problem::Problem;

/// Decoding takes a few microseconds for each KiB; beyond this it is not done between two calls.
const DECODE_INLINE_BYTES_MAX: usize = 128 << 10;
/// How much of a body that is too large is still read, so that the caller comes to read the reply.
const DISCARD_BYTES_MAX: usize = 64 << 20;
/// How long a caller may pause while we discard.
const DISCARD_PAUSE: Duration = Duration::from_millis(250);

/// A body, and its share of the memory for bodies.
#[derive(Debug)]
pub(crate) struct Received {
    pub(crate) bytes: Bytes,
    _share: Pass,
}

/// Reads a body. `discard` says whether the caller sends one that is too large in spite of that.
pub(crate) async fn receive(
    mut body: Incoming,
    limits: &FrontLimits,
    memory: &Gate,
    discard: bool,
) -> Result<Received, Problem> {
    let limit = limits.body_read_time;
    let received = timeout(limit, collect(&mut body, limits.body_bytes_max, memory)).await;
    let received = received.unwrap_or(Err(Problem::BodyTooSlow { limit }));
    if discard && matches!(received, Err(Problem::BodyTooLarge { .. })) {
        discard_rest(&mut body).await;
    }
    received
}

/// Decodes a body.
pub(crate) async fn decode<T: Send + 'static>(
    bytes: Bytes,
    decode: impl FnOnce(&[u8]) -> Result<T, DecodeError> + Send + 'static,
) -> Result<T, Problem> {
    if bytes.len() <= DECODE_INLINE_BYTES_MAX {
        return decode(&bytes).map_err(Problem::Document);
    }
    aside(move || decode(&bytes).map_err(Problem::Document)).await
}

/// Splits a body of records into its requests. Empty lines are passed over.
pub(crate) async fn decode_lines(bytes: Bytes) -> Result<Vec<Bytes>, Problem> {
    if bytes.len() <= DECODE_INLINE_BYTES_MAX {
        return split_lines(&bytes);
    }
    aside(move || split_lines(&bytes)).await
}

async fn aside<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Problem> + Send + 'static,
) -> Result<T, Problem> {
    spawn_blocking(work).await.unwrap_or(Err(Problem::Infer(InferError::Internal)))
}

async fn collect(body: &mut Incoming, limit: usize, memory: &Gate) -> Result<Received, Problem> {
    let too_large = || Problem::BodyTooLarge { limit };
    let declared = body.size_hint().lower();
    if usize::try_from(declared).is_ok_and(|declared| declared > limit) {
        return Err(too_large());
    }
    let mut share = memory.enter(0).ok_or(Problem::TooManyBytes)?;
    let mut whole = Pieces::None;
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| Problem::BodyBroken)?;
        let Ok(piece) = frame.into_data() else { continue };
        if whole.len().saturating_add(piece.len()) > limit {
            return Err(too_large());
        }
        if !memory.extend(&mut share, piece.len()) {
            return Err(Problem::TooManyBytes);
        }
        whole = whole.join(piece);
    }
    Ok(Received { bytes: whole.into_bytes(), _share: share })
}

async fn discard_rest(body: &mut Incoming) {
    let mut discarded = 0;
    while discarded < DISCARD_BYTES_MAX
        && let Ok(Some(Ok(frame))) = timeout(DISCARD_PAUSE, body.frame()).await
    {
        discarded += frame.data_ref().map_or(0, Bytes::len);
    }
}

/// A body as far as it has come. Most come in one piece, which is kept as it is.
enum Pieces {
    None,
    One(Bytes),
    Many(BytesMut),
}

impl Pieces {
    fn len(&self) -> usize {
        match self {
            Self::None => 0,
            Self::One(piece) => piece.len(),
            Self::Many(pieces) => pieces.len(),
        }
    }

    fn join(self, piece: Bytes) -> Self {
        match self {
            Self::None => Self::One(piece),
            Self::One(first) => {
                let mut pieces = BytesMut::with_capacity((first.len() + piece.len()) * 2);
                pieces.extend_from_slice(&first);
                pieces.extend_from_slice(&piece);
                Self::Many(pieces)
            }
            Self::Many(mut pieces) => {
                pieces.extend_from_slice(&piece);
                Self::Many(pieces)
            }
        }
    }

    fn into_bytes(self) -> Bytes {
        match self {
            Self::None => Bytes::new(),
            Self::One(piece) => piece,
            Self::Many(pieces) => pieces.freeze(),
        }
    }
}

fn split_lines(bytes: &Bytes) -> Result<Vec<Bytes>, Problem> {
    let mut records = Vec::new();
    for (index, line) in bytes.split(|&byte| byte == b'\n').enumerate() {
        let line = line.trim_ascii();
        if line.is_empty() {
            continue;
        }
        oip::decode_request(line).map_err(|error| Problem::Line { line: index + 1, error })?;
        records.push(bytes.slice_ref(line));
    }
    if records.is_empty() { Err(Problem::NoRecords) } else { Ok(records) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const REQUEST: &str = r#"{"inputs":[{"name":"x","shape":[1],"datatype":"FP32","data":[1]}]}"#;

    #[test]
    fn pieces_join_in_order_and_one_piece_is_not_copied() {
        let piece = Bytes::from_static(b"ab");
        let one = Pieces::None.join(piece.clone()).into_bytes();
        assert_eq!(one.as_ptr(), piece.as_ptr());
        let many = Pieces::None.join(piece).join(Bytes::from_static(b"c"));
        let many = many.join(Bytes::from_static(b"de"));
        assert_eq!(many.len(), 5);
        assert_eq!(many.into_bytes(), "abcde");
    }

    #[test]
    fn records_are_the_lines_that_are_not_empty() {
        let body = Bytes::from(format!("\n{REQUEST}\r\n\n  {REQUEST}"));
        assert_eq!(split_lines(&body).unwrap(), [REQUEST, REQUEST]);
    }

    #[test]
    fn the_line_with_the_mistake_is_named() {
        let body = Bytes::from(format!("{REQUEST}\n\n{{}}\n"));
        let error = split_lines(&body).unwrap_err().to_string();
        assert!(error.starts_with("line 3: "), "{error}");
        assert!(matches!(split_lines(&Bytes::from_static(b" \n")), Err(Problem::NoRecords)));
    }
}
