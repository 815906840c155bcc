//! Encoders: categories become numbers, or columns of their own.

use serde::{Deserialize, Serialize};

use super::Shape;
use super::table::{self, Table};
use crate::block::{Block, ValueType};

/// Gives each category a number. There is one block for each column.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Ordinal {
    /// The columns.
    pub columns: Vec<OrdinalColumn>,
}

/// A column of [`Ordinal`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OrdinalColumn {
    /// The categories.
    pub table: Table,
    /// The number of each, in the order of training.
    pub codes: Vec<f64>,
    /// The number of all others.
    pub unknown: f64,
}

/// Gives each category a column, which is 1 where it is met and 0 elsewhere. There is one block for each column of the input.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OneHot {
    /// The columns.
    pub columns: Vec<OneHotColumn>,
}

/// A column of [`OneHot`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OneHotColumn {
    /// The categories.
    pub table: Table,
    /// Which column each has, in the order of training; none for those that have none. Several may share one.
    pub places: Vec<Option<u32>>,
    /// Which one all others have, if any.
    pub unknown: Option<u32>,
    /// How many columns there are.
    pub width: u32,
}

impl Ordinal {
    pub(crate) fn check(&self, inputs: &[Shape]) -> Result<Shape, String> {
        table::check("ordinal", self.columns.iter().map(|column| &column.table), inputs)?;
        for column in &self.columns {
            column.table.check_count("ordinal", column.codes.len())?;
        }
        Ok(Shape { values: ValueType::F64, width: self.columns.len() })
    }

    pub(crate) fn run(&self, inputs: &[&Block], rows: usize) -> Block {
        let width = self.columns.len();
        let mut values = vec![0.0; rows * width];
        for (at, (column, input)) in self.columns.iter().zip(inputs).enumerate() {
            for (row, found) in column.table.look_up(input).enumerate() {
                values[row * width + at] = found.map_or(column.unknown, |it| column.codes[it]);
            }
        }
        Block::f64(width, values)
    }
}

impl OneHot {
    pub(crate) fn check(&self, inputs: &[Shape]) -> Result<Shape, String> {
        table::check("one-hot", self.columns.iter().map(|column| &column.table), inputs)?;
        for column in &self.columns {
            column.table.check_count("one-hot", column.places.len())?;
            let mut places = column.places.iter().chain([&column.unknown]).flatten();
            if let Some(place) = places.find(|place| **place >= column.width) {
                return Err(format!("one-hot puts a category at {place} of {}", column.width));
            }
        }
        Ok(Shape { values: ValueType::F64, width: self.width() })
    }

    fn width(&self) -> usize {
        self.columns.iter().map(|column| column.width as usize).sum()
    }

    pub(crate) fn run(&self, inputs: &[&Block], rows: usize) -> Block {
        let width = self.width();
        let mut values = vec![0.0; rows * width];
        let mut first = 0;
        for (column, input) in self.columns.iter().zip(inputs) {
            for (row, found) in column.table.look_up(input).enumerate() {
                if let Some(place) = found.map_or(column.unknown, |it| column.places[it]) {
                    values[row * width + first + place as usize] = 1.0;
                }
            }
            first += column.width as usize;
        }
        Block::f64(width, values)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::block::Values;

    fn texts(them: &[&str]) -> Block {
        Block { width: 1, values: Values::Text(them.iter().map(ToString::to_string).collect()) }
    }

    #[test]
    fn a_category_has_its_number() {
        let numbers = Table::of_numbers([7.0, 0.0, f64::NAN]);
        let ordinal = Ordinal {
            columns: vec![
                OrdinalColumn {
                    table: Table::of_texts(["UA".into(), "AA".into()]),
                    codes: vec![0.0, 1.0],
                    unknown: -1.0,
                },
                OrdinalColumn { table: numbers, codes: vec![4.0, 5.0, 6.0], unknown: -2.0 },
            ],
        };
        let blocks =
            [texts(&["AA", "UA", "", "aa"]), Block::f64(1, vec![-0.0, -f64::NAN, 7.0, 7.5])];
        let found = ordinal.run(&[&blocks[0], &blocks[1]], 4);
        assert_eq!(found, Block::f64(2, vec![1.0, 5.0, 0.0, 6.0, -1.0, 4.0, -1.0, -2.0]));
    }

    #[test]
    fn a_category_has_its_column_or_shares_one_or_has_none() {
        let one_hot = OneHot {
            columns: vec![OneHotColumn {
                table: Table::of_texts(["a", "b", "c", "d"].map(String::from)),
                places: vec![None, Some(0), Some(1), Some(1)],
                unknown: Some(1),
                width: 2,
            }],
        };
        let found = one_hot.run(&[&texts(&["a", "b", "c", "d", "e"])], 5);
        let expected = [[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [0.0, 1.0], [0.0, 1.0]];
        assert_eq!(found, Block::f64(2, expected.concat()));
        let numbers = Shape { values: ValueType::F64, width: 1 };
        assert_eq!(
            one_hot.check(&[numbers]).unwrap_err(),
            "one-hot takes Shape { values: Text, width: 1 } for column 0, found Shape { values: F64, width: 1 }"
        );
    }
}
