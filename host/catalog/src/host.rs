//! `understudy.toml` as a value: what the host itself needs to know, and defaults for the rest.

pub mod kafka;
mod limits;
pub mod stream;

use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::access::{AccessConfig, Quota, TenantConfig, TokenConfig};
use crate::document::{Document, KeyPath};
use crate::endpoint::{EndpointDefaults, rules};
use crate::manifest::ModelDefaults;
use crate::problem::Problem;
use crate::scanner::{Defaults, ScanOptions};
use crate::units::{self, Address, Size, Span};
use crate::watcher::WatchOptions;

use self::stream::HostStream;
pub use limits::{CompileLimits, FrontLimits, LaneLimits, RoutedLimits};

/// The configuration of the host.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(title = "understudy.toml")]
pub struct HostConfig {
    /// Where requests are taken. Port 0 lets the system choose. Default `127.0.0.1:8000`.
    #[serde(deserialize_with = "units::text::<Address, _>")]
    #[schemars(with = "Address")]
    pub listen: SocketAddr,
    /// Where requests are taken over gRPC. Port 0 lets the system choose. Default `127.0.0.1:8001`.
    #[serde(deserialize_with = "units::text::<Address, _>")]
    #[schemars(with = "Address")]
    pub grpc_listen: SocketAddr,
    /// Where metrics and status are. Port 0 lets the system choose. Default `127.0.0.1:8002`.
    #[serde(deserialize_with = "units::text::<Address, _>")]
    #[schemars(with = "Address")]
    pub admin_listen: SocketAddr,
    /// The folder of the models, relative to this file. Default `models`.
    pub models: PathBuf,
    /// The folder of streams and caches, relative to this file. Default `data`.
    pub data: PathBuf,
    /// Whether components that import WASI are run at all, in the locked form. Default true.
    pub wasi: bool,
    /// Whether anybody may call from anywhere. Without it, and without tokens, the host listens on
    /// loopback only. Default false.
    pub open: bool,
    /// A file of tokens, tenants and the quota, relative to this file; it adds to those that stand
    /// here. Both are read again when they change.
    pub tokens: Option<PathBuf>,
    /// Those who may call.
    pub token: Vec<TokenConfig>,
    /// How much of the host single tenants may have.
    pub tenant: Vec<TenantConfig>,
    /// How much of the host every tenant may have that is not listed, and what is left out of those
    /// that are.
    pub quota: Quota,
    /// The certificates of every listener. Read again when they change.
    pub tls: Option<TlsConfig>,
    /// The certificates of the admin listener, where it has others.
    pub admin_tls: Option<TlsConfig>,
    /// What callers may ask for.
    pub front: FrontLimits,
    /// The threads that run models.
    pub lanes: LaneLimits,
    /// The models that are loaded when they are wanted.
    pub routed: RoutedLimits,
    /// What compiling a component may use.
    pub compile: CompileLimits,
    /// How the folder of the models is watched.
    pub watch: WatchConfig,
    /// Where records are kept.
    pub stream: HostStream,
    /// What an `endpoint.toml` that leaves it out says.
    pub endpoint: EndpointDefaults,
    /// What a model's manifest that leaves it out says.
    pub model: ModelDefaults,
    /// The same two as they stand in the file, to be laid beneath what leaves them out.
    #[serde(skip)]
    defaults: Defaults,
}

/// The certificates of a listener: files in PEM, relative to this file.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TlsConfig {
    /// The certificate of the host, followed by those that lead to its root.
    pub certificate: PathBuf,
    /// The key of the certificate.
    pub key: PathBuf,
    /// The roots of the certificates that callers must show. Without it they show none.
    #[serde(default)]
    pub client_ca: Option<PathBuf>,
}

/// How the folder of the models is watched.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct WatchConfig {
    /// How often the whole folder is looked at, whatever the system says about it. Default `2s`.
    #[serde(deserialize_with = "units::text::<Span, _>")]
    #[schemars(with = "Span")]
    pub period: Duration,
    /// How long a file must keep still where the system does not say that its writer is done.
    /// Default `500ms`.
    #[serde(deserialize_with = "units::text::<Span, _>")]
    #[schemars(with = "Span")]
    pub settle: Duration,
    /// How long a file must be gone before that counts. Default `1s`.
    #[serde(deserialize_with = "units::text::<Span, _>")]
    #[schemars(with = "Span")]
    pub grace: Duration,
    /// The largest file that is taken for a model. Default `256MiB`.
    #[serde(rename = "model_limit", deserialize_with = "units::text::<Size, _>")]
    #[schemars(with = "Size")]
    pub model_limit_bytes: u64,
    /// Whether the system is asked for hints; without them only the period counts. Default true.
    pub hints: bool,
}

impl HostConfig {
    /// Reads an `understudy.toml`.
    ///
    /// # Errors
    /// When it cannot be read, or the first problem of its text.
    pub fn load(file: &Path) -> Result<Self, Problem> {
        let text = fs::read_to_string(file).map_err(|error| {
            Problem::new(file, format!("no way to read it ({error})")).expected("a readable file")
        })?;
        Self::parse(file, &text)
    }

    /// Reads the text of an `understudy.toml`. Relative folders are taken from where `file` lies.
    ///
    /// # Errors
    /// The first problem of the text, with its place.
    pub fn parse(file: &Path, text: &str) -> Result<Self, Problem> {
        let document = Document::parse(file, text)?;
        let mut config: Self = document.read()?;
        let quarantine = KeyPath::new("endpoint").key("quarantine");
        rules::longest_is_longest(&config.endpoint.quarantine, quarantine, &document)?;
        config.access().check(&document)?;
        let pace = KeyPath::new("endpoint").key("pace");
        rules::pace_fits(&config.endpoint.pace, pace, &document)?;
        kafka::check(&config.stream, &document)?;
        let beside = file.parent().unwrap_or(Path::new(""));
        config.tokens = config.tokens.map(|tokens| beside.join(tokens));
        config.tls = config.tls.map(|tls| tls.beside(beside));
        config.admin_tls = config.admin_tls.map(|tls| tls.beside(beside));
        config.stream.kafka = config.stream.kafka.beside(beside);
        config.models = beside.join(&config.models);
        config.data = beside.join(&config.data);
        config.defaults = Defaults::new(document.take("endpoint"), document.take("model"));
        Ok(config)
    }

    /// Who may use the host, as far as this file says.
    pub fn access(&self) -> AccessConfig {
        AccessConfig { tokens: self.token.clone(), tenants: self.tenant.clone(), quota: self.quota }
    }

    /// How the folder is to be watched, with the defaults for what lies in it.
    pub fn watch_options(&self) -> WatchOptions {
        WatchOptions {
            scan: ScanOptions {
                settle: self.watch.settle,
                grace: self.watch.grace,
                model_limit_bytes: self.watch.model_limit_bytes,
                defaults: self.defaults.clone(),
                ..ScanOptions::default()
            },
            period: self.watch.period,
            hints: self.watch.hints,
            ..WatchOptions::default()
        }
    }
}

impl TlsConfig {
    fn beside(self, folder: &Path) -> Self {
        Self {
            certificate: folder.join(self.certificate),
            key: folder.join(self.key),
            client_ca: self.client_ca.map(|roots| folder.join(roots)),
        }
    }
}

impl Default for HostConfig {
    fn default() -> Self {
        let local = |port| SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        Self {
            listen: local(8000),
            grpc_listen: local(8001),
            admin_listen: local(8002),
            models: "models".into(),
            data: "data".into(),
            wasi: true,
            open: false,
            tokens: None,
            token: Vec::new(),
            tenant: Vec::new(),
            quota: Quota::default(),
            tls: None,
            admin_tls: None,
            front: FrontLimits::default(),
            lanes: LaneLimits::default(),
            routed: RoutedLimits::default(),
            compile: CompileLimits::default(),
            watch: WatchConfig::default(),
            stream: HostStream::default(),
            endpoint: EndpointDefaults::default(),
            model: ModelDefaults::default(),
            defaults: Defaults::default(),
        }
    }
}

impl Default for WatchConfig {
    fn default() -> Self {
        let watch = WatchOptions::default();
        Self {
            period: watch.period,
            settle: watch.scan.settle,
            grace: watch.scan.grace,
            model_limit_bytes: watch.scan.model_limit_bytes,
            hints: watch.hints,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<HostConfig, String> {
        HostConfig::parse(Path::new("etc/understudy.toml"), text)
            .map_err(|problem| problem.to_string())
    }

    #[test]
    fn folders_are_taken_from_where_the_file_lies() {
        let config = parse("models = 'm'\ndata = '/var/data'").unwrap();
        assert_eq!(config.models, Path::new("etc/m"));
        assert_eq!(config.data, Path::new("/var/data"));
    }

    #[test]
    fn every_table_is_read() {
        let text = "
            listen = '0.0.0.0:0'
            wasi = false
            tokens = 'tokens.toml'
            [tls]
            certificate = 'host.pem'
            key = '/keys/host.key'
            [front]
            body = '1MiB'
            [lanes]
            live_threads = 3
            [routed]
            memory = '1GiB'
            idle = '10min'
            [compile]
            memory = '1GiB'
            [watch]
            period = '5s'
            model_limit = '1MiB'
            [endpoint]
            deadline = '20ms'
            [model.limits]
            memory = '8MiB'";
        let config = parse(text).unwrap();
        assert_eq!(config.listen, SocketAddr::from(([0, 0, 0, 0], 0)));
        assert_eq!(config.tokens.as_deref(), Some(Path::new("etc/tokens.toml")));
        let (certificate, key) = (PathBuf::from("etc/host.pem"), PathBuf::from("/keys/host.key"));
        assert_eq!(config.tls, Some(TlsConfig { certificate, key, client_ca: None }));
        assert_eq!(config.front.body_bytes, 1 << 20);
        assert_eq!(config.lanes.live_threads, Some(3));
        assert_eq!((config.routed.memory_bytes, config.routed.waiting), (1 << 30, 1024));
        assert_eq!(config.routed.idle, Some(Duration::from_secs(600)));
        assert_eq!(config.compile.memory_bytes, 1 << 30);
        assert_eq!(config.endpoint.deadline, Duration::from_millis(20));
        assert_eq!(config.model.limits.memory_bytes, 8 << 20);
        let options = config.watch_options();
        assert_eq!(options.period, Duration::from_secs(5));
        assert_eq!(options.scan.model_limit_bytes, 1 << 20);
        assert_ne!(options.scan.defaults, Defaults::default());
    }

    #[test]
    fn tokens_are_checked_where_they_stand() {
        let text = "[[token]]\nname = 'a'\nscopes = ['infer']";
        assert_eq!(
            parse(text).unwrap_err(),
            "etc/understudy.toml:1: token[0].hash: found neither \"hash\" nor \"certificate\", \
             expected one of \"hash\", \"certificate\""
        );
        assert_eq!(
            parse("[tls]\nkey = 'k'").unwrap_err(),
            "etc/understudy.toml:1: tls: found no key \"certificate\", expected one"
        );
    }

    #[test]
    fn a_mistake_names_line_key_found_and_expected() {
        assert_eq!(
            parse("listen = 8000").unwrap_err(),
            "etc/understudy.toml:1: listen: found 8000, expected an address and a port such as \
             \"127.0.0.1:8000\" or \"[::]:8000\""
        );
        assert_eq!(
            parse("[endpoint]\nroles = {}").unwrap_err(),
            "etc/understudy.toml:2: endpoint.roles: found an unknown key, expected one of \
             \"deadline\", \"limits\", \"stream\", \"quarantine\", \"pace\", \"warm_up_requests\""
        );
    }
}
