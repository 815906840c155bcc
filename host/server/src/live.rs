//! The roster with everything that the driver needs beside it: workers, defaults, inputs.
//!
//! A value that the supervisor makes anew for each change and publishes whole, so that no request
//! sees half of one.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use catalog::{Flow, Route};
use message::{ModelName, Revision, Role, Tensor, Time};
use rendezvous::{MemberIndex, Roster};
use sandbox::lanes::{Lane, Worker};
use sandbox::{Model, TensorType};
use stream::TopicOptions;

use crate::external::External;
use crate::inputs::Inputs;
use crate::meter::ModelMeter;
use crate::routed::Routed;

/// One revision in one of its lives: it gets a new `incarnation` each time it joins a roster.
pub(crate) struct Identity {
    pub(crate) model: ModelName,
    pub(crate) revision: Revision,
    pub(crate) incarnation: u64,
    pub(crate) meter: Arc<ModelMeter>,
    /// On how many requests it was warmed before it joined.
    pub(crate) warmed: usize,
    pub(crate) record: TrackRecord,
}

#[cfg(test)]
impl Identity {
    /// Somebody of this name.
    pub(crate) fn for_tests(name: &str) -> Self {
        let meter = crate::meter::Meter::new("0").endpoint(&"e".into()).model(&name.into());
        Self {
            model: name.into(),
            revision: Revision::from_digest([0; 32]),
            incarnation: next_incarnation(),
            meter,
            warmed: 0,
            record: TrackRecord::default(),
        }
    }
}

/// How the calls of one revision went in this life of it.
#[derive(Debug, Default)]
pub(crate) struct TrackRecord {
    scored: AtomicU64,
    /// When it faulted last, in microseconds since 1970; 0 if never.
    faulted_us: AtomicU64,
}

impl TrackRecord {
    /// Counts a prediction or a refusal.
    pub(crate) fn count_score(&self) {
        self.scored.fetch_add(1, Ordering::Relaxed);
    }

    /// Takes note of a fault.
    pub(crate) fn note_fault(&self, now: Time) {
        self.faulted_us.store(now.as_us(), Ordering::Relaxed);
    }

    /// How many predictions and refusals there were.
    pub(crate) fn scored(&self) -> u64 {
        self.scored.load(Ordering::Relaxed)
    }

    /// When it faulted last.
    pub(crate) fn faulted(&self) -> Option<Time> {
        let us = self.faulted_us.load(Ordering::Relaxed);
        (us > 0).then(|| Time::from_us(us))
    }
}

/// A revision that scores, in the order of the roster.
#[derive(Clone)]
pub(crate) struct LiveMember {
    pub(crate) identity: Arc<Identity>,
    pub(crate) role: Option<Role>,
    pub(crate) lane: Lane,
    pub(crate) model: Model,
    pub(crate) worker: Arc<Worker>,
    /// While one call decides whether it is sound: set while that is on its way.
    pub(crate) probe: Option<Arc<AtomicBool>>,
}

/// What an endpoint is from one change to the next.
pub(crate) struct Live {
    pub(crate) roster: Arc<Roster>,
    /// Those that are asked: the live lane first.
    pub(crate) members: Vec<LiveMember>,
    /// The positions of those that are asked on every course, in the same order.
    pub(crate) common: Vec<usize>,
    /// Where each member of the roster stands among `members`, if it is asked.
    pub(crate) seats: Vec<Option<u32>>,
    /// The positions of those of the live lane that an order names: records come no faster than they
    /// can be queued there. Where a route leads to each of many models, one of those alone must not
    /// hold up the others, so what it has no room for goes to the next of the order.
    pub(crate) pacing: Vec<usize>,
    pub(crate) by_incarnation: HashMap<u64, MemberIndex>,
    /// The routes of the file, in the order of those of the roster's policy.
    pub(crate) routes: Vec<Route>,
    /// The topics that requests come from and answers go to, besides the endpoint's own.
    pub(crate) flow: Flow,
    /// How topics that are made for it keep their records.
    pub(crate) topic_options: TopicOptions,
    /// How long each revision that has a place is waited for, by the configuration.
    pub(crate) waits: HashMap<u64, Duration>,
    /// Whether an output that is not a number is a fault.
    pub(crate) nan_is_fault: bool,
    /// Those that are loaded when they are wanted, in memory or not.
    pub(crate) routed: HashMap<MemberIndex, Arc<Routed>>,
    /// Those that run outside of the host, whether they are asked or not.
    pub(crate) externals: BTreeMap<ModelName, Arc<External>>,
    pub(crate) deadline: Duration,
    pub(crate) key_input: Option<String>,
    /// Whether calls and records are turned away.
    pub(crate) paused: bool,
    pub(crate) default: Option<Vec<Tensor>>,
    pub(crate) inputs: Inputs,
    /// What the best-ranked member gives.
    pub(crate) outputs: Vec<TensorType>,
    /// What of the policy does not fit what the models declare, in sentences.
    pub(crate) misfits: BTreeSet<String>,
    /// Whether it has been said that the predictions of an ensemble do not fit each other.
    pub(crate) misfit_told: AtomicBool,
    /// Whether every model that was there at the start has been loaded or refused.
    pub(crate) settled: bool,
}

/// A number that no revision has had in any of its lives.
pub(crate) fn next_incarnation() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

impl Live {
    /// The member with this name.
    pub(crate) fn member(&self, model: &str) -> Option<&LiveMember> {
        self.members.iter().find(|member| member.identity.model.as_str() == model)
    }

    /// The member of this number on the roster, if it is asked.
    pub(crate) fn seated(&self, member: MemberIndex) -> Option<&LiveMember> {
        let position = (*self.seats.get(member.as_usize())?)?;
        self.members.get(position as usize)
    }

    /// The routed model with this name.
    pub(crate) fn routed(&self, model: &str) -> Option<&Arc<Routed>> {
        self.routed.get(&self.roster.position(model)?)
    }

    /// Whether the member of this number on the roster runs outside of the host.
    pub(crate) fn is_external(&self, member: MemberIndex) -> bool {
        let name = self.roster.member(member).map(|member| &member.name);
        name.is_some_and(|name| self.externals.contains_key(name))
    }

    /// How many more requests every member that sets the pace can queue.
    pub(crate) fn room(&self) -> usize {
        let room = |&position: &usize| self.members[position].worker.room();
        self.pacing.iter().map(room).min().unwrap_or(usize::MAX)
    }
}
