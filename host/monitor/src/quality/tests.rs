//! Qualities against values computed by hand, and by scikit-learn 1.9.1 (`log_loss`,
//! `roc_auc_score`) on the same numbers.

use super::*;

/// Seven probabilities, two of them equal.
const BY_HAND: [(f64, bool); 7] =
    [(0.9, true), (0.8, true), (0.7, false), (0.6, true), (0.4, false), (0.2, false), (0.2, true)];

fn quality(observed: &[(f64, bool)]) -> BinaryQuality {
    let mut quality = BinaryQuality::default();
    observed.iter().for_each(|&(probability, truth)| quality.observe(probability, truth));
    quality
}

/// Numbers between 0 and 1 that any language can make alike: the upper 24 bits of Knuth's linear
/// congruential generator. A probability `p` is followed by a number that decides the truth, which
/// holds with the chance `0.1 + 0.6 p²`.
fn generated(count: usize, seed: u64) -> Vec<(f64, bool)> {
    let mut state = seed;
    let mut next = || {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 40) as f64 / f64::from(1_u32 << 24)
    };
    let mut observe = || {
        let probability = next();
        (probability, next() < 0.1 + 0.6 * probability * probability)
    };
    (0..count).map(|_| observe()).collect()
}

#[track_caller]
fn check(observed: &[(f64, bool)], log_loss: f64, auc: f64) {
    let quality = quality(observed);
    let found = quality.log_loss().unwrap();
    assert!((found - log_loss).abs() < 1e-12, "{found} is not {log_loss}");
    let found = quality.auc().unwrap();
    assert!((found.value - auc).abs() <= found.error_max + 1e-12, "{found:?} is not {auc}");
    assert!(found.error_max < 0.05, "{found:?}");
}

#[test]
fn a_few_values_by_hand() {
    let log_loss = -(0.9_f64.ln()
        + 0.8_f64.ln()
        + 0.3_f64.ln()
        + 0.6_f64.ln()
        + 0.6_f64.ln()
        + 0.8_f64.ln()
        + 0.2_f64.ln())
        / 7.0;
    // Of twelve pairs, eight are in order, and one is equal.
    check(&BY_HAND, log_loss, 8.5 / 12.0);
    assert_eq!(quality(&BY_HAND).positive_share(), Some(4.0 / 7.0));
}

#[test]
fn many_values_as_scikit_learn_has_them() {
    check(&BY_HAND, 0.626_672_797_511_180_5, 0.708_333_333_333_333_3);
    check(&generated(5_000, 1), 0.707_456_682_295_637_9, 0.731_555_478_923_899_9);
    check(&generated(200, 7), 0.638_479_211_995_180_5, 0.758_062_678_062_678);
}

#[test]
fn bins_cost_little_where_probabilities_are_spread() {
    let auc = quality(&generated(5_000, 1)).auc().unwrap();
    assert!(auc.error_max < 0.000_6, "{auc:?}");
}

#[test]
fn certainty_that_is_wrong_costs_the_clip_and_no_infinity() {
    let clip = -(1e-15_f64.ln());
    for (probability, truth) in [(0.0, true), (1.0, false)] {
        let found = quality(&[(probability, truth)]).log_loss().unwrap();
        assert!((found - clip).abs() < 0.2, "{found} is not about {clip}");
    }
    for (probability, truth) in [(1.0, true), (0.0, false)] {
        let found = quality(&[(probability, truth)]).log_loss().unwrap();
        assert!((0.0..2e-15).contains(&found), "{found}");
    }
}

#[test]
fn perfect_reversed_and_constant_orders_have_their_areas() {
    let area = |observed: &[(f64, bool)]| quality(observed).auc().unwrap().value;
    assert_eq!(area(&[(0.9, true), (0.1, false)]), 1.0);
    assert_eq!(area(&[(0.1, true), (0.9, false)]), 0.0);
    assert_eq!(area(&[(0.5, true), (0.5, false), (0.5, false)]), 0.5);
    assert_eq!(quality(&[(0.5, true)]).auc(), None);
}

#[test]
fn what_is_no_probability_spoils_nothing() {
    let mut observed = BY_HAND.to_vec();
    observed.extend([f64::NAN, f64::INFINITY, -0.1, 1.1].map(|bad| (bad, true)));
    let (clean, found) = (quality(&BY_HAND), quality(&observed));
    assert_eq!(found.invalid(), 4);
    assert_eq!((found.count(), found.log_loss(), found.auc()), (7, clean.log_loss(), clean.auc()));
}

#[test]
fn nothing_known_is_nothing_said() {
    let quality = BinaryQuality::default();
    assert_eq!((quality.log_loss(), quality.auc(), quality.positive_share()), (None, None, None));
}

#[test]
fn buckets_are_apart_and_their_total_is_the_whole() {
    let observed = generated(300, 3);
    let mut by_month = Quality::default();
    for (index, &(probability, truth)) in observed.iter().enumerate() {
        by_month.observe(["2013-04", "2013-05", "2013-06"][index % 3], probability, truth);
    }
    let names: Vec<_> = by_month.buckets().map(|(name, quality)| (name, quality.count())).collect();
    assert_eq!(names, [("2013-04", 100), ("2013-05", 100), ("2013-06", 100)]);
    let (total, whole) = (by_month.total(), quality(&observed));
    assert_eq!((total.count(), total.auc()), (whole.count(), whole.auc()));
    assert!((total.log_loss().unwrap() - whole.log_loss().unwrap()).abs() < 1e-12);
}

#[test]
fn merged_qualities_are_as_one_that_saw_everything() {
    let observed = generated(100, 5);
    let half = |observed: &[(f64, bool)], bucket| {
        let mut quality = Quality::default();
        observed
            .iter()
            .for_each(|&(probability, truth)| quality.observe(bucket, probability, truth));
        quality
    };
    let mut merged = half(&observed[..50], "a");
    merged.merge(&half(&observed[50..], "a"));
    merged.merge(&half(&observed, "b"));
    assert_eq!(merged.bucket("a").unwrap().auc(), merged.bucket("b").unwrap().auc());
    assert_eq!(merged.total().count(), 200);
}

#[test]
fn buckets_beyond_the_room_are_counted_and_not_kept() {
    let mut quality = Quality::new(1);
    quality.observe("a", 0.5, true);
    quality.observe("b", 0.5, true);
    quality.observe("a", 0.5, false);
    let mut other = Quality::new(1);
    other.observe("c", 0.5, true);
    quality.merge(&other);
    assert_eq!((quality.buckets().count(), quality.beyond()), (1, 2));
    assert_eq!(quality.total().count(), 2);
}
