//! The boosted trees: each tree leads to a leaf, and the leaves add up to log-odds.

#[allow(clippy::unreadable_literal, reason = "the file is generated")]
mod trained;

use understudy_model::Refusal;

use crate::{Flight, find};
use trained::{CARRIERS, DESTS, ORIGINS, TREES};

const FEATURES: usize = 10;

/// The log-odds that a flight is late.
///
/// # Errors
///
/// [`Refusal::Abstain`] where the carrier or an airport was not in the training data.
pub fn log_odds(flight: &Flight) -> Result<f64, Refusal> {
    let features = [
        known(&CARRIERS, "carrier", flight.carrier)?,
        known(&ORIGINS, "origin", flight.origin)?,
        known(&DESTS, "dest", flight.dest)?,
        flight.distance,
        f32::from(flight.hour),
        f32::from(flight.weekday),
        flight.temp,
        flight.wind_speed,
        flight.precip,
        flight.visib,
    ];
    Ok(TREES.iter().map(|tree| tree.leaf(&features)).sum())
}

fn known(table: &[(&str, f32)], input: &str, name: &str) -> Result<f32, Refusal> {
    find(table, name)
        .ok_or_else(|| Refusal::abstain(format!("{input} `{name}` was not in the training data")))
}

/// A tree. The walk starts at the first split; a branch that is negative is the leaf `!branch`.
struct Tree {
    splits: &'static [Split],
    leaves: &'static [f64],
}

/// A question to one feature, in eight bytes.
struct Split {
    threshold: f32,
    feature: u8,
    left: i8,
    right: i8,
}

const fn split(feature: u8, threshold: f32, left: i8, right: i8) -> Split {
    Split { threshold, feature, left, right }
}

impl Tree {
    fn leaf(&self, features: &[f32; FEATURES]) -> f64 {
        let mut branch = 0;
        while let Ok(index) = usize::try_from(branch) {
            let split = &self.splits[index];
            let goes_left = features[usize::from(split.feature)] <= split.threshold;
            branch = if goes_left { split.left } else { split.right };
        }
        self.leaves[!branch as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_threshold_goes_left_and_what_is_above_goes_right() {
        static SPLITS: [Split; 2] = [split(3, 1.5, -1, 1), split(0, 0.0, -2, -3)];
        let tree = Tree { splits: &SPLITS, leaves: &[10.0, 20.0, 30.0] };
        let leaf = |first, fourth| {
            let mut features = [0.0; FEATURES];
            features[0] = first;
            features[3] = fourth;
            tree.leaf(&features)
        };
        assert_eq!(leaf(9.0, 1.5), 10.0);
        assert_eq!(leaf(0.0, 1.6), 20.0);
        assert_eq!(leaf(0.1, 1.6), 30.0);
    }

    #[test]
    fn every_branch_leads_onwards_to_a_leaf() {
        for tree in &TREES {
            assert_eq!(tree.leaves.len(), tree.splits.len() + 1);
            let branches = tree.splits.iter().flat_map(|split| [split.left, split.right]);
            let mut inner: Vec<i8> = (1..tree.splits.len() as i8).collect();
            let mut outer: Vec<i8> = (0..tree.leaves.len() as i8).map(|leaf| !leaf).rev().collect();
            outer.append(&mut inner);
            let mut found: Vec<i8> = branches.collect();
            found.sort_unstable();
            assert_eq!(found, outer);
            assert!(tree.splits.iter().all(|split| usize::from(split.feature) < FEATURES));
        }
    }
}
