//! What one tenant may ask for, of all its tokens together.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;

use crate::gate::{Gate, Pass};
use crate::guard::Denied;
use crate::guard::bucket::Bucket;
use crate::guard::keyring::TenantLimits;

/// The share of one tenant, and how much of it is in use.
#[derive(Debug)]
pub(super) struct Quota {
    tenant: Arc<str>,
    pub(super) limits: TenantLimits,
    bucket: Option<Mutex<Bucket>>,
    calls: Option<Gate>,
}

impl Quota {
    /// A share of which nothing is in use.
    pub(super) fn new(tenant: Arc<str>, limits: TenantLimits) -> Self {
        let bucket = limits.per_second.map(|rate| Mutex::new(Bucket::new(rate, limits.burst())));
        Self { tenant, bucket, calls: limits.concurrent.map(Gate::new), limits }
    }

    /// Lets one call in.
    pub(super) fn enter(&self, now: Duration) -> Result<Option<Pass>, Denied> {
        let pass = match &self.calls {
            None => None,
            Some(gate) => Some(gate.enter(1).ok_or_else(|| Denied::Concurrency {
                tenant: Arc::clone(&self.tenant),
                concurrent: self.limits.concurrent.unwrap_or_default(),
            })?),
        };
        self.take(now, 1)?;
        Ok(pass)
    }

    /// Lets a call that is in, and has been counted as one request, bring `count` of them.
    pub(super) fn take_more(&self, now: Duration, count: usize) -> Result<(), Denied> {
        let burst = self.limits.burst();
        if self.bucket.is_some() && count > burst as usize {
            return Err(Denied::Burst { tenant: Arc::clone(&self.tenant), count, burst });
        }
        self.take(now, count.saturating_sub(1))
    }

    fn take(&self, now: Duration, count: usize) -> Result<(), Denied> {
        let Some(bucket) = &self.bucket else { return Ok(()) };
        bucket.lock().take(now, count).map_err(|retry_after| Denied::Rate {
            tenant: Arc::clone(&self.tenant),
            per_second: self.limits.per_second.unwrap_or_default(),
            retry_after,
        })
    }
}
