//! One connection: a request out, its response in.

use std::net::SocketAddr;

use anyhow::{Context, Result, bail};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// A connection that is kept from call to call.
pub(super) struct Connection {
    stream: TcpStream,
    response: Vec<u8>,
}

impl Connection {
    pub(super) async fn open(address: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, response: Vec::with_capacity(4096) })
    }

    /// Sends a request and waits for its response, which must be a success.
    pub(super) async fn call(&mut self, request: &[u8]) -> Result<()> {
        self.stream.write_all(request).await?;
        self.response.clear();
        while !is_complete(&self.response)? {
            if self.stream.read_buf(&mut self.response).await? == 0 {
                bail!("the server hung up");
            }
        }
        if !self.response.starts_with(b"HTTP/1.1 200") {
            bail!("found {:?}, expected status 200", String::from_utf8_lossy(&self.response));
        }
        Ok(())
    }
}

/// Whether this is a whole response, whose head has to say how long it is.
fn is_complete(response: &[u8]) -> Result<bool> {
    let end = b"\r\n\r\n";
    let Some(head_length) = response.windows(end.len()).position(|found| found == end) else {
        return Ok(false);
    };
    let head = str::from_utf8(&response[..head_length])?;
    let length = |line: &str| line.strip_prefix("content-length: ")?.parse::<usize>().ok();
    let length = head.split("\r\n").find_map(length).context("a response has no length")?;
    Ok(response.len() >= head_length + end.len() + length)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_response_is_complete_with_its_last_byte() {
        let response = b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nabc";
        for length in 0..response.len() {
            assert!(!is_complete(&response[..length]).unwrap(), "{length}");
        }
        assert!(is_complete(response).unwrap());
        assert!(is_complete(b"HTTP/1.1 200 OK\r\n\r\n").is_err());
    }
}
