//! How commands talk to a host that runs: a few lines of HTTP/1.1, encrypted where the host is.
//!
//! A host on this machine is found by its data directory, and known by the very certificate that
//! lies in the file it uses. One elsewhere is known by a root that `--ca` names.

mod trust;

use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use clap::Args;
use serde_json::Value;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{ClientConfig, ClientConnection, StreamOwned};

use crate::address::Reachable;

/// The variable that holds a token.
const TOKEN: &str = "UNDERSTUDY_TOKEN";
/// How long a host may take to take a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// How long the host may be silent: it compiles a component before it says whether it takes it.
const SILENCE: Duration = Duration::from_secs(180);
/// The largest head of a response.
const HEAD_BYTES_MAX: u64 = 64 << 10;

/// Which host, and who asks it.
#[derive(Debug, Clone, Args)]
pub(crate) struct ClientArguments {
    /// The data directory of a host on this machine, which says where it listens.
    #[arg(long, value_name = "DIR", default_value = "data")]
    pub(crate) data: PathBuf,
    /// A file with the token to show [default: the variable UNDERSTUDY_TOKEN].
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// The root of the host's certificate, or that certificate itself, in PEM.
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
    /// The certificate to show, in PEM, where the host wants one.
    #[arg(long, value_name = "FILE", requires = "key")]
    certificate: Option<PathBuf>,
    /// The key of the certificate to show, in PEM.
    #[arg(long, value_name = "FILE", requires = "certificate")]
    key: Option<PathBuf>,
}

/// A host that can be asked. Every question is a connection of its own.
#[derive(Clone)]
pub(crate) struct Client {
    /// As `host:port`.
    address: String,
    tls: Option<Arc<ClientConfig>>,
    token: Option<String>,
}

/// What the host says.
#[derive(Debug)]
pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) body: Vec<u8>,
}

impl ClientArguments {
    /// The admin listener, at the address given or at the one that the data directory says.
    pub(crate) fn admin(&self, address: Option<&str>) -> Result<Client> {
        self.client(address, |host| (host.addresses.admin.to_string(), host.admin_certificate))
    }

    /// The listener for requests.
    pub(crate) fn rest(&self, address: Option<&str>) -> Result<Client> {
        self.client(address, |host| (host.addresses.rest.to_string(), host.certificate))
    }

    fn client(
        &self,
        address: Option<&str>,
        of: impl FnOnce(Reachable) -> (String, Option<PathBuf>),
    ) -> Result<Client> {
        let (address, certificate) = match address {
            Some(address) => (address.to_owned(), None),
            None => of(Reachable::read(&self.data)?),
        };
        let (address, encrypted) = match address.split_once("://") {
            Some(("https", address)) => (address.to_owned(), true),
            Some(("http", address)) => (address.to_owned(), false),
            Some((scheme, _)) => bail!("found the scheme {scheme}, expected https or http"),
            None => (address, self.ca.is_some() || certificate.is_some()),
        };
        let address = address.trim_end_matches('/').to_owned();
        let tls = if encrypted { Some(self.tls(certificate.as_deref())?) } else { None };
        Ok(Client { address, tls, token: self.token()? })
    }

    fn tls(&self, certificate: Option<&Path>) -> Result<Arc<ClientConfig>> {
        let trusted = self.ca.as_deref().or(certificate);
        let trusted = trusted.context("give --ca FILE, to know the host by its certificate")?;
        let shown = match (&self.certificate, &self.key) {
            (Some(certificate), Some(key)) => Some((read(certificate)?, read(key)?)),
            _ => None,
        };
        let config = trust::config(&read(trusted)?, shown);
        Ok(Arc::new(config.with_context(|| format!("{} cannot be used", trusted.display()))?))
    }

    fn token(&self) -> Result<Option<String>> {
        let (token, place) = match &self.token_file {
            Some(file) => (Some(String::from_utf8(read(file)?)?), file.display().to_string()),
            None => (std::env::var(TOKEN).ok(), TOKEN.to_owned()),
        };
        let Some(token) = token.map(|token| token.trim().to_owned()) else { return Ok(None) };
        let fits = !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_graphic());
        ensure!(fits, "{place} holds no token, expected one line of printable characters");
        Ok(Some(token))
    }
}

impl Client {
    /// Where the host is, as `host:port`.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// Gets a page, and returns its body.
    pub(crate) fn get(&self, path: &str) -> Result<Vec<u8>> {
        self.ask("GET", path, "", &[])
    }

    /// Posts a body, and returns that of the response.
    pub(crate) fn post(&self, path: &str, content_type: &str, body: &[u8]) -> Result<Vec<u8>> {
        self.ask("POST", path, content_type, body)
    }

    /// Sends a call, and returns the body of the response where it is a success.
    pub(crate) fn ask(
        &self,
        method: &str,
        path: &str,
        content_type: &str,
        body: &[u8],
    ) -> Result<Vec<u8>> {
        let response = self.send(method, path, content_type, body)?;
        match response.status {
            200..=299 => Ok(response.body),
            401 if self.token.is_none() => {
                bail!("the host wants a token: give --token-file FILE, or set {TOKEN}")
            }
            status => bail!("the host refused ({status}): {}", response.error()),
        }
    }

    /// Sends a call, and returns whatever the host says to it.
    pub(crate) fn send(
        &self,
        method: &str,
        path: &str,
        content_type: &str,
        body: &[u8],
    ) -> Result<Response> {
        let Self { address, token, .. } = self;
        let mut head = format!("{method} {path} HTTP/1.1\r\nhost: {address}\r\n");
        if !content_type.is_empty() {
            head += &format!("content-type: {content_type}\r\n");
        }
        if let Some(token) = token {
            head += &format!("authorization: Bearer {token}\r\n");
        }
        if method != "GET"
            && let Some(operator) = operator()
        {
            head += &format!("x-understudy-operator: {operator}\r\n");
        }
        head += &format!("content-length: {}\r\nconnection: close\r\n\r\n", body.len());
        let mut wire = self.connect()?;
        let failed = || format!("the host at {address} broke off");
        // A host that refuses a call early may have closed its side by now, and has said why.
        let sent = wire.write_all(head.as_bytes()).and_then(|()| wire.write_all(body));
        let sent = sent.and_then(|()| wire.flush());
        match receive(wire) {
            Ok(response) => Ok(response),
            Err(error) => Err(sent.err().map_or(error, Into::into)).with_context(failed),
        }
    }

    fn connect(&self) -> Result<Box<dyn Wire>> {
        let address = &self.address;
        let nobody = || format!("no host answers at {address}");
        let known = address.to_socket_addrs().with_context(nobody)?;
        let mut last = Err(std::io::Error::from(ErrorKind::NotFound));
        for address in known {
            last = TcpStream::connect_timeout(&address, CONNECT_TIMEOUT);
            if last.is_ok() {
                break;
            }
        }
        let stream = last.with_context(nobody)?;
        stream.set_read_timeout(Some(SILENCE))?;
        let Some(tls) = &self.tls else { return Ok(Box::new(stream)) };
        let host = address.rsplit_once(':').map_or(&**address, |(host, _)| host);
        let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        let name = ServerName::try_from(host)?;
        let connection = ClientConnection::new(Arc::clone(tls), name)?;
        Ok(Box::new(StreamOwned::new(connection, stream)))
    }
}

impl Response {
    /// What the host says is wrong.
    pub(crate) fn error(&self) -> String {
        let document = serde_json::from_slice::<Value>(&self.body).unwrap_or_default();
        match document["error"].as_str() {
            Some(error) => error.to_owned(),
            None => String::from_utf8_lossy(&self.body).trim().to_owned(),
        }
    }
}

trait Wire: Read + Write {}

impl<T: Read + Write> Wire for T {}

fn receive(wire: Box<dyn Wire>) -> Result<Response> {
    let mut wire = BufReader::new(wire);
    let mut head = (&mut wire).take(HEAD_BYTES_MAX);
    let mut line = String::new();
    head.read_line(&mut line)?;
    let status = line.split_whitespace().nth(1).and_then(|status| status.parse().ok());
    let status = status.context("what answers is no host")?;
    let mut length = 0;
    loop {
        line.clear();
        ensure!(head.read_line(&mut line)? > 0, "the head of the response has no end");
        let line = line.trim_end();
        if line.is_empty() {
            break;
        }
        match line.split_once(':') {
            Some((name, value)) if name.eq_ignore_ascii_case("content-length") => {
                length = value.trim().parse()?;
            }
            _ => {}
        }
    }
    let mut body = Vec::new();
    wire.take(length).read_to_end(&mut body)?;
    ensure!(body.len() as u64 == length, "the response ended early");
    Ok(Response { status, body })
}

/// Who the system says that the operator is. The host notes it with a change, as a claim.
fn operator() -> Option<String> {
    let name = ["USER", "LOGNAME"].iter().find_map(|name| std::env::var(name).ok())?;
    let printable = |byte: u8| (b' '..=b'~').contains(&byte);
    let usable = (1..=100).contains(&name.len()) && name.bytes().all(printable);
    usable.then_some(name)
}

fn read(file: &Path) -> Result<Vec<u8>> {
    std::fs::read(file).with_context(|| format!("cannot read {}", file.display()))
}
