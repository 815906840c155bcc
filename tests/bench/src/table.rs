//! The table: what was measured, against what, and whether that is what was aimed at.
//!
//! A row that falls short is a result like any other, and no failure of the run.

use std::fmt;
use std::path::Path;

use anyhow::{Context, Result};
use serde_json::{Value, json};

/// One line of the table.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    /// The name that stays the same from release to release.
    pub(crate) id: &'static str,
    pub(crate) what: String,
    pub(crate) unit: &'static str,
    pub(crate) ours: f64,
    /// What it is compared with, if with anything.
    pub(crate) reference: Option<f64>,
    pub(crate) aim: Aim,
}

/// What is hoped for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Aim {
    /// Because the row is there to explain another.
    None,
    /// Because the reference is what one would do without the host, and more is better.
    RatioAtLeast(f64),
    /// Because the reference is what one would do without the host, and less is better.
    RatioAtMost(f64),
    /// Because more is better, whatever others do.
    AtLeast(f64),
    /// Because less is better, whatever others do.
    AtMost(f64),
}

/// The rows of a run.
#[derive(Debug, Default)]
pub(crate) struct Table(Vec<Row>);

impl Row {
    fn ratio(&self) -> Option<f64> {
        self.reference.map(|reference| self.ours / reference)
    }

    fn met(&self) -> Option<bool> {
        match self.aim {
            Aim::None => None,
            Aim::RatioAtLeast(least) => self.ratio().map(|ratio| ratio >= least),
            Aim::RatioAtMost(most) => self.ratio().map(|ratio| ratio <= most),
            Aim::AtLeast(least) => Some(self.ours >= least),
            Aim::AtMost(most) => Some(self.ours <= most),
        }
    }

    fn json(&self) -> Value {
        json!({
            "id": self.id,
            "what": self.what,
            "ours": self.ours,
            "reference": self.reference,
            "ratio": self.ratio(),
            "aim": self.aim.text(),
            "met": self.met(),
            "unit": self.unit,
        })
    }

    /// The cells of the row, in the order of [`TITLES`].
    fn cells(&self) -> [String; 8] {
        let none = || "-".to_owned();
        [
            self.id.to_owned(),
            self.what.clone(),
            figure(self.ours),
            self.reference.map_or_else(none, figure),
            self.unit.to_owned(),
            self.ratio().map_or_else(none, |ratio| format!("{ratio:.2}")),
            self.aim.text().unwrap_or_else(none),
            self.met().map_or_else(none, |met| if met { "yes" } else { "no" }.to_owned()),
        ]
    }
}

impl Aim {
    fn text(self) -> Option<String> {
        match self {
            Self::None => None,
            Self::RatioAtLeast(least) => Some(format!("ratio >= {least}")),
            Self::RatioAtMost(most) => Some(format!("ratio <= {most}")),
            Self::AtLeast(least) => Some(format!(">= {}", figure(least))),
            Self::AtMost(most) => Some(format!("<= {}", figure(most))),
        }
    }
}

impl Table {
    /// Adds rows at the end.
    pub(crate) fn extend(&mut self, rows: Vec<Row>) {
        self.0.extend(rows);
    }

    /// Writes the rows as an array of objects.
    pub(crate) fn write(&self, file: &Path) -> Result<()> {
        let rows: Vec<Value> = self.0.iter().map(Row::json).collect();
        let text = serde_json::to_string_pretty(&rows)? + "\n";
        std::fs::write(file, text).with_context(|| format!("cannot write {}", file.display()))
    }
}

const TITLES: [&str; 8] = ["id", "what", "ours", "reference", "unit", "ratio", "aim", "met"];

/// As a table of Markdown, so that it can be pasted where it is to stay.
impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rows: Vec<[String; 8]> = self.0.iter().map(Row::cells).collect();
        let widths: Vec<usize> = (0..TITLES.len())
            .map(|column| {
                let cells = rows.iter().map(|row| row[column].chars().count());
                cells.fold(TITLES[column].len(), usize::max)
            })
            .collect();
        let mut line = |cells: &[String]| {
            let cells = cells.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
            writeln!(f, "| {} |", cells.collect::<Vec<_>>().join(" | "))
        };
        line(&TITLES.map(str::to_owned))?;
        let rules: Vec<String> = widths.iter().map(|width| "-".repeat(*width)).collect();
        line(&rules)?;
        rows.iter().try_for_each(|row| line(row))
    }
}

/// Three digits that count, and the thousands apart.
fn figure(value: f64) -> String {
    let digits = match value.abs() {
        size if size >= 100.0 => 0,
        size if size >= 10.0 => 1,
        _ => 2,
    };
    let text = format!("{value:.digits$}");
    let (whole, fraction) = text.split_at(text.find('.').unwrap_or(text.len()));
    let mut grouped = String::new();
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && (whole.len() - index).is_multiple_of(3) && grouped != "-" {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped + fraction
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(ours: f64, reference: Option<f64>, aim: Aim) -> Row {
        Row { id: "x", what: String::new(), unit: "µs", ours, reference, aim }
    }

    #[test]
    fn an_aim_is_met_from_the_right_side() {
        let check = |ours, reference, aim, met| assert_eq!(row(ours, reference, aim).met(), met);
        check(1.0, Some(2.0), Aim::RatioAtLeast(0.5), Some(true));
        check(0.9, Some(2.0), Aim::RatioAtLeast(0.5), Some(false));
        check(2.6, Some(2.0), Aim::RatioAtMost(1.3), Some(true));
        check(2.7, Some(2.0), Aim::RatioAtMost(1.3), Some(false));
        check(3.0, None, Aim::AtLeast(3.0), Some(true));
        check(300.5, None, Aim::AtMost(300.0), Some(false));
        check(1.0, Some(2.0), Aim::None, None);
        check(1.0, None, Aim::RatioAtLeast(0.5), None);
    }

    #[test]
    fn a_figure_has_three_digits_that_count() {
        let check = |value, expected| assert_eq!(figure(value), expected);
        check(0.1234, "0.12");
        check(12.34, "12.3");
        check(999.6, "1,000");
        check(1_234_567.8, "1,234,568");
        check(-123.0, "-123");
        check(100_000.0, "100,000");
    }

    #[test]
    fn a_table_is_markdown() {
        let mut table = Table::default();
        table.extend(vec![row(1.0, Some(2.0), Aim::RatioAtLeast(0.5))]);
        let lines: Vec<String> = table.to_string().lines().map(str::to_owned).collect();
        assert_eq!(
            lines,
            [
                "| id | what | ours | reference | unit | ratio | aim          | met |",
                "| -- | ---- | ---- | --------- | ---- | ----- | ------------ | --- |",
                "| x  |      | 1.00 | 2.00      | µs   | 0.50  | ratio >= 0.5 | yes |",
            ]
        );
    }
}
