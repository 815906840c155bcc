//! Bins: what CatBoost makes of a row before its trees see it.
//!
//! A bin is a byte. That of a number is how many of its borders are below it; that of a category is 1 where the row has it. A split
//! then asks of every bin the same: is it at least so much.

mod city_hash;
mod lookup;

use serde::{Deserialize, Serialize};

use self::city_hash::city_hash;
pub use self::lookup::{Element, Lookup, Table};
use super::Shape;
use crate::block::{Block, ValueType, Values};
use crate::packed::Fixed;

/// How rows become bins. Their numbers: those of `numbers`, then those of `categories`, then those of `lookups`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Bins {
    /// Numbers, one bin for each.
    pub numbers: Vec<Borders>,
    /// Columns of texts, one bin for each hash.
    pub categories: Vec<Hashes>,
    /// Lookups, as many bins as their tables are wide.
    pub lookups: Vec<Lookup>,
}

/// The borders of a number.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Borders {
    /// The number of the column among the numbers.
    pub column: u32,
    /// Whether a missing value is above all borders; otherwise it is below them.
    pub missing_above: bool,
    /// The borders, from the least to the greatest, at most 255. A number on a border is not above it.
    #[serde(with = "crate::packed")]
    pub borders: Vec<f32>,
}

/// The categories of a column, by the lower half of their [hashes](city_hash) as a number with a sign.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hashes {
    /// The number of the column among the texts.
    pub column: u32,
    /// The hashes, from the least to the greatest.
    #[serde(with = "crate::packed")]
    pub hashes: Vec<i32>,
}

/// A question to a bin: whether it is `from` or more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Split {
    /// The number of the bin.
    pub bin: u16,
    /// The least that is true.
    pub from: u8,
}

/// Up to how many borders a number is compared with each of them. More are searched by halves.
const FEW_BORDERS: usize = 12;
/// The same where many rows are compared with one instruction.
const FEW_BORDERS_OF_MANY: usize = 96;
/// How many rows are compared side by side: their counts are one vector.
const SIDE_BY_SIDE: usize = 16;

/// The hash of a text, as CatBoost compares it.
pub fn category_hash(text: &str) -> i32 {
    city_hash(text.as_bytes()) as i32
}

impl Bins {
    /// How many bins there are.
    pub fn count(&self) -> usize {
        let categories: usize = self.categories.iter().map(|it| it.hashes.len()).sum();
        let lookups: usize = self.lookups.iter().map(|it| it.table.width()).sum();
        self.numbers.len() + categories + lookups
    }

    /// Checks the inputs: numbers in one block of F32, which is left out where there are none, and then texts, one column wide each.
    pub(super) fn check(&self, inputs: &[Shape], splits: &[Split]) -> Result<(), String> {
        let texts = inputs.iter().filter(|it| it.values == ValueType::Text).count();
        let numbers = match &inputs[..inputs.len() - texts] {
            [] => 0,
            [Shape { values: ValueType::F32, width }] => *width,
            others => {
                return Err(format!("bins take one block of F32 and texts, found {others:?}"));
            }
        };
        if let Some(wide) = inputs.iter().find(|it| it.values == ValueType::Text && it.width != 1) {
            return Err(format!("bins take texts one column wide, found {wide:?}"));
        }
        let number = |column: u32| (column as usize) < numbers;
        let text = |column: u32| (column as usize) < texts;
        let element = |element: &Element| match *element {
            Element::Category { column } | Element::Equal { column, .. } => text(column),
            Element::Above { column, .. } => number(column),
        };
        let whole = self.numbers.iter().all(|it| number(it.column) && it.borders.len() < 256)
            && self.categories.iter().all(|it| text(it.column))
            && self.lookups.iter().all(|it| it.elements.iter().all(element) && it.table.is_whole());
        if !whole {
            return Err(format!("bins read columns beyond {numbers} numbers and {texts} texts"));
        }
        match splits.iter().find(|split| usize::from(split.bin) >= self.count()) {
            Some(split) => Err(format!("a split asks for bin {} of {}", split.bin, self.count())),
            None => Ok(()),
        }
    }

    /// Makes the bins of `rows` rows from `first` on, at most `N`: for each bin those of all rows.
    pub(super) fn fill<const N: usize>(
        &self,
        inputs: &[&Block],
        first: usize,
        rows: usize,
        bins: &mut [[u8; N]],
    ) {
        let (numbers, width) = match inputs {
            [Block { values: Values::F32(values), width }, ..] => {
                (&values[first * width..][..rows * width], *width)
            }
            _ => (&[][..], 0),
        };
        let (of_numbers, others) = bins.split_at_mut(self.numbers.len());
        for (borders, bins) in self.numbers.iter().zip(of_numbers) {
            let mut values = [0.0; N];
            let column = numbers.iter().skip(borders.column as usize).step_by(width);
            values.iter_mut().zip(column).for_each(|(value, found)| *value = *found);
            borders.fill(&mut values, bins);
        }
        if others.is_empty() {
            return;
        }
        let texts: Vec<&[String]> = inputs
            .iter()
            .filter_map(|block| match &block.values {
                Values::Text(texts) => Some(&texts[first..][..rows]),
                _ => None,
            })
            .collect();
        let mut hashes = vec![0; texts.len()];
        others.iter_mut().for_each(|bin| *bin = [0; N]);
        for row in 0..rows {
            for (hash, texts) in hashes.iter_mut().zip(&texts) {
                *hash = category_hash(&texts[row]);
            }
            let numbers = numbers.get(row * width..).unwrap_or_default();
            self.fill_row(&hashes, numbers, |bin, value| others[bin][row] = value);
        }
    }

    /// The bins that are no numbers' of one row, numbered from 0.
    fn fill_row(&self, hashes: &[i32], numbers: &[f32], mut set: impl FnMut(usize, u8)) {
        let mut bin = 0;
        for column in &self.categories {
            if let Ok(at) = column.hashes.binary_search(&hashes[column.column as usize]) {
                set(bin + at, 1);
            }
            bin += column.hashes.len();
        }
        for lookup in &self.lookups {
            let hash = |column: u32| hashes[column as usize];
            let key = lookup.key(hash, |column| numbers[column as usize]);
            for value in lookup.table.get(key) {
                set(bin, *value);
                bin += 1;
            }
        }
    }
}

impl Fixed for Split {
    const BYTES: usize = 3;

    fn write(&self, bytes: &mut Vec<u8>) {
        self.bin.write(bytes);
        self.from.write(bytes);
    }

    fn read(bytes: &[u8]) -> Self {
        Self { bin: u16::read(&bytes[..2]), from: bytes[2] }
    }
}

impl Borders {
    fn fill<const N: usize>(&self, values: &mut [f32; N], bins: &mut [u8; N]) {
        if self.missing_above {
            for value in values.iter_mut() {
                *value = if value.is_nan() { f32::INFINITY } else { *value };
            }
        }
        let few = if N >= SIDE_BY_SIDE { FEW_BORDERS_OF_MANY } else { FEW_BORDERS };
        if self.borders.len() <= few {
            self.count(values, bins);
            return;
        }
        *bins = [0; N];
        // The search of all rows goes on in step, so that no row waits for another.
        let mut length = self.borders.len();
        while length > 1 {
            let half = length / 2;
            for (bin, value) in bins.iter_mut().zip(values.iter()) {
                let above = *value > self.borders[usize::from(*bin) + half - 1];
                *bin = bin.wrapping_add(if above { half as u8 } else { 0 });
            }
            length -= half;
        }
        for (bin, value) in bins.iter_mut().zip(values.iter()) {
            *bin = bin.wrapping_add(u8::from(*value > self.borders[usize::from(*bin)]));
        }
    }

    /// Compares with every border, of as many rows at a time as have their values and counts in registers.
    fn count<const N: usize>(&self, values: &[f32; N], bins: &mut [u8; N]) {
        let (values, values_left) = values.as_chunks::<SIDE_BY_SIDE>();
        let (bins, bins_left) = bins.as_chunks_mut::<SIDE_BY_SIDE>();
        for (values, bins) in values.iter().zip(bins) {
            let mut counts = [0_u8; SIDE_BY_SIDE];
            for border in &self.borders {
                for (count, value) in counts.iter_mut().zip(values) {
                    *count = count.wrapping_add(u8::from(value > border));
                }
            }
            *bins = counts;
        }
        for (value, bin) in values_left.iter().zip(bins_left) {
            *bin = self.borders.iter().map(|border| u8::from(value > border)).sum();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bins_of(borders: &Borders, value: f32) -> u8 {
        let mut bins = [9];
        borders.fill(&mut [value], &mut bins);
        bins[0]
    }

    #[test]
    fn a_number_has_the_bin_of_the_borders_below_it() {
        for count in [0, 1, 2, 12, 13, 100, 255_u8] {
            let borders = (0..count).map(|border| f32::from(border) - 3.0).collect();
            let borders = Borders { column: 0, missing_above: false, borders };
            for value in (-8..600).map(|half| half as f32 / 2.0) {
                let below = borders.borders.iter().filter(|border| value > **border).count();
                assert_eq!(usize::from(bins_of(&borders, value)), below, "{value} of {count}");
            }
            let mut values = std::array::from_fn::<f32, 40, _>(|half| half as f32 / 2.0 - 6.0);
            let mut bins = [9; 40];
            borders.fill(&mut values, &mut bins);
            assert_eq!(bins, values.map(|value| bins_of(&borders, value)), "{count}");
            assert_eq!(bins_of(&borders, f32::INFINITY), count);
            assert_eq!(bins_of(&borders, f32::NEG_INFINITY), 0);
            assert_eq!(bins_of(&borders, f32::NAN), 0);
            assert_eq!(bins_of(&Borders { missing_above: true, ..borders }, f32::NAN), count);
        }
    }

    #[test]
    fn categories_and_lookups_have_bins_after_those_of_numbers() {
        let mut hashes = ["AA", "UA"].map(category_hash);
        hashes.sort_unstable();
        let elements = vec![Element::Category { column: 0 }];
        let lookup = Lookup { elements, table: Table::new([], vec![3, 4]) };
        let bins = Bins {
            numbers: vec![Borders { column: 1, missing_above: false, borders: vec![0.5] }],
            categories: vec![Hashes { column: 0, hashes: hashes.to_vec() }],
            lookups: vec![lookup],
        };
        let numbers = Block::f32(2, vec![0.0, 1.0, 1.0, 0.0]);
        let texts =
            Block { width: 1, values: Values::Text(vec!["UA".to_owned(), "ZZ".to_owned()]) };
        let shapes = [&numbers, &texts]
            .map(|block| Shape { values: block.value_type(), width: block.width });
        bins.check(&shapes, &[Split { bin: 4, from: 1 }]).unwrap();
        let mut filled = [[7_u8; 3]; 5];
        bins.fill(&[&numbers, &texts], 0, 2, &mut filled);
        let ua = hashes.iter().position(|hash| *hash == category_hash("UA")).unwrap();
        assert_eq!(filled[0], [1, 0, 0]);
        assert_eq!(filled[1 + ua], [1, 0, 0]);
        assert_eq!(filled[2 - ua], [0, 0, 0]);
        assert_eq!(filled[3..], [[3, 3, 0], [4, 4, 0]]);
        assert_eq!(
            bins.check(&shapes[..1], &[]).unwrap_err(),
            "bins read columns beyond 2 numbers and 0 texts"
        );
        assert_eq!(
            bins.check(&shapes, &[Split { bin: 5, from: 1 }]).unwrap_err(),
            "a split asks for bin 5 of 5"
        );
    }
}
