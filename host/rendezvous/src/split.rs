//! The policy `split`: every key has its arm, and the arms have shares of the keys.
//!
//! An arm is drawn by *weighted rendezvous hashing*: every arm gets a number from the key, the least
//! wins. Rendezvous hashing is from Thaler and Ravishankar, "Using Name-Based Mappings to Increase Hit
//! Rates" (1998); the logarithm by which it takes weights is from Schindelhauer and Schomaker,
//! "Weighted Distributed Hash Tables" (2005). For the arm `a` of weight `w` and the unit `k`:
//!
//! ```text
//! n = the first 8 bytes of SHA-256(seed ‖ 00 ‖ a ‖ 00 ‖ k), most significant byte first
//! u = (⌊n / 2^11⌋ + 0.5) / 2^53
//! score = -ln(u) / w          (an arm of weight 0 never wins; of equals the first one wins)
//! ```
//!
//! The *unit* is the key of the request, or its id where it has no key; all texts are UTF-8. What
//! follows from the formula: the share of an arm is its weight by the sum of weights, and a change of
//! one weight moves keys only to that arm or away from it. In Python:
//!
//! ```text
//! def arm(seed, arms, unit):                     # arms: [(name, weight), …]
//!     def score(name, weight):
//!         digest = hashlib.sha256(b"\0".join(s.encode() for s in (seed, name, unit))).digest()
//!         u = ((int.from_bytes(digest[:8], "big") >> 11) + 0.5) / 2**53
//!         return -math.log(u) / weight
//!     return min((score(*a), i) for i, a in enumerate(arms) if a[1] > 0)[1]
//! ```
//!
//! A split without a seed of its own gets one: the seed of the policy on the main way; `s/r` on the
//! route `r` of a policy of seed `s`, which is `s/route[2]` if that is the third one and has no name;
//! and `s/a` within the arm `a` of a split of seed `s`. So the draws of two splits of an endpoint have
//! nothing to do with each other unless that is wanted.

use std::time::Duration;

use message::Time;
use sha2::{Digest, Sha256};

use crate::Branch;

/// Arms with shares of the keys.
#[derive(Debug, Clone, PartialEq)]
pub struct Split {
    /// What makes this split differ from others; see the head of [this module](self).
    pub seed: Option<String>,
    /// Whether the models of the arms that are not taken are asked too, as shadows.
    pub shadow: bool,
    /// The arms, at least one.
    pub arms: Vec<Arm>,
}

impl Split {
    /// A split without arms yet, whose arms shadow each other.
    pub const fn new() -> Self {
        Self { seed: None, shadow: true, arms: Vec::new() }
    }

    /// The same split with this seed.
    #[must_use]
    pub fn seeded(mut self, seed: impl Into<String>) -> Self {
        self.seed = Some(seed.into());
        self
    }

    /// The same split, in which only the models of the arm that is taken are asked.
    #[must_use]
    pub const fn without_shadows(mut self) -> Self {
        self.shadow = false;
        self
    }

    /// The same split with one more arm.
    #[must_use]
    pub fn arm(self, name: impl Into<String>, weight: f64, branch: impl Into<Branch>) -> Self {
        self.with(Arm { name: name.into(), weight, ramp: None, branch: branch.into() })
    }

    /// The same split with one more arm.
    #[must_use]
    pub fn with(mut self, arm: Arm) -> Self {
        self.arms.push(arm);
        self
    }
}

impl Default for Split {
    fn default() -> Self {
        Self::new()
    }
}

/// One arm of a split.
#[derive(Debug, Clone, PartialEq)]
pub struct Arm {
    /// The name, unique in its split; the draw goes by it, so a new name draws anew.
    pub name: String,
    /// Its weight, 0 or more.
    pub weight: f64,
    /// How its weight changes, if it does.
    pub ramp: Option<Ramp>,
    /// What it leads to.
    pub branch: Branch,
}

/// How the weight of an arm changes: in a straight line from one weight to another.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ramp {
    /// The weight at its end, 0 or more.
    pub to: f64,
    /// When it leaves the first weight.
    pub starts: Time,
    /// How long it takes.
    pub over: Duration,
}

impl Ramp {
    /// The weight at `time`, which is the request's, so that a replay comes to the same.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use message::Time;
    /// use rendezvous::Ramp;
    ///
    /// let at = |seconds: u64| Time::from_us(1_000_000 * seconds);
    /// let ramp = Ramp { to: 50.0, starts: at(100), over: Duration::from_secs(40) };
    /// let weights = [99, 100, 110, 140, 999].map(|seconds| ramp.weight(10.0, at(seconds)));
    /// assert_eq!(weights, [10.0, 10.0, 20.0, 50.0, 50.0]);
    /// ```
    pub fn weight(&self, from: f64, time: Time) -> f64 {
        let passed = time.since(self.starts);
        if time < self.starts {
            from
        } else if passed >= self.over {
            self.to
        } else {
            let share = passed.as_secs_f64() / self.over.as_secs_f64();
            from + (self.to - from) * share
        }
    }
}

/// An arm that draws: everything that does not depend on the unit has been hashed already.
#[derive(Debug, Clone)]
pub(crate) struct Drawer {
    hashed: Sha256,
    weight: f64,
    ramp: Option<Ramp>,
}

impl Drawer {
    /// An arm of a split of this seed.
    pub(crate) fn new(seed: &str, arm: &Arm) -> Self {
        Self { hashed: hash(seed, &arm.name), weight: arm.weight, ramp: arm.ramp }
    }

    /// Its weight at `time`.
    pub(crate) fn weight_at(&self, time: Time) -> f64 {
        self.ramp.map_or(self.weight, |ramp| ramp.weight(self.weight, time))
    }
}

/// Draws one of these arms for `unit`: its position, and its share of the weights. Where every weight
/// is 0 it is the first arm.
pub(crate) fn draw<'a>(
    arms: impl Iterator<Item = &'a Drawer> + Clone,
    unit: &str,
    time: Time,
) -> (usize, f64) {
    let mut sum = 0.0;
    let mut least = (f64::INFINITY, 0, 0.0);
    for (position, arm) in arms.enumerate() {
        let weight = arm.weight_at(time);
        if weight <= 0.0 {
            continue;
        }
        sum += weight;
        let score = -point(arm.hashed.clone(), unit).ln() / weight;
        if score < least.0 {
            least = (score, position, weight);
        }
    }
    let (_, position, weight) = least;
    (position, if sum > 0.0 { weight / sum } else { 1.0 })
}

/// The number `u` of an arm for a unit, by the formula at the head of [this module](self).
pub fn point_of(seed: &str, arm: &str, unit: &str) -> f64 {
    point(hash(seed, arm), unit)
}

fn hash(seed: &str, arm: &str) -> Sha256 {
    let mut hashed = Sha256::new();
    for part in [seed.as_bytes(), &[0], arm.as_bytes(), &[0]] {
        hashed.update(part);
    }
    hashed
}

fn point(mut hashed: Sha256, unit: &str) -> f64 {
    hashed.update(unit.as_bytes());
    let digest = hashed.finalize();
    let first: [u8; 8] = std::array::from_fn(|index| digest[index]);
    ((u64::from_be_bytes(first) >> 11) as f64 + 0.5) / (1_u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Choosing, Member, Policy, Preference, Roster};

    fn drawers(seed: &str, arms: &[(&str, f64)]) -> Vec<Drawer> {
        let drawer = |&(name, weight): &(&str, f64)| {
            let branch = Branch::default();
            Drawer::new(seed, &Arm { name: name.to_owned(), weight, ramp: None, branch })
        };
        arms.iter().map(drawer).collect()
    }

    fn drawn(drawers: &[Drawer], unit: &str) -> usize {
        draw(drawers.iter(), unit, Time::EPOCH).0
    }

    fn keys() -> impl Iterator<Item = String> {
        (0..20_000).map(|n| format!("key-{n}"))
    }

    /// The numbers are those of the program at the head of the module, run by Python 3.
    #[test]
    fn another_program_computes_the_same_numbers() {
        let expected = [
            ("spring", "control", "HA", 0.6585447228910073),
            ("spring", "treatment", "HA", 0.10669971787708882),
            ("", "", "", 0.5884184134528798),
            ("flights", "β", "Zürich", 0.5916466198964647),
            ("s/route[0]", "a", "4711", 0.9362170973878816),
        ];
        for (seed, arm, unit, point) in expected {
            assert_eq!(point_of(seed, arm, unit), point, "{seed} {arm} {unit}");
        }
    }

    /// The digest is that of the arms which the same program draws.
    #[test]
    fn another_program_draws_the_same_arms() {
        let arms = [("control", 90.0), ("off", 0.0), ("treatment", 10.0), ("new", 2.5)];
        let drawers = drawers("spring", &arms);
        let all: String = keys().take(4_000).map(|key| drawn(&drawers, &key).to_string()).collect();
        assert!(all.starts_with("3022222000000000000000000020200000000000"));
        let counts = ['0', '1', '2', '3'].map(|arm| all.matches(arm).count());
        assert_eq!(counts, [3521, 0, 366, 113]);
        let digest: String =
            Sha256::digest(&all).iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(digest, "fd964c3ca6fb043826ac389e513618a789209c5266e511a31bdb31545b9dc966");
    }

    #[test]
    fn the_shares_of_the_keys_are_the_shares_of_the_weights() {
        let weights = [0.5, 3.0, 0.0, 20.0, 76.5];
        let arms: Vec<_> = ["a", "b", "c", "d", "e"].into_iter().zip(weights).collect();
        let drawers = drawers("x", &arms);
        let mut counts = [0_u32; 5];
        for key in keys() {
            let (arm, share) = draw(drawers.iter(), &key, Time::EPOCH);
            assert_eq!(share, weights[arm] / 100.0);
            counts[arm] += 1;
        }
        for (count, weight) in counts.iter().zip(weights) {
            let (expected, share) = (200.0 * weight, weight / 100.0);
            let sigma = (expected * (1.0 - share)).sqrt();
            assert!((f64::from(*count) - expected).abs() <= 5.0 * sigma, "{counts:?}");
        }
    }

    #[test]
    fn a_change_of_one_weight_moves_keys_only_to_that_arm_or_away_from_it() {
        let before = drawers("x", &[("a", 50.0), ("b", 30.0), ("c", 20.0)]);
        let more = drawers("x", &[("a", 50.0), ("b", 60.0), ("c", 20.0)]);
        let none = drawers("x", &[("a", 50.0), ("b", 0.0), ("c", 20.0)]);
        let reordered = drawers("x", &[("c", 20.0), ("a", 50.0), ("b", 30.0)]);
        let mut moved = 0;
        for key in keys() {
            let was = drawn(&before, &key);
            let (up, down) = (drawn(&more, &key), drawn(&none, &key));
            assert!(up == was || up == 1, "{key} moved from {was} to {up}");
            assert!(down == was || was == 1, "{key} moved from {was} to {down}");
            assert_eq!([1, 2, 0][was], drawn(&reordered, &key));
            moved += usize::from(up != was);
        }
        assert!(moved > 0);
    }

    #[test]
    fn without_any_weight_it_is_the_first_arm() {
        let arms = drawers("x", &[("a", 0.0), ("b", 0.0)]);
        assert_eq!(draw(arms.iter(), "k", Time::EPOCH), (0, 1.0));
    }

    #[test]
    fn a_ramp_goes_by_the_time_that_is_handed_in() {
        let at = |seconds: u64| Time::from_us(1_000_000 * seconds);
        let ramp = Ramp { to: 0.0, starts: at(10), over: Duration::from_secs(10) };
        let weights = [0, 10, 15, 20, 30].map(|seconds| ramp.weight(8.0, at(seconds)));
        assert_eq!(weights, [8.0, 8.0, 4.0, 0.0, 0.0]);
        let step = Ramp { to: 3.0, starts: at(10), over: Duration::ZERO };
        assert_eq!([9, 10].map(|seconds| step.weight(1.0, at(seconds))), [1.0, 3.0]);
    }

    /// Every unit that takes the arm of lesser weight is the same while that only grows.
    #[test]
    fn who_has_come_to_a_growing_arm_stays() {
        let at = |seconds: u64| Time::from_us(1_000_000 * seconds);
        let ramp = Some(Ramp { to: 100.0, starts: at(0), over: Duration::from_secs(100) });
        let order = |model: &str| Preference::default().then(model, None).into();
        let new = Arm { name: "new".into(), weight: 0.0, ramp, branch: order("b") };
        let split =
            Split::new().seeded("s").arm("old", 100.0, Preference::default().then("a", None));
        let members = vec![Member::live("a", 1), Member::live("b", 2)];
        let roster = Roster::new(members, split.with(new).into()).unwrap();
        for key in keys().take(200) {
            let mut came = false;
            for seconds in 0..=100 {
                let choosing = Choosing { route: None, model: None, unit: &key, time: at(seconds) };
                let selected = roster.select(choosing).unwrap();
                let is_new = selected.course.as_usize() == 1;
                assert!(is_new || !came, "{key} went back at {seconds}");
                came = is_new;
                let total = 100.0 + seconds as f64;
                let weight = if is_new { seconds as f64 } else { 100.0 };
                assert!((selected.propensity - weight / total).abs() < 1e-12);
            }
        }
    }

    #[test]
    fn splits_draw_apart_unless_their_seeds_say_otherwise() {
        let order = |model: &str| Preference::default().then(model, None);
        let half = |inner: Option<Split>| {
            let split = Split::new().arm("x", 1.0, order("a"));
            match inner {
                Some(inner) => split.arm("y", 1.0, inner),
                None => split.arm("y", 1.0, order("b")),
            }
        };
        let policy = |inner: Split| Policy { seed: "s".into(), ..half(Some(inner)).into() };
        let members = || vec![Member::live("a", 1), Member::live("b", 2)];
        let inner_share = |inner: Split| {
            let roster = Roster::new(members(), policy(inner)).unwrap();
            let course = |key: &String| {
                let choosing = Choosing { route: None, model: None, unit: key, time: Time::EPOCH };
                roster.select(choosing).unwrap().course.as_usize()
            };
            let courses: Vec<_> = keys().take(2_000).map(|key| course(&key)).collect();
            let y = courses.iter().filter(|&&course| course > 0).count();
            courses.iter().filter(|&&course| course == 2).count() as f64 / y as f64
        };
        assert!((inner_share(half(None)) - 0.5).abs() < 0.1);
        assert_eq!(inner_share(half(None).seeded("s")), 1.0);
        assert_eq!(inner_share(half(None).seeded("s/y")), inner_share(half(None)));
    }
}
