//! One model of an endpoint through its life: stage, warm, live, quarantined, rolled back.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use catalog::ModelFile;
use message::{Revision, Time};
use rendezvous::quarantine::Health;

use super::conduct::{Calls, Conduct, ConductLimits, Finding, May};
use crate::live::LiveMember;
use crate::routed::Warmth;

/// One model: the file that is wanted, what runs, and what ran before.
pub(crate) struct Part {
    wanted: ModelFile,
    loading: bool,
    refused: Option<String>,
    running: Option<Running>,
    /// The revision before, kept warm so that a roll-back costs nothing.
    standby: Option<LiveMember>,
}

struct Running {
    member: LiveMember,
    conduct: Conduct,
    since: Time,
}

/// Where a model stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum State {
    /// Because its file is being compiled and warmed, and nothing of it runs yet.
    Loading,
    /// Because its file was refused and nothing of it runs.
    Refused(String),
    /// Because requests have to want it before it is loaded.
    Cold,
    /// Because it scores.
    Live,
    /// Because it faulted too often.
    Quarantined {
        /// When it is probed.
        until: Time,
        /// What led there.
        reason: String,
    },
    /// Because its next call decides whether it is live again.
    Probed,
    /// Because its manifest says that it is not to be asked.
    Paused,
    /// Because it was late or faulted too often: it scores, and nobody waits for it.
    Demoted(String),
    /// Because it scores outside of the host.
    External,
    /// Because it should score outside of the host, and was not heard for too long.
    Silent(String),
}

impl State {
    /// Where a routed model stands that neither rests nor was refused.
    pub(crate) const fn of_warmth(warmth: Warmth) -> Self {
        match warmth {
            Warmth::Cold => Self::Cold,
            Warmth::Coming => Self::Loading,
            Warmth::Warm => Self::Live,
        }
    }

    /// The word for it.
    pub(crate) const fn name(&self) -> &'static str {
        match self {
            Self::Loading => "loading",
            Self::Refused(_) => "refused",
            Self::Cold => "cold",
            Self::Live => "live",
            Self::Quarantined { .. } => "quarantined",
            Self::Probed => "probed",
            Self::Paused => "paused",
            Self::Demoted(_) => "demoted",
            Self::External => "external",
            Self::Silent(_) => "silent",
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(reason) => write!(f, "its file was refused: {reason}"),
            Self::Quarantined { reason, .. } => write!(f, "it is in quarantine: {reason}"),
            Self::Demoted(reason) => write!(f, "it is demoted: {reason}"),
            Self::Silent(reason) => write!(f, "it is silent: {reason}"),
            Self::Loading
            | Self::Cold
            | Self::Live
            | Self::Probed
            | Self::Paused
            | Self::External => {
                write!(f, "it is {}", self.name())
            }
        }
    }
}

/// What became of a revision.
pub(crate) enum Turn {
    /// The revision before it plays again. Holds the one that was taken off.
    RolledBack(Box<LiveMember>),
    /// It rests.
    Quarantined,
    /// It stays though it faulted too often, because there is nobody else.
    Kept,
    /// It may answer again.
    Recovered,
    /// It gives way to the others.
    Demoted,
    /// It has its place again.
    Reinstated,
    /// It runs outside of the host, and was not heard for too long.
    Silent,
    /// It is heard again.
    Heard,
}

impl Turn {
    /// The word for it, as events and metrics have it.
    pub(crate) const fn name(&self) -> &'static str {
        match self {
            Self::RolledBack(_) => "rolled-back",
            Self::Quarantined => "quarantined",
            Self::Kept => "kept",
            Self::Recovered => "recovered",
            Self::Demoted => "demoted",
            Self::Reinstated => "reinstated",
            Self::Silent => "silent",
            Self::Heard => "heard",
        }
    }
}

impl Part {
    pub(crate) const fn new(wanted: ModelFile) -> Self {
        Self { wanted, loading: true, refused: None, running: None, standby: None }
    }

    pub(crate) fn want(&mut self, file: ModelFile) {
        self.wanted = file;
        self.loading = true;
        self.refused = None;
    }

    /// The manifest has changed in nothing that the running model would have to be loaded for.
    pub(crate) fn remark(&mut self, file: ModelFile) {
        self.wanted = file;
    }

    pub(crate) fn wants(&self, revision: Revision) -> bool {
        self.wanted.revision == revision
    }

    pub(crate) fn refuse(&mut self, reason: String) {
        self.loading = false;
        self.refused = Some(reason);
    }

    pub(crate) fn accept(
        &mut self,
        now: Time,
        member: LiveMember,
        limits: ConductLimits,
    ) -> Option<LiveMember> {
        self.loading = false;
        self.refused = None;
        let running = Running { member, conduct: Conduct::new(limits), since: now };
        match self.running.replace(running) {
            Some(before) if before.conduct.health() == Health::Sound => {
                self.standby.replace(before.member)
            }
            // Nobody would go back to it, so the one before it stays at hand.
            before => before.map(|before| before.member),
        }
    }

    /// Takes over other limits. What was counted by the ones before is forgotten.
    pub(crate) fn set_limits(&mut self, limits: &ConductLimits) {
        if let Some(running) = self.running.as_mut().filter(|it| it.conduct.limits() != limits) {
            running.conduct = Conduct::new(limits.clone());
        }
    }

    pub(crate) fn plays(&self, incarnation: u64) -> bool {
        let running = self.running.as_ref();
        running.is_some_and(|running| running.member.identity.incarnation == incarnation)
    }

    /// Hears how calls went, and says what came of it, with the reason. Any turn changes the roster.
    ///
    /// One that must not rest can only be rolled back.
    pub(crate) fn handle_calls(
        &mut self,
        now: Time,
        calls: &Calls,
        may: May,
    ) -> Vec<(Turn, String)> {
        let rolls_back = self.rolls_back(now);
        let Some(running) = &mut self.running else { return Vec::new() };
        let may = May { rest: may.rest || rolls_back, give_way: may.give_way || rolls_back };
        let findings = running.conduct.handle_calls(now, calls, may);
        let (budget_left, late_share) = running.conduct.vitals(now);
        running.member.identity.meter.set_vitals(budget_left, late_share, calls.late);
        let mut turns = Vec::new();
        for finding in findings {
            turns.push(match finding {
                Finding::Faulty(why) => match self.roll_back(now, &why) {
                    Some(member) => (Turn::RolledBack(member), why),
                    None => (Turn::Quarantined, why),
                },
                Finding::Demoted(why) => match self.roll_back(now, &why) {
                    Some(member) => (Turn::RolledBack(member), why),
                    None => (Turn::Demoted, why),
                },
                Finding::Kept(why) => (Turn::Kept, why),
                Finding::Recovered => (Turn::Recovered, calls.why.clone()),
                Finding::Reinstated(why) => (Turn::Reinstated, why),
            });
        }
        turns
    }

    /// Ends a rest that is over. Returns whether the roster has to change.
    pub(crate) fn handle_timeout(&mut self, now: Time) -> bool {
        self.running.as_mut().is_some_and(|running| running.conduct.handle_timeout(now))
    }

    pub(crate) fn poll_timeout(&self) -> Option<Time> {
        self.running.as_ref().and_then(|running| running.conduct.poll_timeout())
    }

    /// The revision that runs, and whether it may be asked.
    pub(crate) fn member(&self) -> Option<(&LiveMember, bool)> {
        self.running.as_ref().map(|running| {
            let resting = matches!(running.conduct.health(), Health::Quarantined { .. });
            (&running.member, !resting && !self.is_paused())
        })
    }

    /// Whether its manifest says that it is not to be asked.
    pub(crate) const fn is_paused(&self) -> bool {
        self.wanted.manifest.paused
    }

    /// Whether its next call decides, so that it must not answer.
    pub(crate) fn is_probed(&self) -> bool {
        self.health() == Some(Health::Probed)
    }

    /// Whether it runs, and nothing keeps it from answering.
    pub(crate) fn is_sound(&self) -> bool {
        !self.is_paused() && self.health() == Some(Health::Sound)
    }

    /// Whether others go before it and nobody waits for it.
    pub(crate) fn is_demoted(&self) -> bool {
        self.running.as_ref().is_some_and(|running| running.conduct.is_demoted())
    }

    /// What marks that the one probe is on its way, while one decides.
    pub(crate) fn probe(&self) -> Option<Arc<AtomicBool>> {
        self.running.as_ref().and_then(|running| running.conduct.probe())
    }

    pub(crate) fn state(&self) -> State {
        match (&self.running, &self.refused) {
            (Some(_), _) if self.is_paused() => State::Paused,
            (Some(Running { conduct, .. }), _) => match conduct.health() {
                Health::Sound if conduct.is_demoted() => State::Demoted(conduct.why.clone()),
                Health::Sound => State::Live,
                Health::Probed => State::Probed,
                Health::Quarantined { until } => {
                    State::Quarantined { until, reason: conduct.why.clone() }
                }
            },
            (None, Some(reason)) => State::Refused(reason.clone()),
            (None, None) => State::Loading,
        }
    }

    /// What is said beside the state: why a newer file was refused, that it loads, or that what runs
    /// would rest if there were somebody else.
    pub(crate) fn note(&self) -> Option<String> {
        let short = self.wanted.revision.short();
        match (&self.refused, &self.running) {
            (Some(reason), Some(_)) => Some(format!("{short} refused: {reason}")),
            (None, Some(_)) if self.loading => Some(format!("{short} is loading")),
            (None, Some(running)) if running.conduct.is_kept() => Some(format!(
                "faults too often, and is kept because nobody else can answer: {}",
                running.conduct.why
            )),
            _ => None,
        }
    }

    pub(crate) const fn file(&self) -> &ModelFile {
        &self.wanted
    }

    pub(crate) fn into_members(self) -> Vec<LiveMember> {
        self.running.map(|running| running.member).into_iter().chain(self.standby).collect()
    }

    fn health(&self) -> Option<Health> {
        self.running.as_ref().map(|running| running.conduct.health())
    }

    /// Whether it is young, and the one before it is still warm.
    fn rolls_back(&self, now: Time) -> bool {
        self.standby.is_some()
            && self.running.as_ref().is_some_and(|running| {
                let limits = running.conduct.limits();
                limits.rollback && now.since(running.since) < limits.probation
            })
    }

    /// Puts the revision before it in its place, if that is what to do, and returns the one that ran.
    fn roll_back(&mut self, now: Time, why: &str) -> Option<Box<LiveMember>> {
        if !self.rolls_back(now) {
            return None;
        }
        let off = self.running.as_mut()?;
        let limits = off.conduct.limits().clone();
        let member = self.standby.take()?;
        let before = Running { member, conduct: Conduct::new(limits), since: Time::EPOCH };
        let off = std::mem::replace(off, before);
        self.refused = Some(format!("rolled back: {why}"));
        Some(Box::new(off.member))
    }
}
