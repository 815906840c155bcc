//! What is done to hosts and brokers, and when: drawn from a seed, and the same for it on every machine.
//!
//! A step waits for answers, not for a time, so that a slow machine meets the same troubles. Of the brokers one at most is
//! troubled at a time: two of three are a majority, and nothing may be lost while there is one.

use std::fmt;
use std::time::Duration;

use crate::Random;

/// Something that happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Fault {
    /// A host is killed, and started again when the step is over.
    KillHost(usize),
    /// A host is stopped as an operator does it, and started again when the step is over.
    LeaveHost(usize),
    /// A host stands still for a moment.
    PauseHost(usize),
    /// A host stands still until others have taken over what it had, and then goes on as if nothing had happened.
    FreezeHost(usize),
    /// A broker is killed, and started again when the step is over.
    KillBroker(usize),
    /// A broker stands still.
    PauseBroker(usize),
    /// The connections between hosts and a broker are closed, and new ones too.
    CutBroker(usize),
    /// Nothing comes through between hosts and a broker, and nobody hangs up.
    SilenceBroker(usize),
    /// No host reaches any broker.
    CutAll,
}

/// Faults that happen together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// How many answers are waited for before, so that everybody has come to rest.
    pub after_answers: u64,
    /// What happens.
    pub faults: Vec<Fault>,
    /// It is over after so many answers…
    pub until_answers: u64,
    /// …or after so long, whichever comes first.
    pub at_most: Duration,
}

/// Everything that happens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule {
    /// Where it comes from.
    pub seed: u64,
    /// In this order.
    pub steps: Vec<Step>,
}

/// How much there is to trouble.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scale {
    /// How many hosts.
    pub hosts: usize,
    /// How many brokers, counted from 1.
    pub brokers: usize,
}

/// Up to how much there is of everything.
#[derive(Debug, Clone, Copy)]
struct Limits {
    /// Between two steps so many answers are waited for.
    rest_answers: u64,
    /// A step is over after so many answers.
    step_answers: u64,
    /// A step takes so long where nothing is answered.
    step_seconds: u64,
}

const LONG: Limits = Limits { rest_answers: 300, step_answers: 600, step_seconds: 12 };
const SHORT: Limits = Limits { rest_answers: 80, step_answers: 200, step_seconds: 3 };
/// How often of a hundred times two things happen at once.
const TWICE_PERCENT: u64 = 35;

impl Schedule {
    /// Draws so many steps.
    pub fn draw(seed: u64, scale: Scale, steps: usize) -> Self {
        let mut random = Random::new(seed);
        let steps = (0..steps).map(|_| {
            let mut faults = vec![draw_fault(&mut random, scale)];
            if random.percent(TWICE_PERCENT) {
                let second = draw_fault(&mut random, scale);
                if faults[0].goes_with(second) {
                    faults.push(second);
                }
            }
            step(&mut random, LONG, faults)
        });
        Self { seed, steps: steps.collect() }
    }

    /// Draws an order in which everything happens once.
    pub fn each_once(seed: u64, scale: Scale) -> Self {
        let mut random = Random::new(seed);
        let host = |random: &mut Random| random.below(scale.hosts as u64) as usize;
        let broker = |random: &mut Random| 1 + random.below(scale.brokers as u64) as usize;
        let mut together = [
            vec![Fault::KillHost(host(&mut random)), Fault::CutBroker(broker(&mut random))],
            vec![Fault::LeaveHost(host(&mut random))],
            vec![Fault::PauseHost(host(&mut random)), Fault::SilenceBroker(broker(&mut random))],
            vec![Fault::FreezeHost(host(&mut random))],
            vec![Fault::KillBroker(broker(&mut random))],
            vec![Fault::PauseBroker(broker(&mut random))],
            vec![Fault::CutAll],
        ];
        random.shuffle(&mut together);
        let steps = together.into_iter().map(|faults| step(&mut random, SHORT, faults));
        Self { seed, steps: steps.collect() }
    }
}

fn step(random: &mut Random, limits: Limits, faults: Vec<Fault>) -> Step {
    Step {
        after_answers: random.below(limits.rest_answers),
        faults,
        until_answers: 1 + random.below(limits.step_answers),
        at_most: Duration::from_secs(1 + random.below(limits.step_seconds)),
    }
}

/// Hosts are what is tried here: they are troubled more often than brokers.
fn draw_fault(random: &mut Random, scale: Scale) -> Fault {
    let host = random.below(scale.hosts as u64) as usize;
    let broker = 1 + random.below(scale.brokers as u64) as usize;
    match random.below(100) {
        0..25 => Fault::KillHost(host),
        25..33 => Fault::LeaveHost(host),
        33..43 => Fault::PauseHost(host),
        43..58 => Fault::FreezeHost(host),
        58..68 => Fault::KillBroker(broker),
        68..78 => Fault::PauseBroker(broker),
        78..86 => Fault::CutBroker(broker),
        86..94 => Fault::SilenceBroker(broker),
        _ => Fault::CutAll,
    }
}

impl Fault {
    /// The host that it befalls.
    pub const fn host(self) -> Option<usize> {
        match self {
            Self::KillHost(host)
            | Self::LeaveHost(host)
            | Self::PauseHost(host)
            | Self::FreezeHost(host) => Some(host),
            _ => None,
        }
    }

    /// Whether both can happen at once: to different hosts, or to a host and whatever is no host.
    pub fn goes_with(self, other: Self) -> bool {
        match (self.host(), other.host()) {
            (Some(one), Some(other)) => one != other,
            (None, None) => false,
            _ => true,
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::KillHost(host) => write!(f, "kill host {host}"),
            Self::LeaveHost(host) => write!(f, "stop host {host}"),
            Self::PauseHost(host) => write!(f, "pause host {host}"),
            Self::FreezeHost(host) => write!(f, "freeze host {host}"),
            Self::KillBroker(broker) => write!(f, "kill broker {broker}"),
            Self::PauseBroker(broker) => write!(f, "pause broker {broker}"),
            Self::CutBroker(broker) => write!(f, "cut broker {broker} off"),
            Self::SilenceBroker(broker) => write!(f, "silence broker {broker}"),
            Self::CutAll => write!(f, "cut all brokers off"),
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let faults: Vec<_> = self.faults.iter().map(ToString::to_string).collect();
        let Self { after_answers, until_answers, at_most, .. } = self;
        let faults = faults.join(" and ");
        write!(f, "after {after_answers} answers: {faults}, ")?;
        write!(f, "for {until_answers} answers or {} s", at_most.as_secs())
    }
}

impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SEED={}", self.seed)?;
        for (number, step) in self.steps.iter().enumerate() {
            write!(f, "\n  {}. {step}", number + 1)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::mem::{Discriminant, discriminant};

    use super::*;

    const SCALE: Scale = Scale { hosts: 3, brokers: 3 };

    fn kinds(schedule: &Schedule) -> Vec<Discriminant<Fault>> {
        let faults = schedule.steps.iter().flat_map(|step| &step.faults);
        faults.map(discriminant).collect()
    }

    #[test]
    fn a_seed_gives_the_same_schedule_again_and_another_seed_another() {
        assert_eq!(Schedule::draw(7, SCALE, 50), Schedule::draw(7, SCALE, 50));
        assert_ne!(Schedule::draw(7, SCALE, 50).steps, Schedule::draw(8, SCALE, 50).steps);
        assert_ne!(Schedule::each_once(7, SCALE).steps, Schedule::each_once(9, SCALE).steps);
    }

    #[test]
    fn brokers_keep_their_majority_and_nobody_is_troubled_twice_at_once() {
        for seed in 0..200 {
            for step in Schedule::draw(seed, SCALE, 20).steps {
                let hosts: Vec<_> = step.faults.iter().filter_map(|fault| fault.host()).collect();
                let different: BTreeSet<_> = hosts.iter().collect();
                assert_eq!(hosts.len(), different.len(), "{step}");
                assert!(step.faults.len() - hosts.len() <= 1, "{step}");
                assert!(hosts.iter().all(|host| *host < SCALE.hosts), "{step}");
            }
        }
    }

    #[test]
    fn everything_happens() {
        let often = kinds(&Schedule::draw(1, SCALE, 300));
        for seed in 0..20 {
            let once = kinds(&Schedule::each_once(seed, SCALE));
            assert_eq!(once.len(), 9);
            for kind in &once {
                assert_eq!(once.iter().filter(|other| *other == kind).count(), 1);
                assert!(often.contains(kind));
            }
        }
        let schedule = Schedule::draw(1, SCALE, 300);
        assert!(schedule.steps.iter().any(|step| step.faults.len() == 2));
    }

    #[test]
    fn a_schedule_says_what_it_will_do() {
        let steps = vec![Step {
            after_answers: 5,
            faults: vec![Fault::KillHost(1), Fault::SilenceBroker(2)],
            until_answers: 9,
            at_most: Duration::from_secs(3),
        }];
        let said = Schedule { seed: 4, steps }.to_string();
        let expected = "SEED=4\n  1. after 5 answers: kill host 1 and silence broker 2, \
                        for 9 answers or 3 s";
        assert_eq!(said, expected);
    }
}
