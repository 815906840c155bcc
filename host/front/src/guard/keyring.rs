//! Who is known, and how callers are told apart.
//!
//! What a caller shows is compared with every key to the end, whichever fits, and byte by byte in
//! the same time: how long that takes tells nothing about what would have fitted.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::SystemTime;

use message::Time;
use subtle::{Choice, ConditionallySelectable, ConstantTimeEq};

use crate::caller::Caller;
use crate::guard::Denied;
use crate::guard::bearer::Shown;
use crate::guard::quota::Quota;

/// Those who are let in, and how much of the host each tenant may have.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Keyring {
    /// How callers are known.
    pub keys: Vec<Key>,
    /// The limits of tenants.
    pub tenants: BTreeMap<Arc<str>, TenantLimits>,
    /// The limits of every other tenant.
    pub others: TenantLimits,
}

/// One way in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// Who comes in.
    pub caller: Caller,
    /// What it shows.
    pub proof: Proof,
    /// When it is over.
    pub expires: Option<Time>,
}

/// What a caller shows, as a SHA-256.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Proof {
    /// A token in the header `authorization`.
    Token([u8; 32]),
    /// The certificate of its connection, where the call shows no token.
    Certificate([u8; 32]),
}

/// How much of the host a tenant may have; everything that is `None` is without limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TenantLimits {
    /// Requests a second, on average. At least 1.
    pub per_second: Option<u32>,
    /// Requests at once; without it, as many as in a second.
    pub burst: Option<u32>,
    /// Calls that are open at the same time.
    pub concurrent: Option<usize>,
}

impl TenantLimits {
    /// How many requests may come at once.
    pub(super) fn burst(self) -> u32 {
        self.burst.or(self.per_second).unwrap_or(u32::MAX).max(1)
    }
}

/// A keyring in use.
#[derive(Debug)]
pub(super) struct Doors {
    tokens: Vec<([u8; 32], Key)>,
    certificates: Vec<([u8; 32], Key)>,
    quotas: BTreeMap<Arc<str>, Arc<Quota>>,
}

impl Doors {
    /// Puts a keyring in use. Quotas that are what they were `before` keep what they have counted.
    pub(super) fn new(keyring: Keyring, before: Option<&Self>) -> Self {
        let tenants = keyring.keys.iter().filter_map(|key| key.caller.tenant.clone());
        let quotas = tenants.map(|tenant| {
            let limits = *keyring.tenants.get(&tenant).unwrap_or(&keyring.others);
            let old = before.and_then(|before| before.quotas.get(&tenant));
            let quota = match old.filter(|old| old.limits == limits) {
                Some(old) => Arc::clone(old),
                None => Arc::new(Quota::new(Arc::clone(&tenant), limits)),
            };
            (tenant, quota)
        });
        let quotas = quotas.collect();
        let (mut tokens, mut certificates) = (Vec::new(), Vec::new());
        for key in keyring.keys {
            match key.proof {
                Proof::Token(digest) => tokens.push((digest, key)),
                Proof::Certificate(digest) => certificates.push((digest, key)),
            }
        }
        Self { tokens, certificates, quotas }
    }

    /// The caller who shows this. A token goes before a certificate, and a wrong one is not
    /// made up for by a right certificate.
    pub(super) fn find(
        &self,
        shown: Shown,
        certificate: Option<&[u8; 32]>,
    ) -> Result<Caller, Denied> {
        let key = match (shown, certificate) {
            (Shown::Token(digest), _) => find(&self.tokens, &digest),
            (Shown::Nothing, Some(digest)) => find(&self.certificates, digest),
            (Shown::Nothing, None) | (Shown::Other, _) => None,
        };
        match key {
            None => Err(Denied::Unknown { expired: None }),
            Some(key) if key.expires.is_some_and(|expires| expires <= now()) => {
                Err(Denied::Unknown { expired: Some(Arc::clone(&key.caller.name)) })
            }
            Some(key) => Ok(key.caller.clone()),
        }
    }

    /// The quota that a caller's calls count towards.
    pub(super) fn quota_of(&self, caller: &Caller) -> Option<&Quota> {
        self.quotas.get(caller.tenant.as_ref()?).map(|quota| &**quota)
    }
}

fn find<'k>(keys: &'k [([u8; 32], Key)], digest: &[u8; 32]) -> Option<&'k Key> {
    let (mut found, mut at) = (Choice::from(0), 0_u64);
    for (index, (known, _)) in keys.iter().enumerate() {
        let fits = known.ct_eq(digest);
        at = u64::conditional_select(&at, &(index as u64), fits);
        found |= fits;
    }
    let index = usize::try_from(at).ok().filter(|_| bool::from(found))?;
    keys.get(index).map(|(_, key)| key)
}

fn now() -> Time {
    let since_epoch = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    Time::EPOCH + since_epoch.unwrap_or_default()
}
