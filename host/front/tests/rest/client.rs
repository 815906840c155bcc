//! A caller that writes what it likes, and reads whole replies.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

/// A request document that every endpoint of the fake host takes.
pub(crate) const DOCUMENT: &str =
    r#"{"id":"a","inputs":[{"name":"x","shape":[1],"datatype":"FP32","data":[1]}]}"#;

/// One connection.
pub(crate) struct Client(BufReader<Box<dyn Wire>>);

/// What a connection runs over.
pub(crate) trait Wire: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Wire for T {}

/// A reply, read to its end.
#[derive(Debug)]
pub(crate) struct Received {
    pub(crate) status: u16,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: String,
}

impl Client {
    pub(crate) async fn connect(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).await.expect("the listener is there");
        Self::over(stream)
    }

    pub(crate) fn over(wire: impl Wire + 'static) -> Self {
        Self(BufReader::new(Box::new(wire)))
    }

    /// Writes as much as the other side takes.
    pub(crate) async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        // A server that refuses a call early may have closed its side by now.
        let _ = self.0.write_all(bytes.as_ref()).await;
    }

    pub(crate) async fn call(&mut self, bytes: impl AsRef<[u8]>) -> Received {
        self.send(bytes).await;
        self.receive().await
    }

    pub(crate) async fn receive(&mut self) -> Received {
        self.try_receive().await.expect("the connection is open")
    }

    /// The next reply, or `None` where the connection ends before it begins.
    pub(crate) async fn try_receive(&mut self) -> Option<Received> {
        let first = self.line().await.filter(|line| !line.is_empty())?;
        let status = first.split(' ').nth(1).and_then(|status| status.parse().ok());
        let mut headers = BTreeMap::new();
        while let Some(line) = self.line().await.filter(|line| !line.is_empty()) {
            let (name, value) = line.split_once(": ").expect("a header has a name and a value");
            headers.insert(name.to_owned(), value.to_owned());
        }
        let length = headers.get("content-length").expect("replies have a length");
        let mut body = vec![0; length.parse().expect("a length is a number")];
        self.0.read_exact(&mut body).await.expect("the body is as long as announced");
        let body = String::from_utf8(body).expect("bodies are text");
        Some(Received { status: status.expect("a status is a number"), headers, body })
    }

    /// Everything until the connection ends.
    pub(crate) async fn rest(&mut self) -> String {
        let mut rest = String::new();
        self.0.read_to_string(&mut rest).await.expect("replies are text");
        rest
    }

    async fn line(&mut self) -> Option<String> {
        let mut line = String::new();
        self.0.read_line(&mut line).await.ok()?;
        Some(line.trim_end().to_owned())
    }
}

impl Received {
    pub(crate) fn json(&self) -> Value {
        assert_eq!(self.headers["content-type"], "application/json", "{self:?}");
        serde_json::from_str(&self.body).expect("the body is JSON")
    }

    pub(crate) fn error(&self) -> String {
        self.json()["error"].as_str().unwrap_or_else(|| panic!("no error: {self:?}")).to_owned()
    }
}

/// A call without a body.
pub(crate) fn get(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nhost: test\r\n\r\n")
}

/// A call with a document.
pub(crate) fn post(path: &str, body: &str) -> String {
    post_with(path, "content-type: application/json\r\n", body)
}

/// A call with a body of any method, and these header lines.
pub(crate) fn send(method: &str, path: &str, headers: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "{method} {path} HTTP/1.1\r\nhost: test\r\n{headers}content-length: {length}\r\n\r\n{body}"
    )
}

/// A call with a body, and these header lines.
pub(crate) fn post_with(path: &str, headers: &str, body: &str) -> String {
    let length = body.len();
    format!("POST {path} HTTP/1.1\r\nhost: test\r\n{headers}content-length: {length}\r\n\r\n{body}")
}
