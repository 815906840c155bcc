//! Categories: OneHotEncoder, LabelEncoder and tables.

use serde::{Deserialize, Serialize};

use super::{Constant, cast::truncated};
use crate::block::{Block, ValueType, Values};
use crate::ops::Shape;

/// Keys in a sorted list, each with its place in another list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Keys {
    /// Texts, equal to the byte.
    Text(Vec<(String, u32)>),
    /// Whole numbers; a number with a fraction is one without it.
    I64(Vec<(i64, u32)>),
    /// Numbers of single precision: zeros of both signs are one, and so are all missing values.
    F32(Vec<(f32, u32)>),
}

impl Keys {
    /// Texts in the order of their places. Of equal ones the last counts.
    pub fn of_texts(texts: impl IntoIterator<Item = String>) -> Self {
        Self::Text(sorted(texts, String::cmp))
    }

    /// Whole numbers in the order of their places. Of equal ones the last counts.
    pub fn of_whole(numbers: impl IntoIterator<Item = i64>) -> Self {
        Self::I64(sorted(numbers, i64::cmp))
    }

    /// Numbers in the order of their places. Of equal ones the last counts.
    pub fn of_single(numbers: impl IntoIterator<Item = f32>) -> Self {
        Self::F32(sorted(numbers.into_iter().map(plain), f32::total_cmp))
    }

    fn check(&self, what: &str, input: Shape) -> Result<(), String> {
        match (self, input.values) {
            (Self::Text(_), ValueType::Text) | (Self::I64(_), ValueType::I64) => Ok(()),
            (Self::I64(_) | Self::F32(_), ValueType::F32 | ValueType::F64) => Ok(()),
            (_, found) => Err(format!("{what} does not know {found:?}")),
        }
    }

    fn places<'a>(&'a self, block: &'a Block) -> Box<dyn Iterator<Item = Option<usize>> + 'a> {
        let whole = |known: &'a [(i64, u32)], x: i64| place(known, |key| key.cmp(&x));
        let single = |known: &'a [(f32, u32)], x: f32| place(known, |key| key.total_cmp(&plain(x)));
        match (self, &block.values) {
            (Self::Text(known), Values::Text(values)) => {
                Box::new(values.iter().map(|value| place(known, |key| key.as_str().cmp(value))))
            }
            (Self::I64(known), Values::I64(values)) => {
                Box::new(values.iter().map(move |x| whole(known, *x)))
            }
            (Self::I64(known), Values::F32(values)) => {
                Box::new(values.iter().map(move |x| whole(known, truncated(f64::from(*x)))))
            }
            (Self::I64(known), Values::F64(values)) => {
                Box::new(values.iter().map(move |x| whole(known, truncated(*x))))
            }
            (Self::F32(known), Values::F32(values)) => {
                Box::new(values.iter().map(move |x| single(known, *x)))
            }
            (Self::F32(known), Values::F64(values)) => {
                Box::new(values.iter().map(move |x| single(known, *x as f32)))
            }
            _ => unreachable!("checked: the type of the block"),
        }
    }
}

fn sorted<T>(
    keys: impl IntoIterator<Item = T>,
    order: impl Fn(&T, &T) -> std::cmp::Ordering,
) -> Vec<(T, u32)> {
    let mut them: Vec<_> = keys.into_iter().zip(0..).collect();
    // The last of equal ones first, which is the one that stays.
    them.sort_by(|a, b| order(&a.0, &b.0).then(b.1.cmp(&a.1)));
    them.dedup_by(|a, b| order(&a.0, &b.0).is_eq());
    them
}

fn place<T>(known: &[(T, u32)], order: impl Fn(&T) -> std::cmp::Ordering) -> Option<usize> {
    known.binary_search_by(|(key, _)| order(key)).ok().map(|at| known[at].1 as usize)
}

/// One zero and one missing value of all that there are.
fn plain(x: f32) -> f32 {
    if x.is_nan() { f32::NAN } else { x + 0.0 }
}

/// OneHotEncoder: a one where the category is, and zeros elsewhere; all zeros for one that is not known.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OneHot {
    /// The categories.
    pub keys: Keys,
    /// How many there are.
    pub count: u32,
}

impl OneHot {
    pub(crate) fn check(&self, input: Shape) -> Result<Shape, String> {
        self.keys.check("OneHotEncoder", input)?;
        Ok(Shape { values: ValueType::F32, width: input.width * self.count as usize })
    }

    pub(crate) fn run(&self, input: &Block) -> Block {
        let count = self.count as usize;
        let mut ones = Vec::new();
        for place in self.keys.places(input) {
            let from = ones.len();
            ones.resize(from + count, 0.0);
            if let Some(place) = place {
                ones[from + place] = 1.0;
            }
        }
        Block::f32(input.width * count, ones)
    }
}

/// LabelEncoder: for each key a value, and one for what is no key.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Map {
    /// The keys.
    pub keys: Keys,
    /// The values, and last the one for what is no key.
    pub values: Constant,
}

impl Map {
    pub(crate) fn check(&self, input: Shape) -> Result<Shape, String> {
        self.keys.check("LabelEncoder", input)?;
        let count = match &self.keys {
            Keys::Text(keys) => keys.iter().map(|(_, place)| *place).max(),
            Keys::I64(keys) => keys.iter().map(|(_, place)| *place).max(),
            Keys::F32(keys) => keys.iter().map(|(_, place)| *place).max(),
        };
        if self.values.len() < count.map_or(1, |last| last as usize + 2) {
            return Err(format!("LabelEncoder has {} values", self.values.len()));
        }
        Ok(Shape { values: self.values.value_type(), width: input.width })
    }

    pub(crate) fn run(&self, input: &Block) -> Block {
        let other = self.values.len() - 1;
        let places = self.keys.places(input).map(|place| place.unwrap_or(other));
        let values = match &self.values {
            Constant::F64(values) => Values::F64(places.map(|at| values[at]).collect()),
            Constant::F32(values) => Values::F32(places.map(|at| values[at]).collect()),
            Constant::I64(values) => Values::I64(places.map(|at| values[at]).collect()),
            Constant::Text(values) => Values::Text(places.map(|at| values[at].clone()).collect()),
        };
        Block { width: input.width, values }
    }
}

/// Values of a table by their place: ArrayFeatureExtractor and Gather of a constant.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Lookup {
    /// The table. A place beyond it is the last one, one before it the first.
    pub table: Constant,
}

impl Lookup {
    pub(crate) fn check(&self, input: Shape) -> Result<Shape, String> {
        if self.table.is_empty() || input.values != ValueType::I64 {
            return Err(format!(
                "a table of {} values is read by {:?}",
                self.table.len(),
                input.values
            ));
        }
        Ok(Shape { values: self.table.value_type(), width: input.width })
    }

    pub(crate) fn run(&self, input: &Block) -> Block {
        let Values::I64(places) = &input.values else { unreachable!("checked: whole numbers") };
        let last = self.table.len() - 1;
        let places = places.iter().map(|at| usize::try_from(*at).unwrap_or(0).min(last));
        let values = match &self.table {
            Constant::F64(values) => Values::F64(places.map(|at| values[at]).collect()),
            Constant::F32(values) => Values::F32(places.map(|at| values[at]).collect()),
            Constant::I64(values) => Values::I64(places.map(|at| values[at]).collect()),
            Constant::Text(values) => Values::Text(places.map(|at| values[at].clone()).collect()),
        };
        Block { width: input.width, values }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_category_is_a_one_among_zeros() {
        let one_hot = OneHot { keys: Keys::of_whole([3, -1]), count: 2 };
        let block = Block::f32(1, vec![3.9, -1.0, 7.0, f32::NAN]);
        assert_eq!(
            one_hot.run(&block),
            Block::f32(2, vec![1.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0])
        );
    }

    #[test]
    fn keys_have_values_and_other_values_the_last_of_them() {
        let values = Constant::I64(vec![10, 20, 30, -1]);
        let map =
            Map { keys: Keys::of_texts(["b", "a", "b"].map(String::from)), values: values.clone() };
        let block =
            Block { width: 1, values: Values::Text(["a", "b", "c"].map(String::from).to_vec()) };
        assert_eq!(map.run(&block).values, Values::I64(vec![20, 30, -1]));
        let map = Map { keys: Keys::of_single([0.0, f32::NAN, 2.5]), values };
        let block = Block::f32(1, vec![-0.0, -f32::NAN, 2.5, 2.0]);
        assert_eq!(map.run(&block).values, Values::I64(vec![10, 20, 30, -1]));
    }

    #[test]
    fn a_table_is_read_by_place() {
        let lookup = Lookup { table: Constant::Text(vec!["no".into(), "yes".into()]) };
        let block = Block { width: 1, values: Values::I64(vec![1, 0]) };
        assert_eq!(lookup.run(&block).values, Values::Text(vec!["yes".into(), "no".into()]));
    }
}
