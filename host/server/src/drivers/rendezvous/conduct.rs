//! What the driver notices of how models behave: faults, scores that are late, and the one probe.
//!
//! It only counts. What becomes of a model is the supervisor's to say, which is told at once where a
//! call faulted or a probe ended, and with the next commit otherwise.

use message::{Contents, Fault, FaultClass, Outcome, Time};
use sandbox::lanes::Job;

use super::{Driver, Open};
use crate::drivers::supervisor::Order;
use crate::live::{Identity, LiveMember};
use crate::stage::{Calls, release_probe, take_probe};

/// Whether a score was there when the wait for its model ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pace {
    /// Because it was.
    InTime,
    /// Because it was not.
    Late,
    /// Because nobody waits for the model, it broke, or it was not given the time that is its due.
    Unknown,
}

impl Driver {
    /// Counts a call of a revision as well or badly ended.
    pub(super) fn count_call(&mut self, now: Time, identity: &Identity, outcome: &Outcome) {
        let incarnation = identity.incarnation;
        match outcome {
            // The host could not run it: the model is not to blame.
            Outcome::Fault(fault) if fault.class == FaultClass::Host => {
                let probed = self.live.members.iter().find(|member| {
                    member.identity.incarnation == incarnation && member.probe.is_some()
                });
                probed.into_iter().for_each(release_the_probe);
            }
            Outcome::Fault(fault) => {
                let calls = self.calls_of(incarnation);
                calls.tally.fault();
                identity.record.note_fault(now);
                calls.why = format!("{}: {}", fault.class, fault.message);
            }
            Outcome::Prediction(_) | Outcome::Refusal(_) => {
                self.calls_of(incarnation).tally.succeed();
                identity.record.count_score();
            }
        }
    }

    /// Counts a score as in time or late.
    pub(super) fn count_pace(&mut self, identity: &Identity, pace: Pace) {
        match pace {
            Pace::InTime => self.calls_of(identity.incarnation).in_time += 1,
            Pace::Late => self.calls_of(identity.incarnation).late += 1,
            Pace::Unknown => {}
        }
    }

    /// Counts requests for which a model that is waited for came too late, or will not come at all.
    pub(super) fn count_dropped(&mut self, identity: &Identity, requests: u64) {
        if self.live.waits.contains_key(&identity.incarnation) {
            self.calls_of(identity.incarnation).late += requests;
        }
    }

    /// Tells the supervisor how the calls went, at once where one faulted or was a probe.
    pub(super) fn tell_calls(&mut self, even_if_all_went_well: bool) {
        if self.calls_of.is_empty() {
            return;
        }
        let is_news = |calls: &Calls| calls.tally.faulted() > 0;
        let probed = || {
            let mut members = self.live.members.iter().filter(|member| member.probe.is_some());
            members.any(|member| self.calls_of.contains_key(&member.identity.incarnation))
        };
        if even_if_all_went_well || self.calls_of.values().any(is_news) || probed() {
            let calls = self.calls_of.drain().map(|(_, calls)| calls).collect();
            self.supervisor.push(Order::Calls(self.endpoint.name.clone(), calls));
        }
    }

    /// The calls of a revision since the supervisor was told.
    pub(super) fn calls_of(&mut self, incarnation: u64) -> &mut Calls {
        let fresh = || Calls { incarnation, ..Calls::default() };
        self.calls_of.entry(incarnation).or_insert_with(fresh)
    }
}

/// Whether a score was there when the wait for its model ended. A request that was opened too late,
/// or whose caller is in a greater hurry than the endpoint, says nothing about a model.
pub(super) fn pace_of(now: Time, open: &Open, incarnation: u64, outcome: &Outcome) -> Pace {
    let Some(wait) = open.live.waits.get(&incarnation) else { return Pace::Unknown };
    let due = open.request.time + *wait;
    if matches!(outcome, Outcome::Fault(_)) {
        Pace::Unknown
    } else if now <= due && now <= open.request.deadline {
        Pace::InTime
    } else if open.opened >= due || open.request.deadline < due {
        Pace::Unknown
    } else {
        Pace::Late
    }
}

/// Leaves a model whose next call decides about it one request, and takes the others out.
pub(super) fn spare_the_probed(member: &LiveMember, jobs: &mut Vec<Job>) -> Vec<Job> {
    match &member.probe {
        Some(probe) if !jobs.is_empty() => {
            let asked = usize::from(take_probe(probe));
            jobs.split_off(asked)
        }
        _ => Vec::new(),
    }
}

/// Lets another request be the probe: the one that was has been dropped.
pub(super) fn release_the_probe(member: &LiveMember) {
    if let Some(probe) = &member.probe {
        release_probe(probe);
    }
}

/// Makes a fault of a prediction with an output that is not a number.
pub(super) fn refuse_nan(outcome: &mut Outcome) {
    let Outcome::Prediction(prediction) = outcome else { return };
    let broken = prediction.outputs.iter().find(|output| has_nan(&output.contents));
    if let Some(output) = broken {
        let message = format!("output {:?}: found NaN, expected numbers", output.name);
        *outcome = Outcome::Fault(Fault { class: FaultClass::Contract, message });
    }
}

fn has_nan(contents: &Contents) -> bool {
    // The bits of a half float that is not a number: all of the exponent, some of the fraction.
    let is_f16 = |bits: &u16| bits & 0x7fff > 0x7c00;
    let is_bf16 = |bits: &u16| bits & 0x7fff > 0x7f80;
    match contents {
        Contents::F64s(them) => them.iter().any(|it| it.is_nan()),
        Contents::F32s(them) => them.iter().any(|it| it.is_nan()),
        Contents::F16s(them) => them.iter().any(is_f16),
        Contents::Bf16s(them) => them.iter().any(is_bf16),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use message::{Prediction, Tensor};

    use super::*;

    #[test]
    fn only_what_is_not_a_number_is_refused() {
        let check = |contents, refused| {
            let outputs = vec![Tensor::new("y", [2], contents)];
            let mut outcome = Outcome::Prediction(Prediction { outputs, notes: Vec::new() });
            refuse_nan(&mut outcome);
            assert_eq!(matches!(outcome, Outcome::Fault(_)), refused, "{outcome:?}");
        };
        check(Contents::F64s(vec![0.0, f64::INFINITY]), false);
        check(Contents::F64s(vec![0.0, f64::NAN]), true);
        check(Contents::F32s(vec![f32::NEG_INFINITY, -f32::NAN]), true);
        check(Contents::F16s(vec![0x7c00, 0xfc00]), false);
        check(Contents::F16s(vec![0x7c00, 0xfe01]), true);
        check(Contents::Bf16s(vec![0x7f80, 0xff80]), false);
        check(Contents::Bf16s(vec![0x7f81, 0]), true);
        check(Contents::S64s(vec![1, 2]), false);
    }
}
