//! The host: everything that runs, started in order and stopped in the opposite one.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::JoinHandle;

use anyhow::{Context, Result};
use arc_swap::ArcSwap;
use bytes::Bytes;
use catalog::{Catalog, Problem, ScanOptions, Severity, Watcher};
use front::{AdminRoutes, Caller, FrontLimits, Guard, PublicRoutes, Tls};
use message::EndpointName;
use rendezvous::residence::ResidenceLimits;
use sandbox::Lanes;
use sandbox::Runtime;
use stream::{Partition, Stream};
use tokio::net::TcpListener;
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle as Task;

use crate::access::{Access, Refusals, Source};
use crate::address::{Addresses, Reachable, listen};
use crate::drivers::courier::{Courier, Replies};
use crate::drivers::housekeeper::Housekeeper;
use crate::drivers::loader::Loader;
use crate::drivers::porter::Porter;
use crate::drivers::supervisor::{Order, Supervisor, Wings};
use crate::endpoint::{Endpoint, Event};
use crate::inbox::Inbox;
use crate::meter::Meter;
use crate::options::HostOptions;
use crate::storage::Storage;
use crate::topics::Topics;

/// What every part of the host shares.
pub(crate) struct Shared {
    pub(crate) endpoints: ArcSwap<BTreeMap<EndpointName, Arc<Endpoint>>>,
    pub(crate) problems: ArcSwap<Vec<Problem>>,
    pub(crate) limits: HostLimits,
    /// What is wrong with the files that say who may use the host.
    pub(crate) access_problems: ArcSwap<Vec<Problem>>,
    /// What the supervisor is told.
    pub(crate) orders: Arc<Inbox<Order>>,
    pub(crate) meter: Arc<Meter>,
    pub(crate) topics: Arc<Topics>,
    /// Where records are kept.
    pub(crate) storage: Arc<Storage>,
    /// Endpoints that are not there yet, and what they wait for.
    pub(crate) waiting: ArcSwap<BTreeMap<EndpointName, String>>,
    /// The way to callers on other hosts, where several share the stream.
    pub(crate) replies: Option<Arc<Replies>>,
    pub(crate) runtime: Runtime,
    pub(crate) models_dir: PathBuf,
    pub(crate) data_dir: PathBuf,
    /// How the folder is read.
    pub(crate) scan: ScanOptions,
}

/// The limits of the host that belong to no single endpoint.
#[derive(Debug, Clone)]
pub(crate) struct HostLimits {
    /// How many calls may wait for one endpoint's driver.
    pub(crate) waiting_asks: usize,
    /// What models may take that are loaded when they are wanted.
    pub(crate) residence: ResidenceLimits,
}

/// A running host.
///
/// It has to be [stopped](Self::stop): a host that is only dropped leaves its threads running.
pub struct Host {
    pub(crate) shared: Arc<Shared>,
    pub(crate) addresses: Addresses,
    supervisor: JoinHandle<()>,
    orders: Arc<Inbox<Order>>,
    watcher: Watcher,
    porter: Porter,
    courier: Option<Courier>,
    guard: Guard,
    is_open: bool,
    /// Whether the listeners for requests are, and that of the admin.
    is_encrypted: [bool; 2],
    listeners: Vec<Task<Result<(), front::ServeError>>>,
    stop_listeners: watch::Sender<bool>,
}

impl Host {
    /// Starts everything; the listeners are open on return, models may still be loading.
    ///
    /// # Errors
    ///
    /// When an address is taken, the data directory is held by another host, or the folder of the
    /// models cannot be watched. Each is one line for the operator.
    pub async fn start(options: HostOptions) -> Result<Self> {
        let runtime = Runtime::new(options.runtime_config()?)?;
        let meter = Arc::new(Meter::new(runtime.limits_report().engine));
        let access = options.access.open(Arc::new(Refusals::new(Arc::clone(&meter))))?;
        let (listeners, addresses) = listen_all(&options, &access).await?;
        std::fs::create_dir_all(&options.data_dir)
            .with_context(|| format!("cannot make the data directory {:?}", options.data_dir))?;
        let storage = Arc::new(options.open_storage()?);
        let stream = Arc::clone(&storage) as Arc<dyn Stream>;
        let lanes = Lanes::new(options.lane_config())?;
        let orders = Arc::new(Inbox::new(usize::MAX));
        let shared = Arc::new(Shared {
            orders: Arc::clone(&orders),
            endpoints: ArcSwap::default(),
            problems: ArcSwap::default(),
            limits: options.limits(),
            access_problems: ArcSwap::default(),
            meter,
            topics: Arc::new(Topics::new(Arc::clone(&stream))),
            storage,
            waiting: ArcSwap::default(),
            replies: stream.is_shared().then(Arc::default),
            runtime: runtime.clone(),
            models_dir: options.models_dir.clone(),
            data_dir: options.data_dir.clone(),
            scan: options.watch_options().scan,
        });
        let courier = start_courier(&shared, &stream)?;
        let (opened, first_catalog) = oneshot::channel();
        let supervisor = start_supervisor(&shared, runtime, lanes, &stream, &orders, opened)?;
        let watcher = start_watcher(&options, &orders)?;
        // Whoever calls from here on meets every endpoint that there is.
        first_catalog.await.context("the supervisor panicked")?;
        options.access.reachable(addresses)?.write(&options.data_dir)?;
        let (period, settle) = options.access_pace();
        let mut sources = access.sources;
        sources.extend(options.stream_source());
        sources.extend(secrets_source(&shared));
        let porter = Porter::start(Arc::clone(&shared), sources, period, settle)?;
        let (stop_listeners, _) = watch::channel(false);
        let mut host = Self {
            shared,
            addresses,
            supervisor,
            orders,
            watcher,
            porter,
            courier,
            guard: access.guard,
            is_open: options.open,
            is_encrypted: [access.tls.is_some(), access.admin_tls.is_some()],
            listeners: Vec::new(),
            stop_listeners,
        };
        host.serve(listeners, [access.tls, access.admin_tls], options.front_limits());
        Ok(host)
    }

    /// Stops everything: callers get their answers, streams are synced, threads joined.
    ///
    /// # Errors
    ///
    /// When a part of it panicked.
    pub async fn stop(self) -> Result<()> {
        self.stop_listeners.send_replace(true);
        for listener in self.listeners {
            match listener.await.context("a listener panicked")? {
                Ok(()) => {}
                Err(error) => tracing::warn!(%error, "callers were cut off"),
            }
        }
        self.watcher.stop();
        self.porter.stop();
        let (done, stopped) = oneshot::channel();
        self.orders.push(Order::Stop(done));
        stopped.await.context("the supervisor panicked")?;
        let joined = tokio::task::spawn_blocking(move || self.supervisor.join()).await?;
        anyhow::ensure!(joined.is_ok(), "the supervisor panicked");
        if let Some(courier) = self.courier {
            tokio::task::spawn_blocking(|| courier.stop()).await?;
        }
        Reachable::remove(&self.shared.data_dir);
        Ok(())
    }

    /// Where it listens.
    pub const fn addresses(&self) -> Addresses {
        self.addresses
    }

    /// Whether the models of an endpoint that were there at the start are loaded or refused.
    pub fn is_settled(&self, endpoint: &str) -> bool {
        self.shared.endpoint(endpoint).is_some_and(|endpoint| endpoint.live.load().settled)
    }

    /// Appends requests, each a document of the Open Inference Protocol, to the stream of an
    /// endpoint, and returns when they are kept.
    ///
    /// # Errors
    ///
    /// When there is no such endpoint, or it does not take them.
    pub async fn append(&self, endpoint: &str, documents: Vec<Bytes>) -> Result<()> {
        front::Host::append(&*self.shared, &Caller::local(), endpoint, documents)
            .await
            .map(|_| ())
            .map_err(|error| anyhow::anyhow!("the requests were not appended: {error:?}"))
    }

    /// A topic of an endpoint: `requests`, `scores`, `answers` or `events`; the first partition, where it
    /// has several.
    pub fn topic(&self, endpoint: &str, topic: &str) -> Option<Arc<dyn Partition>> {
        let endpoint = self.shared.endpoint(endpoint)?;
        let topics = endpoint.journal.topics();
        let found = topics.into_iter().find(|(name, _)| *name == topic);
        found.and_then(|(_, partitions)| partitions.first()).map(Arc::clone)
    }

    /// Where it listens, a line each, for people.
    pub(crate) fn shown_addresses(&self) -> [String; 3] {
        let (Addresses { rest, grpc, admin }, [tls, admin_tls]) =
            (self.addresses, self.is_encrypted);
        [("rest", rest, tls), ("grpc", grpc, tls), ("admin", admin, admin_tls)]
            .map(|(name, address, tls)| format!("{name}: {}", shown(address, tls)))
    }

    /// Who may call, for people.
    pub(crate) fn shown_access(&self) -> &'static str {
        match (self.guard.is_locked(), self.is_open) {
            (true, _) => "those with a token",
            (false, true) => "anybody from anywhere",
            (false, false) => "anybody on this machine",
        }
    }

    /// Everything that a person would want to see at a glance, as `GET /status` has it.
    pub fn status(&self) -> serde_json::Value {
        crate::status::of(&self.shared, &Caller::local(), false)
    }

    fn serve(
        &mut self,
        [public, grpc, admin]: [TcpListener; 3],
        [tls, admin_tls]: [Option<Tls>; 2],
        limits: FrontLimits,
    ) {
        let stopping = |mut stop: watch::Receiver<bool>| async move {
            // An error means that the host was dropped, which stops the listeners as well.
            let _stopped = stop.wait_for(|stop| *stop).await;
        };
        let stop = || stopping(self.stop_listeners.subscribe());
        let public_routes =
            PublicRoutes::new(Arc::clone(&self.shared), limits.clone(), self.guard.clone());
        let grpc_routes = public_routes.grpc();
        let largest = usize::try_from(self.shared.scan.model_limit_bytes).unwrap_or(usize::MAX);
        let mut uploads = limits.clone();
        uploads.body_bytes_max = largest;
        let admin_routes = AdminRoutes::new(Arc::clone(&self.shared), self.guard.clone(), uploads);
        self.listeners = vec![
            tokio::spawn(front::serve(public, tls.clone(), public_routes, limits.clone(), stop())),
            tokio::spawn(front::serve(grpc, tls, grpc_routes, limits.clone(), stop())),
            tokio::spawn(front::serve(admin, admin_tls, admin_routes, limits, stop())),
        ];
    }
}

impl Shared {
    /// Publishes what is wrong in the folder.
    pub(crate) fn set_problems(&self, problems: &[Problem]) {
        self.problems.store(Arc::new(problems.to_vec()));
    }

    /// Whether other hosts work on the same stream.
    pub(crate) const fn is_shared(&self) -> bool {
        self.replies.is_some()
    }

    /// The endpoint with this name, whoever asks.
    pub(crate) fn endpoint(&self, name: &str) -> Option<Arc<Endpoint>> {
        self.endpoints.load().get(name).cloned()
    }
}

fn start_supervisor(
    shared: &Arc<Shared>,
    runtime: Runtime,
    lanes: Lanes,
    stream: &Arc<dyn Stream>,
    orders: &Arc<Inbox<Order>>,
    opened: oneshot::Sender<()>,
) -> Result<JoinHandle<()>> {
    let loader = Loader::start(&runtime, {
        let orders = Arc::clone(orders);
        move |done| orders.push(Order::Done(done))
    })?;
    let supervisor = Supervisor {
        shared: Arc::clone(shared),
        lanes,
        stream: Arc::clone(stream),
        loader,
        housekeeper: Housekeeper::start()?,
        inbox: Arc::clone(orders),
        catalog: Arc::new(Catalog::default()),
        wings: Wings::new(shared.limits.residence.clone()),
        leaving: Vec::new(),
        stages: BTreeMap::new(),
        opening: BTreeMap::new(),
        journals: BTreeMap::new(),
        attempts: 0,
        opened: Some(opened),
    };
    let thread = std::thread::Builder::new().name("supervisor".into());
    Ok(thread.spawn(move || supervisor.run())?)
}

/// Starts to read what other hosts answer callers of this one, where there may be others.
fn start_courier(shared: &Arc<Shared>, stream: &Arc<dyn Stream>) -> Result<Option<Courier>> {
    let Some(replies) = &shared.replies else { return Ok(None) };
    let host = Arc::clone(shared);
    let deliver = move |endpoint: &str, delivered| {
        if let Some(endpoint) = host.endpoint(endpoint) {
            endpoint.inbox.push(Event::Replies(delivered));
        }
    };
    Ok(Some(Courier::start(Arc::clone(replies), Arc::clone(stream), Box::new(deliver))?))
}

/// What gets the host into its cluster again when a password or a certificate that was refused is
/// mended.
fn secrets_source(shared: &Arc<Shared>) -> Option<Source> {
    let files = shared.storage.secrets();
    let mut used: Option<Vec<Vec<u8>>> = None;
    let shared = Arc::clone(shared);
    let first = files.first()?.clone();
    let mut source = Source::new(files, move |contents| {
        if used.is_none() || used.as_deref() == Some(contents) {
            used = Some(contents.to_vec());
            return Ok(());
        }
        if !shared.storage.is_shut_out() {
            let mut problem = Problem::new(&first, "another secret than the one in use");
            problem.note = Some("it is used as soon as the brokers refuse the former one".into());
            problem.severity = Severity::Warning;
            return Err(problem);
        }
        let renewed = shared.storage.renew();
        renewed.map_err(|error| Problem::new(&first, format!("{error:#}")))?;
        used = Some(contents.to_vec());
        shared.orders.push(Order::Renewed);
        Ok(())
    });
    // Those of the start are no news.
    source.look();
    Some(source)
}

fn start_watcher(options: &HostOptions, orders: &Arc<Inbox<Order>>) -> Result<Watcher> {
    let orders = Arc::clone(orders);
    let tell = move |catalog| orders.push(Order::Catalog(catalog));
    Watcher::start(&options.models_dir, options.watch_options(), Box::new(tell))
        .with_context(|| format!("cannot watch {:?}", options.models_dir))
}

/// Listens where requests and operators come in, unless strangers would be let in there.
async fn listen_all(
    options: &HostOptions,
    access: &Access,
) -> Result<([TcpListener; 3], Addresses)> {
    let tls = access.tls.as_ref();
    let wanted = [
        ("listen", options.listen, tls),
        ("grpc-listen", options.grpc_listen, tls),
        ("admin-listen", options.admin_listen, access.admin_tls.as_ref()),
    ];
    access.check_reach(options.open, &wanted)?;
    let [public, grpc, admin] = wanted.map(|(option, address, _)| listen(option, address));
    let (public, grpc, admin) = (public.await?, grpc.await?, admin.await?);
    let addresses = Addresses {
        rest: public.local_addr()?,
        grpc: grpc.local_addr()?,
        admin: admin.local_addr()?,
    };
    Ok(([public, grpc, admin], addresses))
}

/// Where a host can be reached.
fn shown(address: SocketAddr, is_encrypted: bool) -> String {
    let scheme = if is_encrypted { "https" } else { "http" };
    format!("{scheme}://{address}")
}
