//! A few lines of HTTP/1.1, for the commands that ask a running host on behalf of a person.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use anyhow::{Context, Result, bail};

/// How long the host may take.
const TIMEOUT: Duration = Duration::from_secs(30);

/// Gets a page, and returns its body.
pub(crate) fn get(address: SocketAddr, path: &str) -> Result<Vec<u8>> {
    send(address, &format!("GET {path} HTTP/1.1\r\n"), &[])
}

/// Posts a body, and returns that of the response.
pub(crate) fn post(
    address: SocketAddr,
    path: &str,
    content_type: &str,
    body: &[u8],
) -> Result<Vec<u8>> {
    let head = format!(
        "POST {path} HTTP/1.1\r\ncontent-type: {content_type}\r\ncontent-length: {}\r\n",
        body.len()
    );
    send(address, &head, body)
}

fn send(address: SocketAddr, head: &str, body: &[u8]) -> Result<Vec<u8>> {
    let mut stream = TcpStream::connect_timeout(&address, TIMEOUT)
        .with_context(|| format!("no host answers at {address}"))?;
    stream.set_read_timeout(Some(TIMEOUT))?;
    stream.write_all(format!("{head}host: {address}\r\nconnection: close\r\n\r\n").as_bytes())?;
    stream.write_all(body)?;
    let mut response = Vec::new();
    stream.read_to_end(&mut response)?;
    let (head, body) = split(&response).context("the host's response has no end of its head")?;
    let status = head.split_whitespace().nth(1).unwrap_or_default();
    if !status.starts_with('2') {
        bail!("the host refused ({status}): {}", String::from_utf8_lossy(body).trim());
    }
    Ok(body.to_vec())
}

fn split(response: &[u8]) -> Option<(String, &[u8])> {
    let end = response.windows(4).position(|window| window == b"\r\n\r\n")?;
    Some((String::from_utf8_lossy(&response[..end]).into_owned(), &response[end + 4..]))
}
