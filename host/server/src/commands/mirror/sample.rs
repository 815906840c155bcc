//! Which requests are in a sample: always the same ones.

use std::str::FromStr;

/// A share of all keys.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Sample(f64);

impl FromStr for Sample {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (number, unit) = match text.strip_suffix('%') {
            Some(number) => (number, 100.0),
            None => (text, 1.0),
        };
        let share = number.parse().map(|number: f64| number / unit).ok();
        let share = share.filter(|share| (0.0..=1.0).contains(share) && *share > 0.0);
        share.map(Self).ok_or_else(|| "expected a share above 0 such as 0.1 or 10%".to_owned())
    }
}

impl Sample {
    /// Whether a key is in it. Who is in a sample is in every larger one.
    pub(super) fn takes(self, key: &[u8]) -> bool {
        let digest = catalog::write::revision(key);
        let mut first = [0; 8];
        first.copy_from_slice(&digest.digest()[..8]);
        // All 64 bits as a number from 0 to 1.
        (u64::from_be_bytes(first) as f64) < self.0 * 2_f64.powi(64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_a_number_or_a_percentage() {
        assert_eq!("0.1".parse(), Ok(Sample(0.1)));
        assert_eq!("10%".parse(), Ok(Sample(0.1)));
        for text in ["0", "-1", "1.1", "101%", "a", "", "nan"] {
            assert!(text.parse::<Sample>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_sample_is_steady_and_part_of_every_larger_one() {
        let keys: Vec<String> = (0..1000).map(|number| format!("key-{number}")).collect();
        let taken = |share: f64| {
            let sample = Sample(share);
            keys.iter().filter(|key| sample.takes(key.as_bytes())).cloned().collect::<Vec<_>>()
        };
        let (tenth, half) = (taken(0.1), taken(0.5));
        assert_eq!(tenth, taken(0.1));
        assert!((70..130).contains(&tenth.len()), "{}", tenth.len());
        assert!(tenth.iter().all(|key| half.contains(key)));
        assert_eq!(taken(1.0).len(), 1000);
    }
}
