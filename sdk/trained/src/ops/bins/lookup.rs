//! Lookups: what CatBoost knows of categories and of combinations of them, by a key that is made of their hashes.
//!
//! CatBoost keeps counts of the classes and makes a number of them for each row, which it then compares with borders. Counts and
//! borders are constants, so the reader does all this once: a key leads to the bins.

use serde::{Deserialize, Serialize};

/// Bins by the values of some columns.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Lookup {
    /// What the key is made of, in this order.
    pub elements: Vec<Element>,
    /// The bins of each key.
    pub table: Table,
}

/// A part of a key.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub enum Element {
    /// The hash of the text of a column.
    Category {
        /// The number of the column among the texts.
        column: u32,
    },
    /// Whether the hash of the text of a column is this one.
    Equal {
        /// The number of the column among the texts.
        column: u32,
        /// The hash.
        hash: i32,
    },
    /// Whether a number is above a border.
    Above {
        /// The number of the column among the numbers.
        column: u32,
        /// The border.
        border: f32,
        /// Whether a missing value is above it.
        missing: bool,
    },
}

/// Bins by their keys, as a table of open addresses.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Table {
    #[serde(with = "crate::packed")]
    keys: Vec<u64>,
    #[serde(with = "crate::packed")]
    bins: Vec<u8>,
    width: u32,
}

/// What stands where no key is. No key is it: CatBoost marks its own empty places so.
const EMPTY: u64 = u64::MAX;
/// What a key is multiplied by when an element is added.
const MULTIPLIER: u64 = 0x4906_ba49_4954_cb65;

impl Lookup {
    /// The key of a row: `hash` gives the hashes of its texts, `number` its numbers.
    pub(super) fn key(&self, hash: impl Fn(u32) -> i32, number: impl Fn(u32) -> f32) -> u64 {
        self.elements.iter().fold(0, |key: u64, element| {
            let part = match *element {
                Element::Category { column } => i64::from(hash(column)) as u64,
                Element::Equal { column, hash: expected } => u64::from(hash(column) == expected),
                Element::Above { column, border, missing } => {
                    let value = number(column);
                    u64::from(value > border || (missing && value.is_nan()))
                }
            };
            let mixed = key.wrapping_add(MULTIPLIER.wrapping_mul(part));
            MULTIPLIER.wrapping_mul(mixed)
        })
    }
}

impl Table {
    /// A table of keys and their bins, `width` for each, and the bins of whatever is none of the keys.
    pub fn new(entries: impl IntoIterator<Item = (u64, Vec<u8>)>, unknown: Vec<u8>) -> Self {
        let width = unknown.len();
        let entries: Vec<_> = entries.into_iter().filter(|(key, _)| *key != EMPTY).collect();
        let places = (entries.len() * 2).next_power_of_two();
        let mut keys = vec![EMPTY; places];
        let mut bins = vec![0; places * width];
        for (key, its) in entries {
            let place = probe(&keys, key);
            keys[place] = key;
            bins[place * width..][..width].copy_from_slice(&its);
        }
        bins.extend(unknown);
        Self { keys, bins, width: width as u32 }
    }

    /// How many bins a key has.
    pub(super) fn width(&self) -> usize {
        self.width as usize
    }

    /// The bins of a key.
    pub(super) fn get(&self, key: u64) -> &[u8] {
        let place = probe(&self.keys, key);
        let known = self.keys[place] == key && key != EMPTY;
        &self.bins[if known { place } else { self.keys.len() } * self.width()..][..self.width()]
    }

    /// Whether places and bins fit to each other, and a search ends.
    pub(super) fn is_whole(&self) -> bool {
        self.keys.len().is_power_of_two()
            && self.keys.contains(&EMPTY)
            && self.bins.len() == (self.keys.len() + 1) * self.width()
    }
}

/// The place of a key, or the empty one where it would stand.
fn probe(keys: &[u64], key: u64) -> usize {
    let mask = keys.len() - 1;
    let mut place = (key ^ (key >> 32)) as usize & mask;
    while keys[place] != key && keys[place] != EMPTY {
        place = (place + 1) & mask;
    }
    place
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_leads_to_its_bins() {
        let entries = (0..100_u64).map(|key| (key << 40, vec![key as u8, 1]));
        let table = Table::new(entries, vec![255, 0]);
        assert!(table.is_whole());
        for key in 0..100 {
            assert_eq!(table.get(key << 40), [key as u8, 1]);
        }
        for unknown in [1, u64::MAX] {
            assert_eq!(table.get(unknown), [255, 0]);
        }
        let empty = Table::new([], vec![7]);
        assert!(empty.is_whole());
        assert_eq!(empty.get(0), [7]);
    }

    #[test]
    fn a_key_is_made_of_its_elements_in_order() {
        let elements = vec![
            Element::Category { column: 0 },
            Element::Equal { column: 1, hash: -7 },
            Element::Above { column: 0, border: 0.5, missing: true },
        ];
        let lookup = Lookup { elements, table: Table::new([], vec![]) };
        let key = |number: f32| lookup.key(|column| [-5, -7][column as usize], |_| number);
        let step = |key: u64, part: u64| {
            MULTIPLIER.wrapping_mul(key.wrapping_add(MULTIPLIER.wrapping_mul(part)))
        };
        let texts = step(step(0, -5_i64 as u64), 1);
        assert_eq!(key(0.5), step(texts, 0));
        assert_eq!(key(0.75), step(texts, 1));
        assert_eq!(key(f32::NAN), step(texts, 1));
    }
}
