//! A model: one compiled component, what it is, and what it may use.
//!
//! What was found out about an artefact outlives the model as [`Known`]: with it the same artefact
//! is loaded again from its compiled code alone.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use message::{Fault, FaultClass, Revision};

use crate::contract::{self, Bindings, BindingsPre};
use crate::description::Description;
use crate::fault::{self, Asked, fault};
use crate::guest::{Guest, Meter};
use crate::inspect::{Inspection, Metadata};
use crate::limits::{ModelLimits, Quota, Share, Usage};
use crate::load::LoadError;
use crate::runtime;
use crate::session::Session;
use crate::wasi::Locked;
use crate::wasi::log::Log;

/// One compiled component that can be asked. `Clone` costs one atomic increment.
#[derive(Clone)]
pub struct Model(Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) runtime: Arc<runtime::Inner>,
    pub(crate) description: Arc<Description>,
    pub(crate) limits: ModelLimits,
    quota: Arc<Quota>,
    pre: BindingsPre<Guest>,
    inspection: Arc<Inspection>,
    image_bytes: usize,
    session_bytes: usize,
    how: How,
    log: Arc<Log>,
}

/// What was found out about an artefact when it was loaded once. `Clone` costs two atomic increments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    pub(crate) inspection: Arc<Inspection>,
    pub(crate) description: Arc<Description>,
    /// What its compiled code takes.
    pub(crate) image_bytes: usize,
    /// The memory that a session has at its start.
    pub(crate) session_bytes: usize,
}

impl Known {
    /// The digest of the artefact.
    pub fn revision(&self) -> Revision {
        self.inspection.revision
    }

    /// What the model takes and gives.
    pub fn description(&self) -> &Description {
        &self.description
    }

    /// What the artefact imports: all that it could ever reach.
    pub fn imports(&self) -> &[String] {
        &self.inspection.imports
    }

    /// The memory that the model takes with one session, before that has asked for more.
    pub fn footprint_bytes(&self) -> usize {
        self.image_bytes + self.session_bytes + UPKEEP_BYTES
    }
}

/// What the host keeps for a loaded model beside its image and its memories: the tables of the
/// engine, the pages of stores, the queue. Measured with the guests of the tests, rounded up.
const UPKEEP_BYTES: usize = 256 << 10;

/// How a model came to be loaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum How {
    /// It was compiled, which took this long.
    Compiled {
        /// How long.
        time: Duration,
    },
    /// It was found compiled, which took this long.
    Cached {
        /// How long.
        time: Duration,
    },
}

impl Model {
    /// Starts a first session and asks it what it is.
    pub(crate) fn start(
        runtime: Arc<runtime::Inner>,
        linked: Linked,
        inspection: Inspection,
        limits: ModelLimits,
    ) -> Result<Self, LoadError> {
        let nothing = Description {
            inputs: Vec::new(),
            outputs: Vec::new(),
            batch_limit: 0,
            stateless: true,
        };
        let known = Known {
            inspection: Arc::new(inspection),
            description: Arc::new(nothing),
            image_bytes: linked.image_bytes,
            session_bytes: 0,
        };
        let mut inner = Inner::new(runtime, linked, known, limits);
        inner.description = Arc::new(inner.describe()?);
        inner.session_bytes = inner.quota.usage().memory_bytes_high;
        Ok(Self(Arc::new(inner)))
    }

    /// Takes up a model of which everything is known. Nothing of it runs before it is asked.
    pub(crate) fn resume(
        runtime: Arc<runtime::Inner>,
        linked: Linked,
        known: Known,
        limits: ModelLimits,
    ) -> Self {
        Self(Arc::new(Inner::new(runtime, linked, known, limits)))
    }

    /// What was found out about the artefact, for [`Runtime::recall`](crate::Runtime::recall).
    pub fn known(&self) -> Known {
        let Inner { inspection, description, image_bytes, session_bytes, .. } = &*self.0;
        Known {
            inspection: Arc::clone(inspection),
            description: Arc::clone(description),
            image_bytes: *image_bytes,
            session_bytes: *session_bytes,
        }
    }

    /// The memory that the model takes at the most as it is now: its compiled code, the memories of
    /// its sessions (of one at least), and the upkeep. Of these, only what is touched is really in
    /// memory.
    pub fn footprint_bytes(&self) -> usize {
        let sessions_bytes = self.usage().memory_bytes.max(self.0.session_bytes);
        self.0.image_bytes + sessions_bytes + UPKEEP_BYTES
    }

    /// What the model takes and gives.
    pub fn description(&self) -> &Description {
        &self.0.description
    }

    /// The digest of the artefact.
    pub fn revision(&self) -> Revision {
        self.0.inspection.revision
    }

    /// What the artefact imports: all that it could ever reach.
    pub fn imports(&self) -> &[String] {
        &self.0.inspection.imports
    }

    /// Who made it, and from what.
    pub fn metadata(&self) -> &Metadata {
        &self.0.inspection.metadata
    }

    /// What it may use.
    pub fn limits(&self) -> &ModelLimits {
        &self.0.limits
    }

    /// How it came to be loaded.
    pub fn loaded(&self) -> How {
        self.0.how
    }

    /// What it uses now.
    pub fn usage(&self) -> Usage {
        self.0.quota.usage()
    }

    /// The lines that it printed last, oldest first. Only a component with WASI can print.
    pub fn log(&self) -> Vec<String> {
        self.0.log.lines()
    }

    /// Starts a session. Takes microseconds, or what the start functions of the component take.
    ///
    /// # Errors
    ///
    /// If the component breaks at its start, or if there is no room for one more session: class
    /// [`Host`](FaultClass::Host), and no blame on the model.
    pub fn session(&self) -> Result<Session, Fault> {
        let limit = if self.0.description.stateless { self.0.limits.sessions.max(1) } else { 1 };
        let (store, bindings, seat) = self.0.instantiate(limit)?;
        Ok(Session::new(self.0.clone(), store, bindings, seat))
    }
}

impl fmt::Debug for Model {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Model")
            .field("revision", &self.0.inspection.revision)
            .field("description", &self.0.description)
            .finish_non_exhaustive()
    }
}

type Instance = (wasmtime::Store<Guest>, Bindings, runtime::Seat);

/// A component that is linked, and how it came to be compiled.
pub(crate) struct Linked {
    pub(crate) pre: BindingsPre<Guest>,
    pub(crate) image_bytes: usize,
    pub(crate) how: How,
}

impl Inner {
    fn new(
        runtime: Arc<runtime::Inner>,
        Linked { pre, image_bytes, how }: Linked,
        Known { inspection, description, session_bytes, .. }: Known,
        limits: ModelLimits,
    ) -> Self {
        Self {
            quota: Arc::new(Quota::new(limits.memory_bytes)),
            log: Arc::new(Log::new(limits.log_bytes)),
            description,
            runtime,
            limits,
            pre,
            inspection,
            image_bytes,
            session_bytes,
            how,
        }
    }

    fn instantiate(&self, sessions_limit: usize) -> Result<Instance, Fault> {
        let seat = self.runtime.seat().ok_or_else(|| {
            let limit = self.runtime.config.sessions_limit;
            fault(FaultClass::Host, format!("all {limit} sessions of the host are in use"))
        })?;
        let share = Share::new(self.quota.clone(), self.limits.table_elements, sessions_limit);
        let share = share.ok_or_else(|| {
            fault(
                FaultClass::Host,
                format!("all {sessions_limit} sessions of the model are in use"),
            )
        })?;
        let guest = Guest {
            share,
            meter: Meter::new(self.runtime.config.tick, self.limits.wall_backstop),
            locked: self.inspection.wants_wasi.then(|| Box::new(Locked::new(&self.log))),
        };
        let mut store = guest.store(&self.runtime.engine, self.limits.result_bytes);
        let _running = self.runtime.ticker.run();
        Guest::begin(&mut store, self.limits.start_budget);
        match self.pre.instantiate(&mut store) {
            Ok(bindings) => Ok((store, bindings, seat)),
            Err(error) => Err(fault::of_error(&error, store.data_mut(), Asked::Start)),
        }
    }

    fn describe(&self) -> Result<Description, LoadError> {
        let (mut store, bindings, _seat) = self.instantiate(1).map_err(LoadError::Start)?;
        let _running = self.runtime.ticker.run();
        Guest::begin(&mut store, self.limits.start_budget);
        let predictor = bindings.understudy_model_predictor();
        let described = predictor.call_describe(&mut store).map_err(|error| {
            LoadError::Describe(fault::of_error(&error, store.data_mut(), Asked::Answer))
        })?;
        Ok(contract::description(described)?.check()?)
    }
}
