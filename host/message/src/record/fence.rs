//! Which records of an answers topic count, where several processes write to it.
//!
//! Who takes over a partition of requests writes a *fence* among the answers first, and answers under
//! the offset of that fence, its *epoch*. A process that had the partition before, was paused and did
//! not notice, may still write: what it writes behind the fence bears a lower epoch and is void. So
//! whoever reads the topic in order knows which answers count, and asks nobody.

use std::collections::HashMap;

use super::header::{EPOCH, FENCE, REQUEST_SOURCE};

/// What a record of an answers topic is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// An answer that counts. Of several to one id the first is the official one.
    Answer,
    /// An answer that does not count: whoever gave it had lost the request to somebody else.
    Void,
    /// A fence, and no answer.
    Fence,
}

/// The fences of one partition of an answers topic, as far as it has been read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fences {
    /// The highest epoch of each partition of requests.
    epochs: HashMap<Box<str>, u64>,
}

impl Fences {
    /// Takes note of a fence that stands before where reading begins.
    pub fn note(&mut self, request_source: &str, epoch: u64) {
        match self.epochs.get_mut(request_source) {
            Some(known) => *known = epoch.max(*known),
            None => {
                self.epochs.insert(request_source.into(), epoch);
            }
        }
    }

    /// Says what the next record of the partition is. Records are to be shown in their order, and each
    /// once or oftener.
    ///
    /// Those without the headers, as the embedded stream has them, count. What cannot be read as an
    /// epoch is the lowest.
    pub fn judge<'h>(
        &mut self,
        offset: u64,
        headers: impl IntoIterator<Item = (&'h str, &'h [u8])>,
    ) -> Standing {
        let (mut source, mut epoch, mut fence) = (None, None, None);
        for (name, value) in headers {
            match name {
                FENCE => fence = Some(value),
                REQUEST_SOURCE => source = Some(value),
                EPOCH => epoch = Some(value),
                _ => {}
            }
        }
        let text = |value| str::from_utf8(value).ok();
        if let Some(fence) = fence {
            if let Some(fence) = text(fence) {
                self.note(fence, offset);
            }
            return Standing::Fence;
        }
        let epoch: Option<u64> = epoch.and_then(text).and_then(|epoch| epoch.parse().ok());
        let counts = source.and_then(text).is_none_or(|it| self.counts(it, epoch.unwrap_or(0)));
        if counts { Standing::Answer } else { Standing::Void }
    }

    /// Whether an answer of an epoch counts that stands behind all that was shown.
    pub fn counts(&self, request_source: &str, epoch: u64) -> bool {
        self.epochs.get(request_source).is_none_or(|known| epoch >= *known)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Judges records in order, each written as its offset, `fence` or an epoch, and its source.
    fn check(records: &[(u64, &str, &str, Standing)]) {
        let mut fences = Fences::default();
        for &(offset, what, source, expected) in records {
            let pairs: &[(&str, &[u8])] = match what {
                "fence" => &[(FENCE, source.as_bytes())],
                "bare" => &[("id", b"1")],
                epoch => &[(REQUEST_SOURCE, source.as_bytes()), (EPOCH, epoch.as_bytes())],
            };
            let found = fences.judge(offset, pairs.iter().copied());
            assert_eq!(found, expected, "record {offset} of {records:?}");
        }
    }

    #[test]
    fn what_was_written_too_late_is_void() {
        use Standing::{Answer, Fence, Void};
        check(&[
            (0, "fence", "f/requests/0", Fence),
            (1, "0", "f/requests/0", Answer),
            (5, "fence", "f/requests/0", Fence),
            (6, "0", "f/requests/0", Void),
            (7, "5", "f/requests/0", Answer),
            (8, "0", "f/requests/0", Void),
        ]);
    }

    #[test]
    fn each_partition_of_requests_has_fences_of_its_own() {
        use Standing::{Answer, Fence, Void};
        check(&[
            (0, "fence", "f/requests/0", Fence),
            (2, "fence", "orders/0", Fence),
            (3, "fence", "orders/0", Fence),
            (4, "0", "f/requests/0", Answer),
            (5, "2", "orders/0", Void),
            (6, "3", "orders/0", Answer),
        ]);
    }

    #[test]
    fn records_without_an_epoch_count_until_there_is_a_fence() {
        use Standing::{Answer, Fence, Void};
        check(&[
            (0, "bare", "", Answer),
            (1, "soon", "f/requests/0", Answer),
            (2, "fence", "f/requests/0", Fence),
            (3, "soon", "f/requests/0", Void),
            (4, "bare", "", Answer),
        ]);
    }

    #[test]
    fn a_fence_from_before_the_start_is_known_by_word() {
        let mut fences = Fences::default();
        fences.note("f/requests/0", 7);
        fences.note("f/requests/0", 3);
        let judge = |fences: &mut Fences, epoch: &[u8]| {
            fences.judge(9, [(REQUEST_SOURCE, &b"f/requests/0"[..]), (EPOCH, epoch)])
        };
        assert_eq!(judge(&mut fences, b"6"), Standing::Void);
        assert_eq!(judge(&mut fences, b"7"), Standing::Answer);
    }
}
