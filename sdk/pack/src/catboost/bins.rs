//! From splits to bins: each split becomes a question to a bin, and only what is asked for has one.

use std::collections::{BTreeMap, BTreeSet};

use trained::ops::bins::{Bins, Borders, Element, Hashes, Lookup, Split};

use super::features::{Computed, Features, Float, RawElement, hash};
use super::tables;
use crate::ReadError;
use crate::value::Node;

/// How many borders a bin can have: it counts them in a byte.
const BORDERS_OF_A_BIN: usize = 255;

/// What the splits ask for, as it is collected.
#[derive(Debug)]
pub(super) struct BinPlan<'a> {
    features: &'a Features,
    /// The borders that are asked for of each column.
    numbers: BTreeMap<usize, (Float, BTreeSet<Border>)>,
    /// The hashes that are asked for of each column.
    categories: BTreeMap<usize, BTreeSet<i32>>,
    /// The borders that are asked for of what is computed, by the table and the number of the feature.
    computed: BTreeMap<(&'a str, usize), BTreeSet<Border>>,
}

/// What a split asks, before the bins have numbers.
#[derive(Debug, Clone, Copy)]
pub(super) enum Question {
    /// Whether the number of a column is above a border.
    Above(usize, Border),
    /// Whether the text of a column has this hash.
    Is(usize, i32),
    /// Whether what is computed is above a border, by the number of the feature.
    Computed(usize, Border),
}

/// A border, in the order of numbers.
#[derive(Debug, Clone, Copy)]
pub(super) struct Border(f32);

impl PartialEq for Border {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Border {}

impl PartialOrd for Border {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Border {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.total_cmp(&other.0)
    }
}

impl<'a> BinPlan<'a> {
    pub(super) fn new(features: &'a Features) -> Self {
        Self {
            features,
            numbers: BTreeMap::new(),
            categories: BTreeMap::new(),
            computed: BTreeMap::new(),
        }
    }

    /// Reads a split, and remembers what it asks for.
    pub(super) fn ask(&mut self, split: &Node<'_>) -> Result<Question, ReadError> {
        let kind = split.get("split_type")?;
        match kind.text()? {
            "FloatFeature" => {
                let index = split.get("float_feature_index")?;
                let float = self.features.float(index.count()?, &index.place)?;
                let border = border(&split.get("border")?)?;
                let (_, borders) =
                    self.numbers.entry(float.column).or_insert((float, BTreeSet::new()));
                borders.insert(border);
                Ok(Question::Above(float.column, border))
            }
            "OneHotFeature" => {
                let index = split.get("cat_feature_index")?;
                let column = self.features.category(index.count()?, &index.place)?;
                let hash = hash(&split.get("value")?)?;
                self.categories.entry(column).or_default().insert(hash);
                Ok(Question::Is(column, hash))
            }
            "OnlineCtr" => self.ask_computed(split),
            other => Err(kind.unsupported(format!("a split of the type {other}"), None)),
        }
    }

    fn ask_computed(&mut self, split: &Node<'_>) -> Result<Question, ReadError> {
        let index = split.get("split_index")?;
        let mut at = index.count()?.checked_sub(self.features.computed_from);
        for (number, computed) in self.features.computed.iter().enumerate() {
            match at {
                Some(border) if border < computed.borders.len() => {
                    let found = Border(computed.borders[border]);
                    if split.get("border")?.f32()? != found.0 {
                        let expected = format!("{}, as {} has it", found.0, computed.place);
                        return Err(split.get("border")?.wrong(&expected));
                    }
                    let borders = self.computed.entry((&computed.table, number)).or_default();
                    borders.insert(found);
                    return Ok(Question::Computed(number, found));
                }
                Some(border) => at = Some(border - computed.borders.len()),
                None => break,
            }
        }
        Err(index.wrong("the number of a border of one of the ctrs"))
    }

    /// Whether the bins read numbers.
    pub(super) fn has_numbers(&self) -> bool {
        !self.numbers.is_empty() || self.elements().any(|it| matches!(it, RawElement::Above(..)))
    }

    /// Whether the bins read texts.
    pub(super) fn has_texts(&self) -> bool {
        !self.categories.is_empty() || !self.computed.is_empty()
    }

    fn elements(&self) -> impl Iterator<Item = &RawElement> {
        self.computed.keys().flat_map(|(_, number)| &self.features.computed[*number].elements)
    }

    /// The bins. Numbers are those of all columns in a matrix, and else those of the columns of numbers.
    pub(super) fn bins(
        &self,
        features: &Features,
        tables: Option<&Node<'_>>,
        matrix: bool,
    ) -> Result<Bins, ReadError> {
        let numbers = features.numbers();
        let number = |column: usize| match matrix {
            true => column as u32,
            false => place(&numbers, column),
        };
        let texts = features.texts();
        let mut bins = Bins::default();
        for (column, (float, borders)) in &self.numbers {
            for some in chunks(borders) {
                let missing_above = float.missing_above;
                let borders = Borders { column: number(*column), missing_above, borders: some };
                bins.numbers.push(borders);
            }
        }
        for (column, hashes) in &self.categories {
            let hashes = hashes.iter().copied().collect();
            bins.categories.push(Hashes { column: place(&texts, *column), hashes });
        }
        for (table, computed) in self.by_table() {
            let first = computed[0].0;
            let mut elements = Vec::new();
            for element in &first.elements {
                elements.push(match *element {
                    RawElement::Category(index) => {
                        let column = features.category(index, &first.place)?;
                        Element::Category { column: place(&texts, column) }
                    }
                    RawElement::Equal(index, hash) => {
                        let column = features.category(index, &first.place)?;
                        Element::Equal { column: place(&texts, column), hash }
                    }
                    RawElement::Above(index, border) => {
                        let float = features.float(index, &first.place)?;
                        let (column, missing) = (number(float.column), float.missing_above);
                        Element::Above { column, border, missing }
                    }
                });
            }
            let table = tables::read(tables, table, &computed)?;
            bins.lookups.push(Lookup { elements, table });
        }
        Ok(bins)
    }

    /// What is computed of each table, with its borders as the bins have them.
    fn by_table(&self) -> BTreeMap<&'a str, Vec<(&'a Computed, Vec<f32>)>> {
        let mut tables: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for ((table, number), borders) in &self.computed {
            let computed = &self.features.computed[*number];
            let some = chunks(borders).map(|some| (computed, some));
            tables.entry(*table).or_default().extend(some);
        }
        tables
    }

    /// The questions as splits, once all are asked.
    pub(super) fn splits(&self) -> impl Fn(Question) -> Split {
        let mut first = 0;
        let mut next = |bins: usize| {
            first += bins;
            first - bins
        };
        let mut numbers = BTreeMap::new();
        for (column, (_, borders)) in &self.numbers {
            let first = next(borders.len().div_ceil(BORDERS_OF_A_BIN));
            numbers.insert(*column, (first, borders.iter().copied().collect::<Vec<_>>()));
        }
        let mut categories = BTreeMap::new();
        for (column, hashes) in &self.categories {
            let first = next(hashes.len());
            categories.insert(*column, (first, hashes.iter().copied().collect::<Vec<_>>()));
        }
        let mut computed = BTreeMap::new();
        for ((_, number), borders) in &self.computed {
            let first = next(borders.len().div_ceil(BORDERS_OF_A_BIN));
            computed.insert(*number, (first, borders.iter().copied().collect::<Vec<_>>()));
        }
        const ASKED: &str = "invariant: all splits were asked for before they are made";
        move |question| {
            let (bin, from) = match question {
                Question::Is(column, hash) => {
                    let (first, hashes) = &categories[&column];
                    (first + hashes.binary_search(&hash).expect(ASKED), 0)
                }
                Question::Above(key, border) | Question::Computed(key, border) => {
                    let above = matches!(question, Question::Above(..));
                    let (first, borders) = if above { &numbers[&key] } else { &computed[&key] };
                    let at = borders.binary_search(&border).expect(ASKED);
                    (first + at / BORDERS_OF_A_BIN, at % BORDERS_OF_A_BIN)
                }
            };
            Split { bin: bin as u16, from: from as u8 + 1 }
        }
    }
}

/// Borders in lists that a bin can count.
fn chunks(borders: &BTreeSet<Border>) -> impl Iterator<Item = Vec<f32>> {
    let borders: Vec<f32> = borders.iter().map(|border| border.0).collect();
    let chunks: Vec<_> = borders.chunks(BORDERS_OF_A_BIN).map(<[f32]>::to_vec).collect();
    chunks.into_iter()
}

fn place(columns: &[usize], column: usize) -> u32 {
    let place = columns.binary_search(&column);
    place.expect("invariant: a feature is one of the columns of its kind") as u32
}

fn border(node: &Node<'_>) -> Result<Border, ReadError> {
    let border = node.f32()?;
    if border.is_nan() {
        return Err(node.wrong("a border that is a number"));
    }
    // Both zeros are one border.
    Ok(Border(border + 0.0))
}
