//! Where the host listens, and how commands find a host that runs.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};
use tokio::net::TcpListener;

/// The file in the data directory that says where the host listens.
const FILE: &str = "host.json";

/// Where a host listens.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Addresses {
    /// The Open Inference Protocol over REST.
    pub rest: SocketAddr,
    /// The same over gRPC.
    pub grpc: SocketAddr,
    /// Metrics and administration.
    pub admin: SocketAddr,
}

/// A host as commands find it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Reachable {
    #[serde(flatten)]
    pub(crate) addresses: Addresses,
    /// The file of its certificate, where the listener for requests is encrypted.
    #[serde(default)]
    pub(crate) certificate: Option<PathBuf>,
    /// The file of its certificate, where the admin listener is encrypted.
    #[serde(default)]
    pub(crate) admin_certificate: Option<PathBuf>,
}

impl Reachable {
    /// Leaves the addresses where commands look for them.
    pub(crate) fn write(&self, data_dir: &Path) -> Result<()> {
        let file = data_dir.join(FILE);
        let text = serde_json::to_string(self)?;
        std::fs::write(&file, text).with_context(|| format!("cannot write {file:?}"))
    }

    /// Reads where the host of this data directory listens.
    pub(crate) fn read(data_dir: &Path) -> Result<Self> {
        let file = data_dir.join(FILE);
        let text = std::fs::read_to_string(&file).with_context(|| {
            format!(
                "no host seems to run on {data_dir:?}: there is no {FILE}; give --admin ADDRESS"
            )
        })?;
        serde_json::from_str(&text)
            .with_context(|| format!("{file:?} does not say where it listens"))
    }

    /// Takes the addresses away again. A host that was killed leaves them behind, which does no
    /// harm: whoever reads them finds nobody there.
    pub(crate) fn remove(data_dir: &Path) {
        let _gone = std::fs::remove_file(data_dir.join(FILE));
    }
}

/// Listens on an address; an error is one line that names the option and the address.
pub(crate) async fn listen(option: &str, address: SocketAddr) -> Result<TcpListener> {
    match TcpListener::bind(address).await {
        Ok(listener) => Ok(listener),
        Err(error) if error.kind() == std::io::ErrorKind::AddrInUse => {
            bail!("port {} is taken: choose another with --{option}, or 0 for any", address.port())
        }
        Err(error) => bail!("cannot listen on {address} (--{option}): {error}"),
    }
}
