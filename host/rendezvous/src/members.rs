//! Members of a roster by number, and sets of positions.

/// The number of a member in its [`Roster`](crate::Roster). It means nothing in another roster.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MemberIndex(u16);

impl MemberIndex {
    /// How many members can be told apart.
    pub const LIMIT: usize = u16::MAX as usize;

    /// The number of the member at this position of the roster's list.
    pub const fn new(position: u16) -> Self {
        Self(position)
    }

    /// The position in the roster's list.
    pub const fn as_usize(self) -> usize {
        self.0 as usize
    }

    pub(crate) fn from_usize(position: usize) -> Self {
        Self(u16::try_from(position).expect("invariant: a roster has at most `LIMIT` members"))
    }
}

const WORD_BITS: usize = u64::BITS as usize;

/// A set of positions: two words inline, which is all that most endpoints need, boxed words beyond.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum PositionSet {
    Few([u64; Self::FEW / WORD_BITS]),
    Many(Box<[u64]>),
}

impl PositionSet {
    /// How many positions fit without a box.
    pub(crate) const FEW: usize = 128;

    /// The empty set for `count` positions.
    pub(crate) fn empty(count: usize) -> Self {
        if count <= Self::FEW {
            Self::Few([0; Self::FEW / WORD_BITS])
        } else {
            Self::Many(vec![0; count.div_ceil(WORD_BITS)].into_boxed_slice())
        }
    }

    /// The bytes behind the box for `count` positions.
    pub(crate) const fn boxed_bytes(count: usize) -> usize {
        if count <= Self::FEW { 0 } else { count.div_ceil(WORD_BITS) * size_of::<u64>() }
    }

    /// Whether the set is as large as one for `count` positions.
    pub(crate) fn fits(&self, count: usize) -> bool {
        let words =
            if count <= Self::FEW { Self::FEW / WORD_BITS } else { count.div_ceil(WORD_BITS) };
        self.words().len() == words
    }

    pub(crate) fn clear(&mut self) {
        self.words_mut().fill(0);
    }

    /// Whether `position` is in the set; one that the set has no room for is not.
    pub(crate) fn contains(&self, position: usize) -> bool {
        let (word, bit) = Self::place(position);
        self.words().get(word).is_some_and(|bits| bits & bit != 0)
    }

    /// Adds `position` and says whether it was missing.
    ///
    /// # Panics
    ///
    /// When the set has no room for `position`.
    pub(crate) fn insert(&mut self, position: usize) -> bool {
        let (word, bit) = Self::place(position);
        let bits = &mut self.words_mut()[word];
        let missing = *bits & bit == 0;
        *bits |= bit;
        missing
    }

    #[cfg(test)]
    pub(crate) fn count(&self) -> usize {
        self.words().iter().map(|bits| bits.count_ones() as usize).sum()
    }

    const fn place(position: usize) -> (usize, u64) {
        (position / WORD_BITS, 1 << (position % WORD_BITS))
    }

    fn words(&self) -> &[u64] {
        match self {
            Self::Few(words) => words,
            Self::Many(words) => words,
        }
    }

    fn words_mut(&mut self) -> &mut [u64] {
        match self {
            Self::Few(words) => words,
            Self::Many(words) => words,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(count: usize, inserted: &[usize]) {
        let mut set = PositionSet::empty(count);
        for &position in inserted {
            assert!(set.insert(position));
            assert!(!set.insert(position));
        }
        assert_eq!(set.count(), inserted.len());
        assert!(set.fits(count));
        for position in 0..count + 200 {
            let is_in = inserted.contains(&position);
            assert_eq!(set.contains(position), is_in, "{position} of {count}");
        }
        set.clear();
        assert_eq!(set, PositionSet::empty(count));
    }

    #[test]
    fn a_set_holds_what_was_put_in_and_nothing_else() {
        check(0, &[]);
        check(1, &[0]);
        check(64, &[0, 63]);
        check(128, &[0, 63, 64, 127]);
        check(129, &[0, 127, 128]);
        check(1_000, &[0, 128, 511, 512, 999]);
    }

    #[test]
    fn only_large_sets_are_boxed() {
        assert!(matches!(PositionSet::empty(128), PositionSet::Few(_)));
        assert!(matches!(PositionSet::empty(129), PositionSet::Many(_)));
        assert_eq!(PositionSet::boxed_bytes(128), 0);
        assert_eq!(PositionSet::boxed_bytes(129), 24);
        assert_eq!(PositionSet::boxed_bytes(1_000), 128);
        assert_eq!(size_of::<PositionSet>(), 24);
    }
}
