//! The commits of a partition's readers.

use std::collections::BTreeMap;

/// What each registered reader has done, by name.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Readers(BTreeMap<String, u64>);

impl Readers {
    /// Notes a commit and tells whether it changed anything: it does not when it is no advance.
    pub(crate) fn commit(&mut self, reader: &str, offset: u64) -> bool {
        match self.0.get_mut(reader) {
            Some(committed) if *committed >= offset => false,
            Some(committed) => {
                *committed = offset;
                true
            }
            None => self.reset(reader, offset),
        }
    }

    pub(crate) fn reset(&mut self, reader: &str, offset: u64) -> bool {
        self.0.insert(reader.to_owned(), offset) != Some(offset)
    }

    pub(crate) fn forget(&mut self, reader: &str) -> bool {
        self.0.remove(reader).is_some()
    }

    pub(crate) fn committed(&self, reader: &str) -> Option<u64> {
        self.0.get(reader).copied()
    }

    /// The lowest commit: what lies below nobody waits for.
    pub(crate) fn lowest(&self) -> Option<u64> {
        self.0.values().copied().min()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, u64)> {
        self.0.iter().map(|(reader, &offset)| (reader.as_str(), offset))
    }

    pub(crate) fn to_vec(&self) -> Vec<(String, u64)> {
        self.iter().map(|(reader, offset)| (reader.to_owned(), offset)).collect()
    }

    /// Lowers the commits that lie beyond `end`, and returns the names of their readers.
    pub(crate) fn lower_to(&mut self, end: u64) -> Vec<String> {
        let beyond = self.0.iter_mut().filter(|(_, offset)| **offset > end);
        beyond
            .map(|(reader, offset)| {
                *offset = end;
                reader.clone()
            })
            .collect()
    }
}
