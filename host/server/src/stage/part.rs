//! One model of an endpoint through its life: stage, warm, live, quarantined, rolled back.

use std::fmt;
use std::time::Duration;

use catalog::ModelFile;
use message::{Revision, Time};
use rendezvous::quarantine::{Health, Quarantine, QuarantineLimits};

use crate::live::LiveMember;

/// How long after going live faults still lead back to the revision before.
const PROBATION: Duration = Duration::from_secs(60);

/// One model: the file that is wanted, what runs, and what ran before.
pub(crate) struct Part {
    wanted: ModelFile,
    loading: bool,
    refused: Option<String>,
    running: Option<Running>,
    /// The revision before, kept warm so that a roll-back costs nothing.
    standby: Option<LiveMember>,
    rolls_back: bool,
}

struct Running {
    member: LiveMember,
    quarantine: Quarantine,
    limits: QuarantineLimits,
    since: Time,
    why_resting: String,
}

/// Where a model stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum State {
    /// Because its file is being compiled and warmed, and nothing of it runs yet.
    Loading,
    /// Because its file was refused and nothing of it runs.
    Refused(String),
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
}

impl State {
    /// The word for it.
    pub(crate) const fn name(&self) -> &'static str {
        match self {
            Self::Loading => "loading",
            Self::Refused(_) => "refused",
            Self::Live => "live",
            Self::Quarantined { .. } => "quarantined",
            Self::Probed => "probed",
            Self::Paused => "paused",
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(reason) => write!(f, "its file was refused: {reason}"),
            Self::Quarantined { reason, .. } => write!(f, "it is in quarantine: {reason}"),
            Self::Loading | Self::Live | Self::Probed | Self::Paused => {
                write!(f, "it is {}", self.name())
            }
        }
    }
}

/// What became of a revision that faulted too often.
pub(crate) enum Verdict {
    /// The revision before it plays again. Holds the one that was taken off.
    RolledBack(Box<LiveMember>),
    /// It rests.
    Resting,
}

impl Part {
    pub(crate) const fn new(wanted: ModelFile, rolls_back: bool) -> Self {
        Self { wanted, loading: true, refused: None, running: None, standby: None, rolls_back }
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
        limits: QuarantineLimits,
    ) -> Option<LiveMember> {
        self.loading = false;
        self.refused = None;
        let running = Running {
            member,
            quarantine: Quarantine::new(limits.clone()),
            limits,
            since: now,
            why_resting: String::new(),
        };
        match self.running.replace(running) {
            Some(before) if before.quarantine.health() == Health::Sound => {
                self.standby.replace(before.member)
            }
            // Nobody would go back to it, so the one before it stays at hand.
            before => before.map(|before| before.member),
        }
    }

    pub(crate) fn plays(&self, incarnation: u64) -> bool {
        let running = self.running.as_ref();
        running.is_some_and(|running| running.member.identity.incarnation == incarnation)
    }

    /// Hears how calls went. Returns whether the roster has to change, with the verdict if the
    /// model is sent off. One that must not rest can only be rolled back.
    pub(crate) fn handle_calls(
        &mut self,
        now: Time,
        (succeeded, faulted): (u64, u64),
        why: &str,
        may_rest: bool,
    ) -> (bool, Option<Verdict>) {
        let rolls_back = self.rolls_back(now);
        let Some(running) = &mut self.running else { return (false, None) };
        let was_probed = running.quarantine.health() == Health::Probed;
        let changed = running.quarantine.handle_calls(now, succeeded, faulted);
        if !changed || running.quarantine.health() == Health::Sound {
            return (changed, None);
        }
        if !may_rest && !rolls_back {
            running.quarantine = Quarantine::new(running.limits.clone());
            return (was_probed, None);
        }
        running.why_resting = why.to_owned();
        (true, Some(self.send_off(now, why)))
    }

    /// Ends a rest that is over. Returns whether the roster has to change.
    pub(crate) fn handle_timeout(&mut self, now: Time) -> bool {
        self.running.as_mut().is_some_and(|running| running.quarantine.handle_timeout(now))
    }

    pub(crate) fn poll_timeout(&self) -> Option<Time> {
        self.running.as_ref().and_then(|running| running.quarantine.poll_timeout())
    }

    /// The revision that runs, and whether it may be asked.
    pub(crate) fn member(&self) -> Option<(&LiveMember, bool)> {
        self.running.as_ref().map(|running| {
            let resting = matches!(running.quarantine.health(), Health::Quarantined { .. });
            (&running.member, !resting && !self.is_paused())
        })
    }

    /// Whether its manifest says that it is not to be asked.
    pub(crate) const fn is_paused(&self) -> bool {
        self.wanted.manifest.paused
    }

    /// Whether its next call decides, so that it must not answer.
    pub(crate) fn is_probed(&self) -> bool {
        let running = self.running.as_ref();
        running.is_some_and(|running| running.quarantine.health() == Health::Probed)
    }

    pub(crate) fn state(&self) -> State {
        match (&self.running, &self.refused) {
            (Some(_), _) if self.is_paused() => State::Paused,
            (Some(running), _) => match running.quarantine.health() {
                Health::Sound => State::Live,
                Health::Probed => State::Probed,
                Health::Quarantined { until } => {
                    State::Quarantined { until, reason: running.why_resting.clone() }
                }
            },
            (None, Some(reason)) => State::Refused(reason.clone()),
            (None, None) => State::Loading,
        }
    }

    /// What is said about the wanted file beside the state: why it was refused, or that it loads.
    pub(crate) fn note(&self) -> Option<String> {
        let short = self.wanted.revision.short();
        match (&self.refused, &self.running) {
            (Some(reason), Some(_)) => Some(format!("{short} refused: {reason}")),
            (None, Some(_)) if self.loading => Some(format!("{short} is loading")),
            _ => None,
        }
    }

    pub(crate) const fn file(&self) -> &ModelFile {
        &self.wanted
    }

    pub(crate) fn into_members(self) -> Vec<LiveMember> {
        self.running.map(|running| running.member).into_iter().chain(self.standby).collect()
    }

    /// Whether it is young, and the one before it is still warm.
    fn rolls_back(&self, now: Time) -> bool {
        let young = self.running.as_ref().is_some_and(|it| now.since(it.since) < PROBATION);
        young && self.rolls_back && self.standby.is_some()
    }

    fn send_off(&mut self, now: Time, why: &str) -> Verdict {
        let rolls_back = self.rolls_back(now);
        let (Some(off), Some(before)) = (&mut self.running, self.standby.take_if(|_| rolls_back))
        else {
            return Verdict::Resting;
        };
        let before = Running {
            member: before,
            quarantine: Quarantine::new(off.limits.clone()),
            limits: off.limits.clone(),
            since: Time::EPOCH,
            why_resting: String::new(),
        };
        let off = std::mem::replace(off, before);
        self.refused = Some(format!("rolled back: {why}"));
        Verdict::RolledBack(Box::new(off.member))
    }
}
