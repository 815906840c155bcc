//! Tables of categories: where a text or a number stands in a list.

use serde::{Deserialize, Serialize};

use super::Shape;
use crate::block::{Block, ValueType, Values};

/// The categories of a column, sorted, each with its number in the order of training.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Table(Keys);

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
enum Keys {
    Texts(Vec<(String, u32)>),
    /// Zeros of both signs are one, and so is every NaN, which is the last.
    Numbers(Vec<(f64, u32)>),
}

impl Table {
    /// A table of texts in their order of training. Of equal ones the first counts.
    pub fn of_texts(texts: impl IntoIterator<Item = String>) -> Self {
        let mut them: Vec<_> = texts.into_iter().zip(0..).collect();
        them.sort();
        them.dedup_by(|later, first| later.0 == first.0);
        Self(Keys::Texts(them))
    }

    /// A table of numbers in their order of training. Of equal ones the first counts.
    pub fn of_numbers(numbers: impl IntoIterator<Item = f64>) -> Self {
        let mut them: Vec<_> = numbers.into_iter().map(canonical).zip(0..).collect();
        them.sort_by(|a, b| a.0.total_cmp(&b.0));
        them.dedup_by(|later, first| later.0.to_bits() == first.0.to_bits());
        Self(Keys::Numbers(them))
    }

    /// The type of the values that are looked up.
    pub fn value_type(&self) -> ValueType {
        match self.0 {
            Keys::Texts(_) => ValueType::Text,
            Keys::Numbers(_) => ValueType::F64,
        }
    }

    /// The number of the category of each row of a block that is one value wide.
    pub(super) fn look_up<'a>(
        &'a self,
        block: &'a Block,
    ) -> Box<dyn Iterator<Item = Option<usize>> + 'a> {
        match (&self.0, &block.values) {
            (Keys::Texts(keys), Values::Text(values)) => Box::new(values.iter().map(|value| {
                let at = keys.binary_search_by(|(key, _)| key.as_str().cmp(value)).ok()?;
                Some(keys[at].1 as usize)
            })),
            (Keys::Numbers(keys), Values::F64(values)) => Box::new(values.iter().map(|value| {
                let value = canonical(*value);
                let at = keys.binary_search_by(|(key, _)| key.total_cmp(&value)).ok()?;
                Some(keys[at].1 as usize)
            })),
            _ => unreachable!("checked: the type of the block"),
        }
    }
}

/// One NaN for all, and one zero.
fn canonical(number: f64) -> f64 {
    if number.is_nan() { f64::NAN.abs() } else { number + 0.0 }
}

/// Fails unless each table has a block of its own, one value wide, of its type.
pub(super) fn check<'a>(
    step: &str,
    tables: impl ExactSizeIterator<Item = &'a Table>,
    inputs: &[Shape],
) -> Result<(), String> {
    if tables.len() != inputs.len() {
        return Err(format!("{step} has {} columns, found {} blocks", tables.len(), inputs.len()));
    }
    for (column, (table, input)) in tables.zip(inputs).enumerate() {
        let expected = Shape { values: table.value_type(), width: 1 };
        if *input != expected {
            return Err(format!("{step} takes {expected:?} for column {column}, found {input:?}"));
        }
    }
    Ok(())
}

impl Table {
    /// Fails unless there are as many values as there were categories in training.
    pub(super) fn check_count(&self, step: &str, found: usize) -> Result<(), String> {
        let greatest = match &self.0 {
            Keys::Texts(keys) => keys.iter().map(|(_, number)| *number).max(),
            Keys::Numbers(keys) => keys.iter().map(|(_, number)| *number).max(),
        };
        match greatest {
            Some(greatest) if greatest as usize >= found => {
                Err(format!("{step} has {found} values for category {greatest}"))
            }
            _ => Ok(()),
        }
    }
}
