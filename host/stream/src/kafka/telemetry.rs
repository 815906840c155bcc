//! What is known of the cluster without asking it: who can be reached, what went wrong, what waits.
//!
//! Clients tell it as it happens. A trouble is said once when it begins, once a minute while it lasts,
//! and once when it is over, whichever of the clients meets it and however often.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use rdkafka::Statistics;
use rdkafka::statistics::Broker;

use super::settings::Role;
use super::trouble::{Class, Trouble};

/// What is known of the cluster and of our ways to it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Telemetry {
    /// The brokers, as the clients see them: the worst of what they say of each.
    pub brokers: Vec<BrokerState>,
    /// What is wrong at the moment.
    pub troubles: Vec<Ongoing>,
    /// How often each kind of trouble was met since the start.
    pub errors: BTreeMap<Class, u64>,
    /// Records that were handed in and that the brokers have not taken yet.
    pub waiting_records: u64,
    /// Their bytes.
    pub waiting_bytes: u64,
    /// Records that were refused for good.
    pub failed_records: u64,
    /// Records that the brokers have taken.
    pub delivered_records: u64,
    /// Clients that had to be made anew, because they could not go on.
    pub clients_remade: u64,
}

impl Telemetry {
    /// Whether any broker can be reached.
    pub fn is_reachable(&self) -> bool {
        self.brokers.iter().any(|broker| broker.is_up)
    }
}

/// A broker, as we see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BrokerState {
    /// Its address.
    pub name: String,
    /// Whether it can be reached.
    pub is_up: bool,
    /// The way to it and back, in microseconds; 0 if nothing was asked lately.
    pub rtt_us_p50: u64,
    /// The same for the slowest hundredth.
    pub rtt_us_p99: u64,
    /// How long it had us wait because of quotas, in milliseconds.
    pub throttle_ms: u64,
}

/// Something that is wrong at the moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ongoing {
    /// What kind of trouble it is.
    pub class: Class,
    /// What was said about it last.
    pub reason: String,
    /// For how long it has been so.
    pub lasting: Duration,
    /// How often it was met.
    pub count: u64,
}

/// Where the clients of a stream say what they see.
pub(crate) struct Board {
    servers: String,
    seen: Mutex<Seen>,
    pub(crate) waiting_records: AtomicU64,
    pub(crate) waiting_bytes: AtomicU64,
    pub(crate) failed_records: AtomicU64,
    pub(crate) delivered_records: AtomicU64,
    pub(crate) clients_remade: AtomicU64,
}

#[derive(Default)]
struct Seen {
    /// What each client sees of each broker.
    views: BTreeMap<(&'static str, u64), BTreeMap<String, BrokerState>>,
    troubles: BTreeMap<Class, Trouble>,
    errors: BTreeMap<Class, u64>,
    next_client: u64,
}

impl Board {
    pub(crate) fn new(servers: String) -> Arc<Self> {
        Arc::new(Self {
            servers,
            seen: Mutex::default(),
            waiting_records: AtomicU64::new(0),
            waiting_bytes: AtomicU64::new(0),
            failed_records: AtomicU64::new(0),
            delivered_records: AtomicU64::new(0),
            clients_remade: AtomicU64::new(0),
        })
    }

    /// A place for one more client to say what it sees.
    pub(crate) fn enter(self: &Arc<Self>, role: Role) -> Post {
        let mut seen = self.seen.lock();
        seen.next_client += 1;
        Post { board: Arc::clone(self), role, client: seen.next_client }
    }

    /// Notes that something went wrong, and says so if it is news.
    pub(crate) fn note(&self, class: Class, reason: &str) {
        let mut seen = self.seen.lock();
        *seen.errors.entry(class).or_default() += 1;
        let now = Instant::now();
        let is_news = match seen.troubles.get_mut(&class) {
            Some(trouble) => trouble.again(reason, now),
            None => {
                seen.troubles.insert(class, Trouble::begun(reason, now));
                true
            }
        };
        if is_news {
            let trouble = &seen.troubles[&class];
            trouble.say(class, &self.servers, now);
        }
    }

    /// What was said last about a trouble of this kind, while it lasts.
    pub(crate) fn reason(&self, class: Class) -> Option<String> {
        self.seen.lock().troubles.get(&class).map(|trouble| trouble.reason().to_owned())
    }

    /// What is wrong with the way to the brokers, if anything is.
    pub(crate) fn obstacle(&self) -> Option<String> {
        let seen = self.seen.lock();
        let found = Class::OBSTACLES.iter().find_map(|class| seen.troubles.get(class));
        found.map(|trouble| trouble.reason().to_owned())
    }

    /// Why no broker can be reached, if none can.
    pub(crate) fn cut_off(&self) -> Option<String> {
        let reason = self.obstacle()?;
        let seen = self.seen.lock();
        let is_up = seen.views.values().flat_map(BTreeMap::values).any(|broker| broker.is_up);
        (!is_up).then_some(reason)
    }

    pub(crate) fn snapshot(&self) -> Telemetry {
        let seen = self.seen.lock();
        let now = Instant::now();
        let troubles = seen.troubles.iter().map(|(&class, trouble)| trouble.ongoing(class, now));
        Telemetry {
            brokers: worst(seen.views.values()),
            troubles: troubles.collect(),
            errors: seen.errors.clone(),
            waiting_records: self.waiting_records.load(Ordering::Relaxed),
            waiting_bytes: self.waiting_bytes.load(Ordering::Relaxed),
            failed_records: self.failed_records.load(Ordering::Relaxed),
            delivered_records: self.delivered_records.load(Ordering::Relaxed),
            clients_remade: self.clients_remade.load(Ordering::Relaxed),
        }
    }

    /// Troubles that nobody has met for a while are over, if the brokers can be reached.
    fn settle(&self) {
        let now = Instant::now();
        let mut seen = self.seen.lock();
        let brokers = worst(seen.views.values());
        let any_up = brokers.iter().any(|broker| broker.is_up);
        // Of none it is not known that all of them are.
        let all_up = any_up && brokers.iter().all(|broker| broker.is_up);
        let is_over = |class: Class, trouble: &Trouble| {
            let reachable = if class == Class::Unreachable { all_up } else { any_up };
            reachable && trouble.is_quiet(now)
        };
        let over: Vec<_> = seen
            .troubles
            .iter()
            .filter_map(|(&class, trouble)| is_over(class, trouble).then_some(class))
            .collect();
        for class in over {
            if let Some(trouble) = seen.troubles.remove(&class) {
                trouble.say_over(class, &self.servers, now);
            }
        }
    }
}

/// Brings together what several clients see: a broker is up if whoever wants it reaches it.
fn worst<'a>(views: impl Iterator<Item = &'a BTreeMap<String, BrokerState>>) -> Vec<BrokerState> {
    let mut brokers: BTreeMap<&str, BrokerState> = BTreeMap::new();
    for broker in views.flat_map(BTreeMap::values) {
        brokers
            .entry(&broker.name)
            .and_modify(|worst| {
                worst.is_up &= broker.is_up;
                worst.rtt_us_p50 = worst.rtt_us_p50.max(broker.rtt_us_p50);
                worst.rtt_us_p99 = worst.rtt_us_p99.max(broker.rtt_us_p99);
                worst.throttle_ms = worst.throttle_ms.max(broker.throttle_ms);
            })
            .or_insert_with(|| broker.clone());
    }
    brokers.into_values().collect()
}

/// The place of one client on the board. What it saw goes with it.
pub(crate) struct Post {
    board: Arc<Board>,
    role: Role,
    client: u64,
}

impl fmt::Debug for Post {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.role.name(), self.client)
    }
}

impl Post {
    pub(crate) fn board(&self) -> &Arc<Board> {
        &self.board
    }

    pub(crate) fn role(&self) -> Role {
        self.role
    }

    /// Takes over what the client says of its brokers.
    pub(crate) fn look(&self, statistics: &Statistics) {
        let brokers = || statistics.brokers.values().filter(|broker| broker.state != "INIT");
        // Until the brokers are known by their numbers, the addresses of the configuration stand for
        // them. To a broker of which it wants nothing a client does not even connect.
        let is_known = brokers().any(|broker| broker.nodeid >= 0);
        let counts = |broker: &&Broker| {
            if is_known { broker.nodeid >= 0 } else { broker.source == "configured" }
        };
        let view = brokers().filter(counts).map(|broker| (broker.nodename.clone(), state(broker)));
        let view = view.collect();
        self.board.seen.lock().views.insert((self.role.name(), self.client), view);
        self.board.settle();
    }
}

impl Drop for Post {
    fn drop(&mut self) {
        self.board.seen.lock().views.remove(&(self.role.name(), self.client));
    }
}

fn state(broker: &Broker) -> BrokerState {
    let positive = |value: i64| u64::try_from(value).unwrap_or(0);
    let (p50, p99) = broker.rtt.as_ref().map_or((0, 0), |rtt| (rtt.p50, rtt.p99));
    let throttle = broker.throttle.as_ref().map_or(0, |throttle| throttle.max);
    BrokerState {
        name: broker.nodename.clone(),
        is_up: matches!(broker.state.as_str(), "UP" | "UPDATE" | "REAUTH"),
        rtt_us_p50: positive(p50),
        rtt_us_p99: positive(p99),
        throttle_ms: positive(throttle),
    }
}
