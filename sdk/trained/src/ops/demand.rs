//! Demands: rows that the library would not predict for are turned away, and told why.

use serde::{Deserialize, Serialize};

use super::Shape;
use super::impute::is_missing;
use super::table::Table;
use crate::block::{Block, ValueType, Values};
use crate::refused::Refused;

/// How many categories a message names.
const NAMED: usize = 12;

/// Turns rows away. Its result has no columns.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Demand {
    /// What the columns are called, for the message.
    pub names: Vec<String>,
    /// What is demanded of them.
    pub rule: Rule,
}

/// What is demanded of columns.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Rule {
    /// That numbers are finite. It takes one block of `F64`.
    Finite {
        /// But they may be NaN.
        nan: bool,
        /// But they may be infinite.
        infinite: bool,
        /// What single precision cannot hold counts as infinite.
        single: bool,
    },
    /// That numbers are not this one, which means a missing value. It takes one block of `F64`.
    Present(f64),
    /// That values are among the categories. There is a block for each column.
    Known(Vec<Known>),
}

/// The categories of a column.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Known {
    /// The categories.
    pub table: Table,
    /// The first of them, as a message names them.
    pub examples: Vec<String>,
    /// How many there are.
    pub count: u32,
}

impl Known {
    /// The categories of a column, from their table and their names.
    pub fn new(table: Table, names: Vec<String>) -> Self {
        let count = names.len() as u32;
        Self { table, count, examples: names.into_iter().take(NAMED).collect() }
    }
}

impl Demand {
    pub(crate) fn check(&self, inputs: &[Shape]) -> Result<Shape, String> {
        if let Rule::Known(known) = &self.rule {
            super::table::check("demand", known.iter().map(|known| &known.table), inputs)?;
        } else if !matches!(inputs, [input] if input.values == ValueType::F64) {
            return Err(format!("demand takes one block of F64, found {inputs:?}"));
        }
        let width: usize = inputs.iter().map(|input| input.width).sum();
        if width != self.names.len() {
            return Err(format!("demand has names for {} columns of {width}", self.names.len()));
        }
        Ok(Shape { values: ValueType::F64, width: 0 })
    }

    pub(crate) fn run(&self, inputs: &[&Block], refused: &mut Refused) -> Block {
        match &self.rule {
            Rule::Known(known) => self.known(known, inputs, refused),
            Rule::Finite { nan, infinite, single } => {
                let limit = if *single { single_limit() } else { f64::MAX };
                // As `x as f32` is infinite from here on.
                let wrong = |x: f64| {
                    if x.is_nan() {
                        (!nan).then_some("NaN, expected a number")
                    } else if x.abs() <= limit || *infinite {
                        None
                    } else if x.is_infinite() {
                        Some("an infinite number, expected a finite one")
                    } else {
                        Some("a number beyond single precision, which trees calculate in")
                    }
                };
                self.numbers(inputs[0], refused, |x| wrong(x).map(str::to_owned));
            }
            Rule::Present(missing) => self.numbers(inputs[0], refused, |x| {
                is_missing(x, *missing).then(|| {
                    format!("the missing value {missing}, expected a number, since training had no missing value there")
                })
            }),
        }
        Block::f64(0, Vec::new())
    }

    fn numbers(&self, block: &Block, refused: &mut Refused, wrong: impl Fn(f64) -> Option<String>) {
        let Values::F64(values) = &block.values else { unreachable!("checked: F64") };
        for (row, values) in values.chunks_exact(block.width.max(1)).enumerate() {
            for (name, x) in self.names.iter().zip(values) {
                if let Some(found) = wrong(*x) {
                    refused.refuse(row, || format!("`{name}`: found {found}"));
                }
            }
        }
    }

    fn known(&self, known: &[Known], inputs: &[&Block], refused: &mut Refused) {
        for ((name, known), block) in self.names.iter().zip(known).zip(inputs) {
            for (row, found) in known.table.look_up(block).enumerate() {
                if found.is_none() {
                    let found = match &block.values {
                        Values::Text(values) => format!("`{}`", values[row].escape_debug()),
                        Values::F64(values) => values[row].to_string(),
                        _ => unreachable!("checked: the type of the block"),
                    };
                    refused.refuse(row, || {
                        let more = known.count as usize > known.examples.len();
                        format!(
                            "`{name}`: found {found}, expected one of the {} categories of training: {}{}",
                            known.count,
                            known.examples.join(", "),
                            if more { ", …" } else { "" }
                        )
                    });
                }
            }
        }
    }
}

/// The greatest number that single precision rounds to a finite one: half a step beyond its greatest, exclusive.
fn single_limit() -> f64 {
    let step = 2f64.powi(104);
    (f64::from(f32::MAX) + step / 2.0).next_down()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(rule: Rule, found: &[f64], expected: &[Option<&str>]) {
        let demand = Demand { names: vec!["age".into()], rule };
        let mut refused = Refused::default();
        demand.run(&[&Block::f64(1, found.to_vec())], &mut refused);
        let said: Vec<_> = (0..found.len()).map(|row| refused.why(row)).collect();
        assert_eq!(said, expected);
    }

    #[test]
    fn rows_that_the_library_would_refuse_are_turned_away() {
        let nan = "`age`: found NaN, expected a number";
        let infinite = "`age`: found an infinite number, expected a finite one";
        let rows = [1.0, f64::NAN, f64::NEG_INFINITY, 1e300];
        check(
            Rule::Finite { nan: false, infinite: false, single: false },
            &rows,
            &[None, Some(nan), Some(infinite), None],
        );
        check(
            Rule::Finite { nan: true, infinite: false, single: true },
            &rows,
            &[
                None,
                None,
                Some(infinite),
                Some("`age`: found a number beyond single precision, which trees calculate in"),
            ],
        );
        let known = Known::new(Table::of_numbers([1.0, 2.0]), vec!["1".into(), "2".into()]);
        check(
            Rule::Known(vec![known]),
            &[2.0, 3.0],
            &[None, Some("`age`: found 3, expected one of the 2 categories of training: 1, 2")],
        );
    }

    #[test]
    fn single_precision_ends_where_rounding_does() {
        assert!((single_limit() as f32).is_finite());
        assert!((single_limit().next_up() as f32).is_infinite());
    }
}
