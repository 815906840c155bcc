//! A session: one live store of a model. Its first fault is its last.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use message::{Fault, FaultClass, Prediction, Refusal, Request};
use wasmtime::Store;

use crate::conform::{Accepted, predictions};
use crate::contract::Bindings;
use crate::fault::{self, Asked, fault};
use crate::guest::Guest;
use crate::model;
use crate::runtime::Seat;

/// One live instance of a model.
pub struct Session {
    // Before the seat, so that the place is free only when the memory is.
    store: Store<Guest>,
    bindings: Bindings,
    model: Arc<model::Inner>,
    calls: u64,
    dead: bool,
    _seat: Seat,
}

/// What came of a call, and what it cost.
#[derive(Debug)]
pub struct Call {
    /// A result for each request in order, or the fault of the whole call.
    pub results: Result<Vec<Result<Prediction, Refusal>>, Fault>,
    /// The CPU time of the guest.
    pub cpu: Duration,
    /// How long the guest took on the clock on the wall.
    pub wall: Duration,
}

impl Session {
    pub(crate) fn new(
        model: Arc<model::Inner>,
        store: Store<Guest>,
        bindings: Bindings,
        seat: Seat,
    ) -> Self {
        Self { store, bindings, model, calls: 0, dead: false, _seat: seat }
    }

    /// Asks the model, once for all `requests`, within the CPU budget of that many requests.
    ///
    /// Requests that do not fit the model's description are refused by the host; the guest never
    /// sees them. After a fault the session is dead, and all that it answers is one more.
    pub fn predict(&mut self, requests: &[&Request]) -> Call {
        let count = u32::try_from(requests.len()).unwrap_or(u32::MAX);
        self.predict_within(self.model.limits.cpu_budget.saturating_mul(count), requests)
    }

    /// Asks the model like [`predict`](Self::predict), within another CPU budget.
    pub fn predict_within(&mut self, cpu_budget: Duration, requests: &[&Request]) -> Call {
        if self.dead {
            let message = "the session is dead since its first fault";
            return Call::not_made(Err(fault(FaultClass::Host, message)));
        }
        let Self { store, bindings, model, .. } = self;
        let accepted = Accepted::new(&model.description, requests);
        let Some(first) = accepted.first() else {
            return Call::not_made(Ok(accepted.merge(Vec::new())));
        };
        if let Some(locked) = &mut store.data_mut().locked {
            locked.begin(first);
        }
        let Call { results, cpu, wall } = call(model, store, bindings, cpu_budget, &accepted);
        let results = results.map(|answered| accepted.merge(answered));
        self.calls += 1;
        self.dead = results.is_err();
        Call { results, cpu, wall }
    }

    /// Returns whether the session should make room for a fresh one: it has made many calls, or
    /// keeps more memory than its share. Never true of a model with state.
    pub fn is_worn(&self) -> bool {
        let limits = &self.model.limits;
        let share_bytes = limits.memory_bytes / limits.sessions.max(1);
        self.model.description.stateless
            && (self.calls >= limits.recycle_calls || self.memory_bytes() > share_bytes)
    }

    /// The memory that the session has.
    pub fn memory_bytes(&self) -> usize {
        self.store.data().share.bytes()
    }

    /// Returns whether the session has had its fault.
    pub const fn is_dead(&self) -> bool {
        self.dead
    }
}

/// Calls the guest, and checks what it returns.
fn call(
    model: &model::Inner,
    store: &mut Store<Guest>,
    bindings: &Bindings,
    cpu_budget: Duration,
    accepted: &Accepted<'_>,
) -> Call {
    let tensors = accepted.tensors();
    let requests = accepted.requests(&tensors);
    let running = model.runtime.ticker.run();
    Guest::begin(store, cpu_budget);
    let returned = bindings.understudy_model_predictor().call_predict(&mut *store, &requests);
    let (wall, cpu) = store.data().meter.end();
    drop(running);
    let results = match returned {
        Ok(answered) => predictions(&model.description, accepted.len(), answered),
        Err(error) => Err(fault::of_error(&error, store.data_mut(), Asked::Answer)),
    };
    Call { results, cpu, wall }
}

impl Call {
    /// A call that never reached the guest.
    const fn not_made(results: Result<Vec<Result<Prediction, Refusal>>, Fault>) -> Self {
        Self { results, cpu: Duration::ZERO, wall: Duration::ZERO }
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("calls", &self.calls)
            .field("dead", &self.dead)
            .finish_non_exhaustive()
    }
}
