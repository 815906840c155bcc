//! Tables for people: columns as wide as their widest cell.

use std::fmt;

use super::output::plain_line;

/// Rows of text under a header.
pub(crate) struct Table {
    rows: Vec<Vec<String>>,
    /// The columns of numbers, which end where they stand in line.
    numbers: &'static [usize],
}

impl Table {
    /// A table with these columns and no row.
    pub(crate) fn new(columns: &[&str]) -> Self {
        let head = columns.iter().map(|column| (*column).to_owned()).collect();
        Self { rows: vec![head], numbers: &[] }
    }

    /// The same table, with numbers in these columns.
    pub(crate) fn numbers(self, numbers: &'static [usize]) -> Self {
        Self { numbers, ..self }
    }

    /// Adds a row.
    pub(crate) fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        let cells = cells.into_iter().map(|cell| plain_line(&cell).into_owned());
        self.rows.push(cells.collect());
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or(0);
        let width = |column: usize| {
            let cells = self.rows.iter().filter_map(|row| row.get(column));
            cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..columns).map(width).collect();
        for row in &self.rows {
            let cells = row.iter().zip(&widths).enumerate().map(|(column, (cell, width))| {
                if self.numbers.contains(&column) {
                    format!("{cell:>width$}")
                } else {
                    format!("{cell:<width$}")
                }
            });
            writeln!(f, "{}", cells.collect::<Vec<_>>().join("  ").trim_end())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up() {
        let mut table = Table::new(&["model", "state"]);
        table.row(["gbdt".into(), "live".into()]);
        table.row(["hawaiian".into(), "refused".into()]);
        assert_eq!(table.to_string(), "model     state\ngbdt      live\nhawaiian  refused\n");
    }

    #[test]
    fn numbers_end_in_line() {
        let mut table = Table::new(&["model", "scores", "why"]).numbers(&[1]);
        table.row(["gbdt".into(), "1200".into(), "-".into()]);
        table.row(["new".into(), "-".into(), "loading".into()]);
        let expected = "model  scores  why\ngbdt     1200  -\nnew         -  loading\n";
        assert_eq!(table.to_string(), expected);
    }
}
