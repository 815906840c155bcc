//! Who is let in, and to what.

mod act;

use std::net::SocketAddr;
use std::sync::Arc;

use hyper::HeaderMap;

use crate::caller::{Caller, Scopes};

pub use act::Act;

/// Tells callers apart and lets each do what it may. `Clone` gives another handle of the same guard.
#[derive(Debug, Clone)]
pub struct Guard(());

/// The other end of a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Peer {
    /// Where it calls from.
    pub address: SocketAddr,
}

/// What was let in; its place is free again when this is dropped.
#[derive(Debug, Default)]
pub struct Entry(());

/// Why a caller is not let in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Denied {
    /// Because it may do other things only.
    #[error("the token `{token}` has not the scope {needs}")]
    Scope {
        /// Its token.
        token: Arc<str>,
        /// What it would need, any one of them.
        needs: Scopes,
    },
}

impl Guard {
    /// A guard for a host that knows no tokens: everybody may do everything.
    pub const fn open() -> Self {
        Self(())
    }

    /// Says who calls.
    ///
    /// # Errors
    /// When that is nobody whom we know.
    pub fn identify(&self, _headers: &HeaderMap, _peer: &Peer) -> Result<Caller, Denied> {
        Ok(Caller::local())
    }

    /// Lets a caller do something, if it may and if there is room for it.
    ///
    /// # Errors
    /// When its scopes do not cover that.
    pub fn admit(&self, caller: &Caller, act: Act) -> Result<Entry, Denied> {
        let needs = act.needs();
        if needs == Scopes::NONE || caller.scopes.any_of(needs) {
            return Ok(Entry::default());
        }
        Err(Denied::Scope { token: Arc::clone(&caller.name), needs })
    }
}
