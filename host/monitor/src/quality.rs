//! How good the probabilities of a model were, once the truth is known.
//!
//! The area under the ROC curve is taken from a histogram of 1,000 bins instead of a sort: memory
//! stays fixed, two of them can be added, and the error is known and reported with the value.

use std::collections::BTreeMap;

/// Probabilities are moved this far away from 0 and 1, so that one mistake costs no infinity.
const CLIP: f64 = 1e-15;
const BINS: usize = 1_000;

/// How good probabilities were at telling whether something is true. About 16 KiB.
#[derive(Debug, Clone, PartialEq)]
pub struct BinaryQuality {
    count: u64,
    log_loss_sum: f64,
    /// For each bin of probability, how many were false and how many true.
    bins: Vec<[u64; 2]>,
    invalid: u64,
}

/// An area under the ROC curve.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Auc {
    /// The area.
    pub value: f64,
    /// The exact area is at most this far away.
    pub error_max: f64,
}

impl BinaryQuality {
    /// Takes note of a probability and the truth. What is no probability is counted apart.
    pub fn observe(&mut self, probability: f64, truth: bool) {
        if !(0.0..=1.0).contains(&probability) {
            self.invalid += 1;
            return;
        }
        let clipped = probability.clamp(CLIP, 1.0 - CLIP);
        // -ln p where it is true, -ln(1 - p) where it is not; the latter exact for small p.
        self.log_loss_sum -= if truth { clipped.ln() } else { (-clipped).ln_1p() };
        self.count += 1;
        let bin = ((probability * BINS as f64) as usize).min(BINS - 1);
        self.bins[bin][usize::from(truth)] += 1;
    }

    /// Takes over what another has seen.
    pub fn merge(&mut self, other: &Self) {
        self.count += other.count;
        self.log_loss_sum += other.log_loss_sum;
        self.invalid += other.invalid;
        for (ours, theirs) in self.bins.iter_mut().zip(&other.bins) {
            ours[0] += theirs[0];
            ours[1] += theirs[1];
        }
    }

    /// How many probabilities were noted.
    pub const fn count(&self) -> u64 {
        self.count
    }

    /// How many values were no probabilities.
    pub const fn invalid(&self) -> u64 {
        self.invalid
    }

    /// The share of truths, which is what the best constant probability would be.
    pub fn positive_share(&self) -> Option<f64> {
        let positives: u64 = self.bins.iter().map(|[_, positives]| positives).sum();
        (self.count > 0).then(|| positives as f64 / self.count as f64)
    }

    /// The mean of `-ln p` over the true and of `-ln(1 - p)` over the false, with `p` clipped to
    /// 1e-15 from 0 and from 1.
    pub fn log_loss(&self) -> Option<f64> {
        (self.count > 0).then(|| self.log_loss_sum / self.count as f64)
    }

    /// The chance that a true one has a higher probability than a false one, equal ones counted
    /// half. There is none without at least one of each.
    ///
    /// Pairs within a bin count half, so that the error is at most half of their share.
    pub fn auc(&self) -> Option<Auc> {
        let (mut below, mut won, mut shared, mut positives_sum) = (0.0, 0.0, 0.0, 0.0);
        for &[negatives, positives] in &self.bins {
            let (negatives, positives) = (negatives as f64, positives as f64);
            won += positives * below;
            shared += positives * negatives;
            below += negatives;
            positives_sum += positives;
        }
        let pairs = below * positives_sum;
        let half_shared = shared / 2.0;
        (pairs > 0.0)
            .then(|| Auc { value: (won + half_shared) / pairs, error_max: half_shared / pairs })
    }
}

impl Default for BinaryQuality {
    fn default() -> Self {
        Self { count: 0, log_loss_sum: 0.0, bins: vec![[0; 2]; BINS], invalid: 0 }
    }
}

/// The quality of a model by named bucket, such as a month.
#[derive(Debug, Clone, PartialEq)]
pub struct Quality {
    by_bucket: BTreeMap<String, BinaryQuality>,
    buckets_max: usize,
    beyond: u64,
}

impl Quality {
    /// A quality with room for this many buckets.
    pub const fn new(buckets_max: usize) -> Self {
        Self { by_bucket: BTreeMap::new(), buckets_max, beyond: 0 }
    }

    /// Takes note of a probability and the truth in a bucket. Where there is no room for the bucket,
    /// this only counts how often.
    pub fn observe(&mut self, bucket: &str, probability: f64, truth: bool) {
        if let Some(quality) = self.bucket_mut(bucket) {
            quality.observe(probability, truth);
        } else {
            self.beyond += 1;
        }
    }

    /// Takes over what another has seen of the same model.
    pub fn merge(&mut self, other: &Self) {
        self.beyond += other.beyond;
        for (bucket, theirs) in &other.by_bucket {
            if let Some(ours) = self.bucket_mut(bucket) {
                ours.merge(theirs);
            } else {
                self.beyond += theirs.count + theirs.invalid;
            }
        }
    }

    /// The buckets, by name.
    pub fn buckets(&self) -> impl Iterator<Item = (&str, &BinaryQuality)> {
        self.by_bucket.iter().map(|(name, quality)| (name.as_str(), quality))
    }

    /// One bucket.
    pub fn bucket(&self, name: &str) -> Option<&BinaryQuality> {
        self.by_bucket.get(name)
    }

    /// All buckets together.
    pub fn total(&self) -> BinaryQuality {
        let mut total = BinaryQuality::default();
        self.by_bucket.values().for_each(|quality| total.merge(quality));
        total
    }

    /// How many were not noted because their bucket had no room.
    pub const fn beyond(&self) -> u64 {
        self.beyond
    }

    fn bucket_mut(&mut self, name: &str) -> Option<&mut BinaryQuality> {
        if !self.by_bucket.contains_key(name) {
            if self.by_bucket.len() >= self.buckets_max {
                return None;
            }
            self.by_bucket.insert(name.to_owned(), BinaryQuality::default());
        }
        self.by_bucket.get_mut(name)
    }
}

impl Default for Quality {
    /// Room for 64 buckets: about 1 MiB.
    fn default() -> Self {
        Self::new(64)
    }
}

#[cfg(test)]
mod tests;
