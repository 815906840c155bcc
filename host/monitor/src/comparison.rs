//! How far the models of an endpoint agree with its champion, on the same requests.
//!
//! Scores of a request arrive in any order and some never come. A score waits for the champion's
//! until newer requests need its place; what was never paired is counted, not guessed.

use std::collections::{BTreeMap, HashMap, VecDeque};

use message::{ModelName, RequestId};

/// How far one model agrees with the champion.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Agreement {
    pairs: u64,
    within: u64,
    mean_absolute_difference: f64,
    not_finite: u64,
}

impl Agreement {
    /// Takes note of what both said to one request; they agree within `tolerance`.
    ///
    /// What is not finite is counted and leaves the rest as it is.
    pub fn observe(&mut self, champion: f64, model: f64, tolerance: f64) {
        let difference = (champion - model).abs();
        if !difference.is_finite() {
            self.not_finite += 1;
            return;
        }
        self.pairs += 1;
        self.within += u64::from(difference <= tolerance);
        self.mean_absolute_difference +=
            (difference - self.mean_absolute_difference) / self.pairs as f64;
    }

    /// Takes over what another has seen of the same model.
    pub fn merge(&mut self, other: &Self) {
        self.pairs += other.pairs;
        self.within += other.within;
        self.not_finite += other.not_finite;
        if self.pairs > 0 {
            let weight = other.pairs as f64 / self.pairs as f64;
            let ahead = other.mean_absolute_difference - self.mean_absolute_difference;
            self.mean_absolute_difference += ahead * weight;
        }
    }

    /// How many requests both answered.
    pub const fn pairs(&self) -> u64 {
        self.pairs
    }

    /// How many requests had a value that was not finite.
    pub const fn not_finite(&self) -> u64 {
        self.not_finite
    }

    /// The share of the pairs that are within the tolerance.
    pub fn share_within(&self) -> Option<f64> {
        (self.pairs > 0).then(|| self.within as f64 / self.pairs as f64)
    }

    /// The mean of how far the pairs are apart.
    pub fn mean_absolute_difference(&self) -> Option<f64> {
        (self.pairs > 0).then_some(self.mean_absolute_difference)
    }
}

/// The agreement of every model of an endpoint with its champion.
#[derive(Debug)]
pub struct Comparison {
    champion: ModelName,
    tolerance: f64,
    agreements: BTreeMap<ModelName, Agreement>,
    open: HashMap<RequestId, Open>,
    oldest_first: VecDeque<RequestId>,
    open_max: usize,
    unpaired: u64,
}

/// What was said to a request so far.
#[derive(Debug, Default)]
struct Open {
    champion: Option<f64>,
    others: Vec<(ModelName, f64)>,
}

impl Comparison {
    /// A comparison with this champion that remembers at most `open_max` requests.
    pub fn new(champion: ModelName, tolerance: f64, open_max: usize) -> Self {
        Self {
            champion,
            tolerance,
            agreements: BTreeMap::new(),
            open: HashMap::new(),
            oldest_first: VecDeque::new(),
            open_max: open_max.max(1),
            unpaired: 0,
        }
    }

    /// Begins anew with another champion; nothing happens where it is the same.
    pub fn set_champion(&mut self, champion: &ModelName) {
        if *champion != self.champion {
            *self = Self::new(champion.clone(), self.tolerance, self.open_max);
        }
    }

    /// Forgets a model that is gone.
    pub fn forget(&mut self, model: &ModelName) {
        self.agreements.remove(model);
    }

    /// Takes note of what a model said to a request. A model that speaks twice counts twice.
    pub fn observe(&mut self, request: &RequestId, model: &ModelName, value: f64) {
        if !self.open.contains_key(request) {
            self.make_room();
            self.open.insert(request.clone(), Open::default());
            self.oldest_first.push_back(request.clone());
        }
        let open = self.open.get_mut(request).expect("invariant: it was there or inserted");
        if *model == self.champion {
            open.champion = Some(value);
            for (model, other) in open.others.drain(..) {
                self.agreements.entry(model).or_default().observe(value, other, self.tolerance);
            }
        } else if let Some(champion) = open.champion {
            let agreement = self.agreements.entry(model.clone()).or_default();
            agreement.observe(champion, value, self.tolerance);
        } else {
            open.others.push((model.clone(), value));
        }
    }

    /// The agreement of each model with the champion, by name.
    pub fn agreements(&self) -> impl Iterator<Item = (&ModelName, &Agreement)> {
        self.agreements.iter()
    }

    /// The agreement of one model with the champion.
    pub fn agreement(&self, model: &ModelName) -> Option<&Agreement> {
        self.agreements.get(model)
    }

    /// How many scores were given up because the champion's did not come in time.
    pub const fn unpaired(&self) -> u64 {
        self.unpaired
    }

    fn make_room(&mut self) {
        while self.open.len() >= self.open_max {
            let oldest = self.oldest_first.pop_front().expect("invariant: one entry for each open");
            let given_up = self.open.remove(&oldest).map_or(0, |open| open.others.len());
            self.unpaired += given_up as u64;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn comparison() -> Comparison {
        Comparison::new("champion".into(), 0.1, 3)
    }

    fn observe(comparison: &mut Comparison, said: &[(&str, &str, f64)]) {
        for &(request, model, value) in said {
            comparison.observe(&request.into(), &model.into(), value);
        }
    }

    #[test]
    fn the_mean_and_the_share_are_those_of_the_pairs() {
        let mut comparison = comparison();
        let said = [
            ("1", "champion", 0.5),
            ("1", "a", 0.5),
            ("2", "a", 0.75),
            ("2", "champion", 0.5),
            ("3", "champion", 0.25),
            ("3", "a", 0.3125),
        ];
        observe(&mut comparison, &said);
        let agreement = comparison.agreement(&"a".into()).unwrap();
        assert_eq!(agreement.pairs(), 3);
        assert_eq!(agreement.share_within(), Some(2.0 / 3.0));
        let mean = agreement.mean_absolute_difference().unwrap();
        assert!((mean - 0.3125 / 3.0).abs() < 1e-15, "{mean}");
    }

    #[test]
    fn scores_whose_champion_never_comes_are_given_up_in_order() {
        let mut comparison = comparison();
        observe(&mut comparison, &[("1", "a", 0.0), ("1", "b", 0.0), ("2", "a", 0.0)]);
        observe(&mut comparison, &[("3", "a", 0.0), ("4", "a", 0.0)]);
        assert_eq!(comparison.unpaired(), 2);
        observe(&mut comparison, &[("2", "champion", 0.0)]);
        assert_eq!(comparison.agreement(&"a".into()).unwrap().pairs(), 1);
        assert!(comparison.agreement(&"b".into()).is_none());
        assert_eq!((comparison.open.len(), comparison.oldest_first.len()), (3, 3));
    }

    #[test]
    fn what_is_not_finite_spoils_nothing() {
        let mut agreement = Agreement::default();
        agreement.observe(1.0, 2.0, 0.5);
        for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            agreement.observe(1.0, bad, 0.5);
            agreement.observe(bad, 1.0, 0.5);
        }
        agreement.observe(f64::MAX, f64::MIN, 0.5);
        assert_eq!((agreement.pairs(), agreement.not_finite()), (1, 7));
        assert_eq!(agreement.mean_absolute_difference(), Some(1.0));
    }

    #[test]
    fn a_new_champion_begins_anew_and_the_same_one_does_not() {
        let mut comparison = comparison();
        observe(&mut comparison, &[("1", "champion", 0.5), ("1", "a", 0.5)]);
        comparison.set_champion(&"champion".into());
        assert_eq!(comparison.agreements().count(), 1);
        comparison.set_champion(&"a".into());
        assert_eq!(comparison.agreements().count(), 0);
    }

    #[test]
    fn merging_is_as_if_one_had_seen_everything() {
        let values = [0.1, 0.5, 0.25, 0.75, 0.0];
        let observe = |agreement: &mut Agreement, values: &[f64]| {
            values.iter().for_each(|&value| agreement.observe(0.2, value, 0.2));
        };
        let (mut whole, mut left, mut right) = Default::default();
        observe(&mut whole, &values);
        observe(&mut left, &values[..2]);
        observe(&mut right, &values[2..]);
        left.merge(&right);
        assert_eq!((left.pairs, left.within), (whole.pairs, whole.within));
        let apart = left.mean_absolute_difference - whole.mean_absolute_difference;
        assert!(apart.abs() < 1e-15, "{apart}");
        left.merge(&Agreement::default());
        assert_eq!(left.pairs, 5);
    }
}
