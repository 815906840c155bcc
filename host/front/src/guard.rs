//! Who is let in, and to what.
//!
//! A caller is known by a token, of which only the SHA-256 is kept, or by the certificate of its
//! connection. Nobody learns why it is not known: a missing, a wrong and an expired token get the
//! very same reply. A guard that has once known a token never again lets in whoever comes.

mod act;
mod bearer;
mod bucket;
mod keyring;
mod quota;

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use arc_swap::ArcSwapOption;
use hyper::HeaderMap;
use hyper::header::ORIGIN;

use crate::caller::{Caller, Scopes};
use crate::gate::Pass;
use crate::guard::keyring::Doors;

pub use act::Act;
pub use bearer::digest;
pub use keyring::{Key, Keyring, Proof, TenantLimits};

/// Tells callers apart and lets each do what it may. `Clone` gives another handle of the same guard.
#[derive(Clone)]
pub struct Guard(Arc<Shared>);

struct Shared {
    /// None where no tokens are in use.
    doors: ArcSwapOption<Doors>,
    /// What the times of quotas are counted from.
    started: Instant,
    note: Box<Note>,
}

type Note = dyn Fn(Option<&Caller>, &Denied) + Send + Sync;

/// The other end of a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Peer {
    /// Where it calls from.
    pub address: SocketAddr,
    /// The SHA-256 of its certificate, which the handshake has verified.
    pub certificate: Option<[u8; 32]>,
}

/// What was let in; its place is free again when this is dropped.
#[derive(Debug, Default)]
pub struct Entry {
    _place: Option<Pass>,
}

/// Why a caller is not let in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Denied {
    /// Because we do not know it.
    #[error("found no token that is known here, expected the header `authorization: Bearer TOKEN`")]
    Unknown {
        /// The token, where it is one that has expired. The caller is not told.
        expired: Option<Arc<str>>,
    },
    /// Because it may do other things only.
    #[error("the token `{token}` does not have the scope {needs}")]
    Scope {
        /// Its token.
        token: Arc<str>,
        /// What it would need, any one of them.
        needs: Scopes,
    },
    /// Because it is a page in somebody's browser, and no token says that it may operate the host.
    #[error(
        "found the header `origin`: pages in a browser change nothing on a host without tokens"
    )]
    Browser,
    /// Because its tenant has asked for enough.
    #[error(
        "the tenant `{tenant}` has asked for more than its quota of {per_second} requests a second"
    )]
    Rate {
        /// The tenant.
        tenant: Arc<str>,
        /// What it may ask for.
        per_second: u32,
        /// When there is room again.
        retry_after: Duration,
    },
    /// Because it brings more at once than its tenant may ever.
    #[error(
        "found {count} requests at once, expected at most the {burst} of the tenant `{tenant}`"
    )]
    Burst {
        /// The tenant.
        tenant: Arc<str>,
        /// How many it brings.
        count: usize,
        /// How many it may bring.
        burst: u32,
    },
    /// Because its tenant has enough calls open.
    #[error("the tenant `{tenant}` has its quota of {concurrent} calls open")]
    Concurrency {
        /// The tenant.
        tenant: Arc<str>,
        /// How many it may have open.
        concurrent: usize,
    },
}

impl Guard {
    /// A guard for a host that knows no tokens: everybody may do everything.
    pub fn open() -> Self {
        Self::new(|_, _| ())
    }

    /// A guard that knows no tokens yet. Whoever is denied is told to `note`, with the caller where
    /// it is known.
    pub fn new(note: impl Fn(Option<&Caller>, &Denied) + Send + Sync + 'static) -> Self {
        let doors = ArcSwapOption::default();
        Self(Arc::new(Shared { doors, started: Instant::now(), note: Box::new(note) }))
    }

    /// From now on, only those on the keyring are let in. Quotas that stay the same go on.
    pub fn lock(&self, keyring: Keyring) {
        let before = self.0.doors.load();
        self.0.doors.store(Some(Arc::new(Doors::new(keyring, before.as_deref()))));
    }

    /// Whether tokens are in use.
    pub fn is_locked(&self) -> bool {
        self.0.doors.load().is_some()
    }

    /// Says who calls.
    ///
    /// # Errors
    /// When that is nobody whom we know.
    pub fn identify(&self, headers: &HeaderMap, peer: &Peer) -> Result<Caller, Denied> {
        self.find(headers, peer).inspect_err(|denied| (self.0.note)(None, denied))
    }

    /// Says who calls, for what even strangers may have: for them it is `None`.
    pub fn recognise(&self, headers: &HeaderMap, peer: &Peer) -> Option<Caller> {
        self.find(headers, peer).ok()
    }

    /// Lets a caller do something, if it may and if there is room for it. `headers` are those of
    /// the call.
    ///
    /// # Errors
    /// When its scopes do not cover that, or its tenant has had its share.
    pub fn admit(&self, caller: &Caller, headers: &HeaderMap, act: Act) -> Result<Entry, Denied> {
        self.enter(caller, headers, act).inspect_err(|denied| (self.0.note)(Some(caller), denied))
    }

    /// Lets a caller who has been let in bring `count` requests instead of one.
    ///
    /// # Errors
    /// When its tenant has no room for so many.
    pub fn admit_all(&self, caller: &Caller, count: usize) -> Result<(), Denied> {
        let doors = self.0.doors.load();
        let Some(quota) = doors.as_deref().and_then(|doors| doors.quota_of(caller)) else {
            return Ok(());
        };
        let taken = quota.take_more(self.0.started.elapsed(), count);
        taken.inspect_err(|denied| (self.0.note)(Some(caller), denied))
    }

    fn find(&self, headers: &HeaderMap, peer: &Peer) -> Result<Caller, Denied> {
        match self.0.doors.load().as_deref() {
            None if peer.address.ip().to_canonical().is_loopback() => Ok(Caller::local()),
            None => Ok(Caller::anybody()),
            Some(doors) => doors.find(bearer::token(headers), peer.certificate.as_ref()),
        }
    }

    fn enter(&self, caller: &Caller, headers: &HeaderMap, act: Act) -> Result<Entry, Denied> {
        let needs = act.needs();
        if needs != Scopes::NONE && !caller.scopes.any_of(needs) {
            return Err(Denied::Scope { token: Arc::clone(&caller.name), needs });
        }
        let doors = self.0.doors.load();
        let Some(doors) = doors.as_deref() else {
            // A page from anywhere can make a browser call this machine, and has no token to show.
            let is_page = act == Act::Operate && headers.contains_key(ORIGIN);
            return if is_page { Err(Denied::Browser) } else { Ok(Entry::default()) };
        };
        match doors.quota_of(caller) {
            Some(quota) if act != Act::Health => {
                quota.enter(self.0.started.elapsed()).map(|_place| Entry { _place })
            }
            _ => Ok(Entry::default()),
        }
    }
}

impl fmt::Debug for Guard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Guard").field("is_locked", &self.is_locked()).finish_non_exhaustive()
    }
}

impl Denied {
    /// Why, in one word, as metrics have it.
    pub const fn why(&self) -> &'static str {
        match self {
            Self::Unknown { expired: None } => "unknown",
            Self::Unknown { expired: Some(_) } => "expired",
            Self::Scope { .. } => "scope",
            Self::Browser => "browser",
            Self::Rate { .. } => "rate",
            Self::Burst { .. } => "burst",
            Self::Concurrency { .. } => "concurrency",
        }
    }

    /// When a new attempt makes sense.
    pub const fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Rate { retry_after, .. } => Some(*retry_after),
            Self::Concurrency { .. } => Some(Duration::from_secs(1)),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests;
