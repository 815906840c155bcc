//! The admin listener of a host, as commands that look at an endpoint or change one reach it.

use anyhow::{Context, Result, bail};
use clap::Args;
use serde_json::Value;

use crate::client::{Client, ClientArguments, Response};

/// The status with which a host says that it does not do something, and why.
const CONFLICT: u16 = 409;

/// Which host.
#[derive(Debug, Clone, Args)]
pub(super) struct Reach {
    #[command(flatten)]
    client: ClientArguments,
    /// The admin address of the host, where it is on another machine: HOST:PORT, or with https://
    /// before it.
    #[arg(long, value_name = "ADDRESS")]
    admin: Option<String>,
}

impl Reach {
    /// Gets a document.
    pub(super) fn get(&self, path: &str) -> Result<Value> {
        let response = self.client()?.send("GET", path, "", &[])?;
        match response.status {
            200..300 => document_of(&response),
            _ => bail!("{}", response.error()),
        }
    }

    /// Asks for a change, and returns what the host says of it: also where it refuses, which the
    /// document's `error` says.
    pub(super) fn change(
        &self,
        method: &str,
        path: &str,
        content_type: &str,
        body: &[u8],
    ) -> Result<Value> {
        let response = self.client()?.send(method, path, content_type, body)?;
        match response.status {
            200..300 | CONFLICT => document_of(&response),
            _ => bail!("{}", response.error()),
        }
    }

    /// Where the host is, as `host:port`.
    pub(super) fn address(&self) -> Result<String> {
        Ok(self.client()?.address().to_owned())
    }

    fn client(&self) -> Result<Client> {
        self.client.admin(self.admin.as_deref())
    }
}

/// A path below that of an endpoint, each segment encoded.
pub(super) fn path_of(endpoint: &str, segments: &[&str]) -> String {
    let segments = [endpoint].into_iter().chain(segments.iter().copied());
    let encoded: Vec<String> = segments.map(encoded).collect();
    format!("/admin/endpoints/{}", encoded.join("/"))
}

/// A text as it stands in a path or a query.
pub(super) fn encoded(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    text.bytes()
        .map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}

fn document_of(response: &Response) -> Result<Value> {
    serde_json::from_slice(&response.body).context("the host's response is no JSON")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_of_a_tenant_is_one_segment() {
        let path = path_of("acme/fraud", &["models", "a b", "promote"]);
        assert_eq!(path, "/admin/endpoints/acme%2Ffraud/models/a%20b/promote");
        assert_eq!(encoded("größer?"), "gr%C3%B6%C3%9Fer%3F");
    }
}
