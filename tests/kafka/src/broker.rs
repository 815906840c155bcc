//! A single broker, of one test's own or shared by all tests of a process.

use std::sync::OnceLock;

use crate::certificates::Certificates;
use crate::client::Client;
use crate::cluster::Cluster;
use crate::node::random;
use crate::options::{Listener, Options};
use crate::proxy::Proxy;

/// The variable that names a broker to use instead of the shared one.
const VARIABLE: &str = "UNDERSTUDY_TEST_KAFKA";

/// A single broker. Only one that was started by this process can be troubled, and only one's own should be.
#[derive(Debug)]
pub struct Broker {
    /// None where it is somebody else's.
    cluster: Option<Cluster>,
    bootstrap: String,
}

impl Broker {
    /// The broker that the tests of this process share: what `UNDERSTUDY_TEST_KAFKA` names, or one that is started for
    /// the first who asks. Tests keep apart by their topics and groups, see [`unique`].
    ///
    /// # Panics
    ///
    /// Where it does not start.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<Broker> = OnceLock::new();
        SHARED.get_or_init(|| match std::env::var(VARIABLE) {
            Ok(bootstrap) if !bootstrap.is_empty() => Self { cluster: None, bootstrap },
            _ => Self::start(),
        })
    }

    /// Starts a broker of one's own.
    ///
    /// # Panics
    ///
    /// Where it does not start.
    pub fn start() -> Self {
        Self::start_with(&Options::default())
    }

    /// Starts a broker of one's own with these options.
    ///
    /// # Panics
    ///
    /// Where it does not start.
    pub fn start_with(options: &Options) -> Self {
        let cluster = Cluster::start(1, options);
        Self { bootstrap: cluster.bootstrap(), cluster: Some(cluster) }
    }

    /// Where clients begin, as `bootstrap.servers` has it.
    pub fn bootstrap(&self) -> &str {
        &self.bootstrap
    }

    /// A client of it, past a proxy.
    pub fn client(&self) -> Client {
        self.cluster.as_ref().map_or_else(|| Client::new(&self.bootstrap), Cluster::client)
    }

    /// What can be done to a broker of one's own: it is number 1 of this.
    ///
    /// # Panics
    ///
    /// Where the broker is somebody else's.
    pub fn cluster(&self) -> &Cluster {
        self.cluster.as_ref().expect("a broker that this process has started")
    }

    /// Where clients of this listener begin.
    pub fn listener(&self, listener: Listener) -> String {
        self.cluster().listener(listener)
    }

    /// What clients need for the secured listeners.
    pub fn certificates(&self) -> &Certificates {
        self.cluster().certificates()
    }

    /// What stands between clients and the broker.
    pub fn proxy(&self) -> &Proxy {
        self.cluster().proxy(1)
    }

    /// Ends the broker at once, as a loss of power would.
    pub fn kill(&self) {
        self.cluster().kill(1);
    }

    /// Has the broker stand still, with all its connections open.
    pub fn pause(&self) {
        self.cluster().pause(1);
    }

    /// Has the broker that stood still go on.
    pub fn resume(&self) {
        self.cluster().resume(1);
    }

    /// Starts the broker again on what it had written; see [`Cluster::restart`].
    pub fn restart(&self) {
        self.cluster().restart(1);
    }
}

/// A name that begins so and that no other test has, for a topic, a prefix or a group.
pub fn unique(name: &str) -> String {
    format!("{name}-{:012x}", random() >> 16)
}
