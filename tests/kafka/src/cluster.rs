//! Several brokers that make one cluster, and what can befall each of them.

use rustix::process::Signal;

use crate::certificates::Certificates;
use crate::client::Client;
use crate::keeper::Kept;
use crate::node::{Node, random};
use crate::options::{Listener, Options};
use crate::properties::{self, Ports};
use crate::proxy::Proxy;
use crate::{ports, wait};

/// How often to look for other ports when somebody took those that were free.
const TRIES: usize = 5;
/// What a broker says that could not have its port.
const PORT_TAKEN: [&str; 2] = ["Address already in use", "Socket server failed to bind"];

/// A cluster of brokers, each of which is also a controller. When dropped they end, and what they wrote is removed.
///
/// Brokers are counted from 1, as they are in the cluster.
#[derive(Debug)]
pub struct Cluster {
    // In this order: brokers end before their folder goes.
    nodes: Vec<Node>,
    proxies: Vec<Proxy>,
    certificates: Option<Certificates>,
    _kept: Kept,
}

impl Cluster {
    /// Starts three brokers that keep three copies of everything, of which two have to be there.
    ///
    /// # Panics
    ///
    /// Where they do not start.
    pub fn start3() -> Self {
        Self::start(3, &Options::default())
    }

    /// Starts so many brokers, and returns when each of them knows of all.
    ///
    /// # Panics
    ///
    /// Where they do not start.
    pub fn start(count: usize, options: &Options) -> Self {
        for _ in 0..TRIES {
            if let Some(cluster) = Self::try_start(count, options) {
                return cluster;
            }
        }
        panic!("found no ports for {count} brokers in {TRIES} tries");
    }

    /// None where a port was taken meanwhile.
    fn try_start(count: usize, options: &Options) -> Option<Self> {
        let kept = Kept::new();
        let certificates =
            options.secured.then(|| Certificates::write(&kept.folder().join("certificates")));
        let mut proxies = Vec::new();
        let each = Listener::ALL.len() + 1;
        let free = ports::free(count * each);
        let mut ports = Vec::new();
        for free in free.chunks(each) {
            let (controller, listeners) = free.split_last().expect("invariant: some ports each");
            let open = listeners[Listener::Open as usize];
            if options.proxied {
                proxies.push(Proxy::start(open));
            }
            let advertised_open = proxies.last().map_or(open, Proxy::port);
            let listeners = listeners.to_vec();
            ports.push(Ports { listeners, advertised_open, controller: *controller });
        }
        let id = format!("understudy{:011x}A", random() >> 20);
        let nodes = (1..=count).map(|number| {
            let folder = kept.folder().join(format!("broker-{number}"));
            let settings = properties::of(number, &ports, &folder, options);
            Node::new(number, &id, folder, ports[number - 1].clone(), &settings, options)
        });
        let cluster = Self { nodes: nodes.collect(), proxies, certificates, _kept: kept };
        cluster.nodes.iter().for_each(Node::start);
        cluster.has_come_up(count).then_some(cluster)
    }

    /// Whether all brokers came up, and none of them ended because a port was taken.
    fn has_come_up(&self, count: usize) -> bool {
        wait::until("brokers that know each other", || {
            for node in &self.nodes {
                if !node.is_running() {
                    let said = node.log();
                    let taken = PORT_TAKEN.iter().any(|words| said.contains(words));
                    assert!(taken, "a broker ended:\n{said}");
                    return Some(false);
                }
            }
            self.nodes.iter().all(|node| node.brokers() >= count).then_some(true)
        })
    }

    /// Where clients begin: every broker, through its proxy where it has one.
    pub fn bootstrap(&self) -> String {
        self.servers(|ports| ports.advertised_open)
    }

    /// Where clients of this listener begin.
    pub fn listener(&self, listener: Listener) -> String {
        if listener == Listener::Open {
            return self.bootstrap();
        }
        self.servers(|ports| ports.of(listener))
    }

    fn servers(&self, port: impl Fn(&Ports) -> u16) -> String {
        let servers = self.nodes.iter().map(|node| format!("127.0.0.1:{}", port(node.ports())));
        servers.collect::<Vec<_>>().join(",")
    }

    /// A client that passes by the proxies.
    pub fn client(&self) -> Client {
        Client::new(&self.listener(Listener::Internal))
    }

    /// How many brokers there are, running or not.
    pub const fn size(&self) -> usize {
        self.nodes.len()
    }

    /// What clients need for the secured listeners.
    ///
    /// # Panics
    ///
    /// Where the cluster was not started with them.
    pub const fn certificates(&self) -> &Certificates {
        self.certificates.as_ref().expect("a cluster that was started as secured")
    }

    /// What stands between clients and a broker.
    ///
    /// # Panics
    ///
    /// Where the cluster was not started with proxies.
    pub fn proxy(&self, broker: usize) -> &Proxy {
        self.proxies.get(broker - 1).expect("a cluster that was started behind proxies")
    }

    /// Ends a broker at once, as a loss of power would.
    pub fn kill(&self, broker: usize) {
        self.node(broker).kill();
    }

    /// Has a broker stand still, with all its connections open.
    pub fn pause(&self, broker: usize) {
        self.node(broker).signal(Signal::STOP);
    }

    /// Has a broker that stood still go on.
    pub fn resume(&self, broker: usize) {
        self.node(broker).signal(Signal::CONT);
    }

    /// Starts a broker again on what it had written, ending it first where it runs, and when the others have given it up.
    /// Returns when it answers and knows of all that run.
    ///
    /// Why it is waited for the others: a broker that comes back before its session has ended leads what it led, with all that
    /// it had written. It then announces also those ends of transactions that nobody else has got, and loses them when
    /// another broker leads. That is a fault of Kafka (seen with 4.3.1), and not what is tested with this.
    ///
    /// # Panics
    ///
    /// Where it does not come back.
    pub fn restart(&self, broker: usize) {
        let node = self.node(broker);
        node.kill();
        let others: Vec<_> = self.nodes.iter().filter(|node| node.is_running()).collect();
        wait::until("brokers that know that one is gone", || {
            others.iter().all(|other| (1..=others.len()).contains(&other.brokers())).then_some(())
        });
        node.start();
        let running = others.len() + 1;
        wait::until("a broker that comes back", || {
            assert!(node.is_running(), "the broker ended:\n{}", node.log());
            (node.brokers() >= running).then_some(())
        });
    }

    /// Fills the disk of a broker: no file of it grows beyond so many bytes any more, which a write gets to know as an
    /// error. The broker runs on until it writes more than that into one file; then it gives its log directory up, and
    /// having no other, ends. [`restart`](Self::restart) starts it with room again.
    ///
    /// What is not as on a real disk: small files may still be made and grow, and the error is `EFBIG`, not `ENOSPC`.
    /// A broker tells them apart as little as it does any other.
    pub fn fill_disk(&self, broker: usize, bytes: u64) {
        self.node(broker).limit_files(Some(bytes));
    }

    /// Waits until a broker has ended by itself.
    ///
    /// # Panics
    ///
    /// Where it goes on running.
    pub fn wait_until_ended(&self, broker: usize) {
        self.node(broker).wait_until_ended();
    }

    /// Whether a broker runs, or is paused.
    pub fn is_running(&self, broker: usize) -> bool {
        self.node(broker).is_running()
    }

    /// What a broker said so far.
    pub fn log(&self, broker: usize) -> String {
        self.node(broker).log()
    }

    fn node(&self, broker: usize) -> &Node {
        &self.nodes[broker - 1]
    }
}
