//! A caller: a connection of HTTP/1.1 that is kept as long as the host keeps it.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use serde_json::{Value, json};

use crate::wait::PATIENCE;

/// A caller with one connection, which is opened with the first call.
#[derive(Debug)]
pub struct Client {
    address: SocketAddr,
    connection: Option<BufReader<TcpStream>>,
    patience: Duration,
}

/// What the host replied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    /// The status.
    pub status: u16,
    /// The headers, with their names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

/// The body of a call with one input `x` (FP64 `[1]`), as the guests take it.
pub fn infer_body(id: &str, x: f64) -> String {
    json!({ "id": id, "inputs": [{ "name": "x", "datatype": "FP64", "shape": [1], "data": [x] }] })
        .to_string()
}

impl Client {
    /// A caller who has not called yet.
    pub const fn new(address: SocketAddr) -> Self {
        Self { address, connection: None, patience: PATIENCE }
    }

    /// The same with so long to wait for each response.
    #[must_use]
    pub const fn with_patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// Gets a page.
    ///
    /// # Errors
    ///
    /// When the host is not there or hangs up.
    pub fn get(&mut self, path: &str) -> io::Result<Response> {
        self.send("GET", path, &[], &[])
    }

    /// Posts a document of JSON.
    ///
    /// # Errors
    ///
    /// When the host is not there or hangs up.
    pub fn post(&mut self, path: &str, document: impl AsRef<[u8]>) -> io::Result<Response> {
        self.send("POST", path, &[("content-type", "application/json")], document.as_ref())
    }

    /// Asks an endpoint with `x` alone.
    ///
    /// # Errors
    ///
    /// When the host is not there or hangs up.
    pub fn infer(&mut self, endpoint: &str, x: f64) -> io::Result<Response> {
        self.post(&format!("/v2/models/{endpoint}/infer"), infer_body("1", x))
    }

    /// Asks one model of an endpoint with `x` alone.
    ///
    /// # Errors
    ///
    /// When the host is not there or hangs up.
    pub fn infer_model(&mut self, endpoint: &str, model: &str, x: f64) -> io::Result<Response> {
        self.post(&format!("/v2/models/{endpoint}/versions/{model}/infer"), infer_body("1", x))
    }

    /// Sends a call with these headers, and reads the response. A connection that was kept and turns out to be closed
    /// is opened anew, as every client of HTTP does.
    ///
    /// # Errors
    ///
    /// When the host is not there or hangs up.
    pub fn send(
        &mut self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> io::Result<Response> {
        let mut message = format!("{method} {path} HTTP/1.1\r\nhost: {}\r\n", self.address);
        for (name, value) in headers {
            message.push_str(&format!("{name}: {value}\r\n"));
        }
        if method != "GET" {
            message.push_str(&format!("content-length: {}\r\n", body.len()));
        }
        message.push_str("\r\n");
        let mut message = message.into_bytes();
        message.extend_from_slice(body);
        if let Some(kept) = self.connection.take()
            && !is_closed(&kept)
        {
            return self.exchange(kept, &message);
        }
        let fresh = connect(self.address, self.patience)?;
        self.exchange(fresh, &message)
    }

    fn exchange(
        &mut self,
        mut connection: BufReader<TcpStream>,
        message: &[u8],
    ) -> io::Result<Response> {
        connection.get_mut().write_all(message)?;
        let response = receive(&mut connection)?;
        if response.header("connection") != Some("close") {
            self.connection = Some(connection);
        }
        Ok(response)
    }
}

impl Response {
    /// The first header of this name, which is in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(found, _)| found == name);
        found.map(|(_, value)| value.as_str())
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON.
    ///
    /// # Panics
    ///
    /// Where it is none.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error} in {}", self.text()))
    }

    /// The model that answered: what stands before the `@` of `model_version`.
    pub fn model(&self) -> Option<String> {
        let version = self.json()["model_version"].as_str()?.to_owned();
        Some(version.split('@').next().unwrap_or_default().to_owned())
    }

    /// The revision that answered, in short: what stands behind the `@` of `model_version`.
    pub fn revision(&self) -> Option<String> {
        let version = self.json()["model_version"].as_str()?.to_owned();
        version.split_once('@').map(|(_, revision)| revision.to_owned())
    }

    /// The first element of the output `y`.
    pub fn y(&self) -> Option<f64> {
        let outputs = self.json()["outputs"].as_array()?.clone();
        let y = outputs.iter().find(|output| output["name"] == "y")?;
        y["data"][0].as_f64()
    }

    /// What the host says was wrong.
    pub fn error(&self) -> Option<String> {
        self.json()["error"].as_str().map(str::to_owned)
    }
}

fn connect(address: SocketAddr, patience: Duration) -> io::Result<BufReader<TcpStream>> {
    let stream = TcpStream::connect_timeout(&address, patience)?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(patience))?;
    Ok(BufReader::new(stream))
}

/// Whether the other side has hung up, as far as this one has heard.
fn is_closed(kept: &BufReader<TcpStream>) -> bool {
    let stream = kept.get_ref();
    let look = || {
        stream.set_nonblocking(true)?;
        let seen = stream.peek(&mut [0]);
        stream.set_nonblocking(false)?;
        seen
    };
    !matches!(look(), Err(error) if error.kind() == io::ErrorKind::WouldBlock)
}

fn receive(connection: &mut BufReader<TcpStream>) -> io::Result<Response> {
    let first = line(connection)?;
    let status = first.split(' ').nth(1).and_then(|status| status.parse().ok());
    let status = status.ok_or_else(|| broken(format!("found `{first}`, expected a status")))?;
    let mut headers = Vec::new();
    loop {
        let line = line(connection)?;
        if line.is_empty() {
            break;
        }
        let (name, value) = line.split_once(':').unwrap_or((&line, ""));
        headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
    let mut response = Response { status, headers, body: Vec::new() };
    let length = response.header("content-length").and_then(|length| length.parse().ok());
    let length = length.ok_or_else(|| broken("found no content-length".to_owned()))?;
    response.body = vec![0; length];
    connection.read_exact(&mut response.body)?;
    Ok(response)
}

fn line(connection: &mut BufReader<TcpStream>) -> io::Result<String> {
    let mut line = String::new();
    if connection.read_line(&mut line)? == 0 {
        return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the host hung up"));
    }
    Ok(line.trim_end().to_owned())
}

fn broken(what: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}
