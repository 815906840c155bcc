//! A socket that counts what passes, and gives words to hyper's bare errors.
//!
//! Where a head is not HTTP or too large, hyper replies by itself, without a body, and no service is
//! asked. Such a reply is recognised on its way out and replaced by one with a body that says what
//! was wrong. Behind a pipelined answer it goes out as it is.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes};
use hyper::StatusCode;
use serde_json::json;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::connection::pulse::Pulse;
use crate::connection::socket::Socket;

/// How much is still read from a caller whose head was refused, so that the reply reaches it.
const LINGER_BYTES_MAX: usize = 1 << 20;

/// The socket of a connection.
#[derive(Debug)]
pub(super) struct Wire {
    stream: Socket,
    pulse: Arc<Pulse>,
    /// What is still to be written of a refusal.
    refusal: Bytes,
    has_refused: bool,
    lingered_bytes: usize,
}

impl Wire {
    /// The socket `stream`, which shows its signs of life to `pulse`.
    pub(super) fn new(stream: Socket, pulse: Arc<Pulse>) -> Self {
        Self { stream, pulse, refusal: Bytes::new(), has_refused: false, lingered_bytes: 0 }
    }

    /// Takes a write of hyper's own, if it is one, and has the refusal written in its place.
    fn refuse_instead(&mut self, bytes: &[u8]) -> bool {
        let Some(refusal) = refusal_for(bytes) else { return false };
        self.refusal = refusal;
        self.has_refused = true;
        true
    }

    fn poll_refusal(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.refusal.is_empty() {
            let Self { stream, refusal, .. } = self;
            let written = ready!(Pin::new(stream).poll_write(cx, refusal))?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.pulse.wrote(written);
            self.refusal.advance(written);
        }
        Poll::Ready(Ok(()))
    }

    /// Reads on until the caller has closed its side: the system would drop the refusal if bytes
    /// were left unread.
    fn poll_linger(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let mut scratch = [0; 4096];
        while self.lingered_bytes < LINGER_BYTES_MAX {
            let mut buffer = ReadBuf::new(&mut scratch);
            let read = ready!(Pin::new(&mut self.stream).poll_read(cx, &mut buffer));
            if read.is_err() || buffer.filled().is_empty() {
                break;
            }
            self.lingered_bytes += buffer.filled().len();
        }
        Poll::Ready(())
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        if self.pulse.was_too_slow() && !self.has_refused {
            // The caller gets it if its socket takes it at once; the connection ends either way.
            self.stream.try_write(&refusal(StatusCode::REQUEST_TIMEOUT));
        }
    }
}

impl AsyncRead for Wire {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(cx, buffer))?;
        self.pulse.read(&buffer.filled()[before..]);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Wire {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        if self.refuse_instead(bytes) {
            return Poll::Ready(Ok(bytes.len()));
        }
        let written = ready!(Pin::new(&mut self.stream).poll_write(cx, bytes))?;
        self.pulse.wrote(written);
        Poll::Ready(Ok(written))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if let [bytes] = slices
            && self.refuse_instead(bytes)
        {
            return Poll::Ready(Ok(bytes.len()));
        }
        let written = ready!(Pin::new(&mut self.stream).poll_write_vectored(cx, slices))?;
        self.pulse.wrote(written);
        Poll::Ready(Ok(written))
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_refusal(cx))?;
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_refusal(cx))?;
        ready!(Pin::new(&mut self.stream).poll_shutdown(cx))?;
        if self.has_refused {
            ready!(self.poll_linger(cx));
        }
        Poll::Ready(Ok(()))
    }
}

/// What to say in place of a reply of hyper's own: no reply of ours is an error without a body.
fn refusal_for(bytes: &[u8]) -> Option<Bytes> {
    let status =
        bytes.strip_prefix(b"HTTP/1.1 ").filter(|rest| rest.starts_with(b"4"))?.get(..3)?;
    let head = str::from_utf8(bytes).ok()?;
    if !head.contains("\r\ncontent-length: 0\r\n") || head.contains("\r\ncontent-type:") {
        return None;
    }
    StatusCode::from_bytes(status).ok().map(refusal)
}

fn refusal(status: StatusCode) -> Bytes {
    let message = match status {
        StatusCode::REQUEST_TIMEOUT => "the head of the call did not arrive in time",
        StatusCode::URI_TOO_LONG => "the path of the call is too long",
        StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE => {
            "the headers of the call are too large or too many"
        }
        _ => "the head of the call is not HTTP/1.1 or HTTP/2",
    };
    let body = json!({ "error": message }).to_string();
    let length = body.len();
    Bytes::from(format!(
        "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\
         connection: close\r\n\r\n{body}"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(written: &str, expected: Option<&str>) {
        let refusal = refusal_for(written.as_bytes());
        let status = refusal.as_deref().map(|text| str::from_utf8(&text[9..12]).unwrap());
        assert_eq!(status, expected, "{written}");
    }

    #[test]
    fn only_bare_errors_are_replaced() {
        check(
            "HTTP/1.1 431 Too Large\r\nconnection: close\r\ncontent-length: 0\r\n\r\n",
            Some("431"),
        );
        check("HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\ndate: x\r\n\r\n", Some("400"));
        check("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n", None);
        check("HTTP/1.1 404 Not Found\r\ncontent-length: 20\r\n\r\n", None);
        check("HTTP/1.1 4", None);
        check("{\"outputs\":[]}", None);
    }

    #[test]
    fn a_refusal_is_a_whole_response() {
        let text = refusal(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE);
        let (head, body) = str::from_utf8(&text).unwrap().split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("HTTP/1.1 431 Request Header Fields Too Large\r\n"));
        assert!(head.contains(&format!("content-length: {}\r\n", body.len())));
    }
}
