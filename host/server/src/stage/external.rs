//! The external models of an endpoint: which there are, how they behave, and which are silent.
//!
//! What may surprise: nobody can tell an external model that is gone from one that has nothing to
//! say, but for the requests that wait for it. So it is silent when it has said nothing for a while
//! although some did, and its next score brings it back.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use catalog::EndpointConfig;
use message::{ModelName, Time};
use rendezvous::quarantine::Health;

use super::conduct::{Calls, Conduct, ConductLimits, Finding, May};
use super::part::{State, Turn};
use crate::endpoint::{Endpoint, PartReport};
use crate::external::{External, NO_VERSION};
use crate::live::{Identity, TrackRecord, next_incarnation};

/// Why no external model can take part.
const NOT_SHARED: &str = "an external model needs a stream that others can reach: set [stream] \
                          backend = \"kafka\" in understudy.toml";

/// Every external model of an endpoint.
pub(crate) struct ExternalParts {
    parts: BTreeMap<ModelName, ExternalPart>,
    is_shared: bool,
}

/// One external model.
pub(crate) struct ExternalPart {
    config: catalog::External,
    external: Arc<External>,
    conduct: Conduct,
    /// Since when it has been waited for in vain.
    waited: Option<Time>,
    /// How long it had said nothing when it was taken off for that.
    silent: Option<Duration>,
    is_shared: bool,
}

impl ExternalParts {
    /// None yet. They can take part only in a stream that is shared.
    pub(super) fn new(is_shared: bool) -> Self {
        Self { parts: BTreeMap::new(), is_shared }
    }

    /// Takes over what a configuration says. One whose words have changed begins anew.
    pub(super) fn hear(&mut self, endpoint: &Endpoint, config: &EndpointConfig) {
        self.parts.retain(|name, part| {
            let stays = config.external.get(name) == Some(&part.config);
            if !stays {
                endpoint.meter.external.forget(name);
            }
            stays
        });
        let limits = ConductLimits::of(config);
        for (name, external) in &config.external {
            let is_shared = self.is_shared;
            let part = self.parts.entry(name.clone()).or_insert_with(|| {
                if !is_shared {
                    let endpoint = &endpoint.name;
                    tracing::warn!(%endpoint, model = %name, why = NOT_SHARED, "model refused");
                }
                let identity = Identity {
                    model: name.clone(),
                    revision: NO_VERSION,
                    incarnation: next_incarnation(),
                    meter: endpoint.meter.model(name),
                    warmed: 0,
                    record: TrackRecord::default(),
                };
                ExternalPart {
                    config: external.clone(),
                    external: External::new(identity, external, config.schema.as_ref()),
                    conduct: Conduct::new(limits.clone()),
                    waited: None,
                    silent: None,
                    is_shared,
                }
            });
            if *part.conduct.limits() != limits {
                part.conduct = Conduct::new(limits.clone());
            }
        }
    }

    /// Every model, by name.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&ModelName, &ExternalPart)> {
        self.parts.iter()
    }

    /// The model with this name.
    pub(crate) fn get(&self, model: &ModelName) -> Option<&ExternalPart> {
        self.parts.get(model)
    }

    /// The name of the model that this number stands for.
    pub(super) fn name_of(&self, incarnation: u64) -> Option<&ModelName> {
        let found = self.parts.iter().find(|(_, it)| it.external.incarnation() == incarnation);
        found.map(|(name, _)| name)
    }

    /// Hears how calls of a model went, and says what came of it, with the reason.
    pub(super) fn handle_calls(
        &mut self,
        now: Time,
        model: &ModelName,
        calls: &Calls,
        may: May,
    ) -> Vec<(Turn, String)> {
        self.parts.get_mut(model).map_or_else(Vec::new, |it| it.handle_calls(now, calls, may))
    }

    /// Ends the rests that are over. Returns whose.
    pub(crate) fn handle_timeout(&mut self, now: Time) -> Vec<ModelName> {
        let over = |(name, part): (&ModelName, &mut ExternalPart)| {
            part.conduct.handle_timeout(now).then(|| name.clone())
        };
        self.parts.iter_mut().filter_map(over).collect()
    }

    /// When the next rest is over.
    pub(crate) fn poll_timeout(&self) -> Option<Time> {
        self.parts.values().filter_map(|part| part.conduct.poll_timeout()).min()
    }
}

impl ExternalPart {
    /// What it shares with the driver, and whether scores of it are expected.
    pub(crate) fn member(&self) -> (&Arc<External>, bool) {
        let rests = matches!(self.conduct.health(), Health::Quarantined { .. });
        (&self.external, self.is_shared && !rests && self.silent.is_none())
    }

    /// Whether its next score decides, so that it must not answer.
    pub(super) fn is_probed(&self) -> bool {
        self.conduct.health() == Health::Probed
    }

    /// Whether nothing keeps it from answering.
    pub(super) fn is_sound(&self) -> bool {
        self.is_shared && self.silent.is_none() && self.conduct.health() == Health::Sound
    }

    /// Whether others go before it and nobody waits for it.
    pub(super) fn is_demoted(&self) -> bool {
        self.conduct.is_demoted()
    }

    /// What is said of it to people.
    pub(super) fn report(
        (model, part): (&ModelName, &Self),
        config: &EndpointConfig,
    ) -> PartReport {
        PartReport {
            model: model.clone(),
            role: config.roles.of(model),
            state: part.state(),
            revision: NO_VERSION,
            note: part.note(),
            routed: None,
            external: Some(Arc::clone(&part.external)),
        }
    }

    fn state(&self) -> State {
        if !self.is_shared {
            return State::Refused(NOT_SHARED.to_owned());
        }
        if let Some(silent) = self.silent {
            let why = format!("it has written no score for {} s", silent.as_secs());
            return State::Silent(why);
        }
        match self.conduct.health() {
            Health::Sound if self.conduct.is_demoted() => State::Demoted(self.conduct.why.clone()),
            Health::Sound => State::External,
            Health::Probed => State::Probed,
            Health::Quarantined { until } => {
                State::Quarantined { until, reason: self.conduct.why.clone() }
            }
        }
    }

    fn note(&self) -> Option<String> {
        let kept = self.conduct.is_kept().then(|| {
            let why = &self.conduct.why;
            format!("faults too often, and is kept because nobody else can answer: {why}")
        });
        kept.or_else(|| self.config.description.clone())
    }

    fn handle_calls(&mut self, now: Time, calls: &Calls, may: May) -> Vec<(Turn, String)> {
        let mut turns = Vec::new();
        turns.extend(self.listen(now, calls));
        let findings = self.conduct.handle_calls(now, calls, may);
        let (budget_left, late_share) = self.conduct.vitals(now);
        self.external.identity.meter.set_vitals(budget_left, late_share, calls.late);
        turns.extend(findings.into_iter().map(|finding| match finding {
            Finding::Faulty(why) => (Turn::Quarantined, why),
            Finding::Kept(why) => (Turn::Kept, why),
            Finding::Recovered => (Turn::Recovered, calls.why.clone()),
            Finding::Demoted(why) => (Turn::Demoted, why),
            Finding::Reinstated(why) => (Turn::Reinstated, why),
        }));
        turns
    }

    /// Looks whether it is silent: requests were given up without a word of it, and there was none for
    /// too long.
    fn listen(&mut self, now: Time, calls: &Calls) -> Option<(Turn, String)> {
        if calls.heard > 0 {
            self.waited = None;
            let silent = self.silent.take()?;
            return Some((Turn::Heard, format!("after {} s without a score", silent.as_secs())));
        }
        if calls.unheard == 0 || self.silent.is_some() {
            return None;
        }
        let silent = now.since(*self.waited.get_or_insert(now));
        if silent < self.config.silent_after {
            return None;
        }
        self.silent = Some(silent);
        let why = format!("it wrote no score for {} s while requests waited", silent.as_secs());
        Some((Turn::Silent, why))
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn part() -> ExternalPart {
        let text = "[external.torch]\nsilent_after = '2s'";
        let config = EndpointConfig::parse(Path::new("e"), text).unwrap();
        ExternalPart {
            config: config.external["torch"].clone(),
            external: External::new(Identity::for_tests("torch"), &config.external["torch"], None),
            conduct: Conduct::new(ConductLimits::of(&config)),
            waited: None,
            silent: None,
            is_shared: true,
        }
    }

    fn at(second: u64) -> Time {
        Time::from_us(1_000_000_000) + Duration::from_secs(second)
    }

    fn check(part: &mut ExternalPart, second: u64, heard: u64, unheard: u64, expected: &str) {
        let may = May { rest: true, give_way: true };
        let calls = Calls { heard, unheard, ..Calls::default() };
        let turns = part.handle_calls(at(second), &calls, may);
        let names: Vec<_> = turns.iter().map(|(turn, _)| turn.name()).collect();
        assert_eq!(names.join(" "), expected, "at {second}");
    }

    #[test]
    fn it_is_silent_when_requests_waited_in_vain_and_back_with_its_next_score() {
        let mut part = part();
        check(&mut part, 0, 0, 1, "");
        check(&mut part, 1, 0, 1, "");
        check(&mut part, 2, 0, 1, "silent");
        assert_eq!((part.member().1, part.state().name()), (false, "silent"));
        check(&mut part, 3, 0, 1, "");
        check(&mut part, 9, 1, 0, "heard");
        assert_eq!((part.member().1, part.state().name()), (true, "external"));
        // Nobody waited for it meanwhile: that is no silence.
        check(&mut part, 30, 0, 0, "");
        check(&mut part, 31, 0, 1, "");
        check(&mut part, 33, 0, 1, "silent");
    }

    #[test]
    fn nobody_waits_for_it_where_it_cannot_write() {
        let mut part = part();
        part.is_shared = false;
        assert!(!part.member().1);
        assert!(part.state().to_string().contains("backend = \"kafka\""));
    }
}
