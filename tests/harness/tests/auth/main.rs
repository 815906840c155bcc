//! Who may do what with the real host, told apart by tokens and certificates from files.

#![expect(clippy::unwrap_used, reason = "what prepares a test may fail it")]

mod documentation;
mod encryption;
mod tenants;
mod tokens;

use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;

use harness::{Client, Host, Models, Options, Response, infer_body, understudy, wait};
use serde_json::Value;
use tempfile::TempDir;

/// Looks at its files often.
const WATCH: &str = "watch = { period = '50ms', settle = '50ms', grace = '50ms' }\n";

/// A place for tokens and certificates.
struct Keys(TempDir);

impl Keys {
    /// With a file of tokens that holds none.
    fn new() -> Self {
        let keys = Self(tempfile::tempdir().unwrap());
        keys.write("");
        keys
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// The file of tokens, as an argument.
    fn file(&self) -> String {
        self.path("tokens.toml").display().to_string()
    }

    /// Replaces the file of tokens.
    fn write(&self, text: &str) {
        fs::write(self.file(), text).unwrap();
    }

    /// Makes a token with these options, adds it to the file, and returns it.
    #[track_caller]
    fn make(&self, name: &str, options: &[&str]) -> String {
        let file = self.file();
        let made = understudy([&["token", "new", name, "--add", &file], options].concat());
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        String::from_utf8(made.stdout).unwrap().trim().to_owned()
    }

    /// A host that uses the file of tokens, and what `more` says.
    fn start(&self, models: &Models, more: &str) -> Host {
        let config = format!("tokens = '{}'\n{WATCH}{more}", self.file());
        Host::start(&models.path(), Options { config, data: None })
    }
}

fn call(
    address: SocketAddr,
    method: &str,
    path: &str,
    token: Option<&str>,
    body: &str,
) -> Response {
    let authorization = token.map(|token| format!("Bearer {token}"));
    let kind = match path.rsplit('/').next() {
        Some("records") => "application/x-ndjson",
        Some("policy" | "diff") => "application/toml",
        _ if method == "PUT" => "application/wasm",
        _ => "application/json",
    };
    let mut headers = vec![("content-type", kind)];
    headers.extend(authorization.as_deref().map(|value| ("authorization", value)));
    Client::new(address).send(method, path, &headers, body.as_bytes()).unwrap()
}

fn infer(host: &Host, endpoint: &str, token: Option<&str>) -> Response {
    let path = format!("/v2/models/{endpoint}/infer");
    call(host.rest(), "POST", &path, token, &infer_body("1", 2.0))
}

fn status(host: &Host, token: &str) -> Value {
    let reply = call(host.admin(), "GET", "/status", Some(token), "");
    assert_eq!(reply.status, 200, "{}", reply.text());
    reply.json()
}

/// Waits until an endpoint answers whoever has this token.
fn wait_for_answer(host: &Host, endpoint: &str, token: &str) {
    wait::until(
        "an answer",
        || format!("{}\n{}", infer(host, endpoint, Some(token)).text(), host.log()),
        || (infer(host, endpoint, Some(token)).status == 200).then_some(()),
    );
}
