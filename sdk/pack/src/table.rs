//! Tables of sample rows: Parquet, CSV, or JSON lines.

use std::fs::File;
use std::path::Path;

use parquet::file::reader::{FileReader as _, SerializedFileReader};
use parquet::record::Field;
use serde_json::Value;
use thiserror::Error;

/// The first rows of a table.
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    /// The names of its columns.
    pub columns: Vec<String>,
    /// Its rows, each with a cell for each column.
    pub rows: Vec<Vec<Cell>>,
}

/// A cell of a table.
#[derive(Debug, Clone, PartialEq)]
pub enum Cell {
    /// Nothing.
    Missing,
    /// A number.
    Number(f64),
    /// A whole number.
    Whole(i64),
    /// True or false.
    Truth(bool),
    /// A text. In CSV every cell that is not empty is one.
    Text(String),
}

/// Why a table was not read.
#[derive(Debug, Error)]
pub enum TableError {
    /// Because the file cannot be read.
    #[error("cannot be read")]
    Io(#[from] std::io::Error),
    /// Because the name of the file says nothing.
    #[error("found the ending `{0}`, expected .parquet, .csv or .jsonl")]
    Ending(String),
    /// Because it is not what its name says.
    #[error("row {row}: {why}")]
    Row {
        /// The number of the row, from 1; 0 for what is before them.
        row: usize,
        /// What is wrong.
        why: String,
    },
}

impl Table {
    /// Reads the first rows of a file, whose format its name tells.
    ///
    /// # Errors
    ///
    /// Where it cannot be read, or is not what its name says.
    pub fn read(path: &Path, limit: usize) -> Result<Self, TableError> {
        match path.extension().and_then(|it| it.to_str()).unwrap_or_default() {
            "parquet" => of_parquet(File::open(path)?, limit),
            "csv" => of_csv(File::open(path)?, limit),
            "jsonl" | "ndjson" => of_json_lines(&std::fs::read_to_string(path)?, limit),
            other => Err(TableError::Ending(other.to_owned())),
        }
    }

    /// The number of a column.
    pub fn column(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|it| it == name)
    }
}

impl Cell {
    /// The cell as a number; what is missing is none, and neither is a text that is no number.
    pub fn number(&self) -> Option<f64> {
        match self {
            Self::Missing => Some(f64::NAN),
            Self::Number(number) => Some(*number),
            Self::Whole(number) => Some(*number as f64),
            Self::Truth(truth) => Some(f64::from(u8::from(*truth))),
            Self::Text(text) => text.trim().parse().ok(),
        }
    }

    /// The cell as a whole number; none where it is another, or one that 64 bits do not hold.
    pub fn whole(&self) -> Option<i64> {
        match self {
            Self::Whole(number) => Some(*number),
            Self::Truth(truth) => Some(i64::from(*truth)),
            Self::Text(text) => match text.trim() {
                "true" | "True" => Some(1),
                "false" | "False" => Some(0),
                text => text.parse().ok().or_else(|| whole(text.parse().ok()?)),
            },
            Self::Number(number) => whole(*number),
            Self::Missing => None,
        }
    }

    /// The cell as a text.
    pub fn text(&self) -> String {
        match self {
            Self::Missing => String::new(),
            Self::Number(number) => number.to_string(),
            Self::Whole(number) => number.to_string(),
            Self::Truth(truth) => truth.to_string(),
            Self::Text(text) => text.clone(),
        }
    }
}

/// The number as a whole one, where it is one that double precision holds exactly.
fn whole(number: f64) -> Option<i64> {
    const EXACT: f64 = (1_i64 << 53) as f64;
    (number.fract() == 0.0 && number.abs() <= EXACT).then_some(number as i64)
}

fn wrong(row: usize, why: impl ToString) -> TableError {
    TableError::Row { row, why: why.to_string() }
}

fn of_parquet(file: File, limit: usize) -> Result<Table, TableError> {
    let reader = SerializedFileReader::new(file).map_err(|why| wrong(0, why))?;
    let schema = reader.metadata().file_metadata().schema();
    let columns = schema.get_fields().iter().map(|field| field.name().to_owned()).collect();
    let mut rows = Vec::new();
    for row in reader.get_row_iter(None).map_err(|why| wrong(0, why))?.take(limit) {
        let number = rows.len() + 1;
        let row = row.map_err(|why| wrong(number, why))?;
        let cells: Result<_, _> =
            row.get_column_iter().map(|(name, field)| of_field(number, name, field)).collect();
        rows.push(cells?);
    }
    Ok(Table { columns, rows })
}

fn of_field(row: usize, name: &str, field: &Field) -> Result<Cell, TableError> {
    Ok(match field {
        Field::Null => Cell::Missing,
        Field::Bool(it) => Cell::Truth(*it),
        Field::Byte(it) => Cell::Whole(i64::from(*it)),
        Field::Short(it) => Cell::Whole(i64::from(*it)),
        Field::Int(it) => Cell::Whole(i64::from(*it)),
        Field::Long(it) => Cell::Whole(*it),
        Field::UByte(it) => Cell::Whole(i64::from(*it)),
        Field::UShort(it) => Cell::Whole(i64::from(*it)),
        Field::UInt(it) => Cell::Whole(i64::from(*it)),
        Field::ULong(it) => i64::try_from(*it).map_or(Cell::Number(*it as f64), Cell::Whole),
        Field::Float(it) => Cell::Number(f64::from(*it)),
        Field::Double(it) => Cell::Number(*it),
        Field::Str(it) => Cell::Text(it.clone()),
        Field::Bytes(it) => Cell::Text(String::from_utf8_lossy(it.data()).into_owned()),
        other => {
            return Err(wrong(
                row,
                format!("column `{name}` is {other}, expected a number or a text"),
            ));
        }
    })
}

fn of_csv(file: File, limit: usize) -> Result<Table, TableError> {
    let mut reader = csv::Reader::from_reader(file);
    let columns = reader.headers().map_err(|why| wrong(0, why))?;
    let columns = columns.iter().map(str::to_owned).collect();
    let mut rows = Vec::new();
    for record in reader.records().take(limit) {
        let record = record.map_err(|why| wrong(rows.len() + 1, why))?;
        let cell = |text: &str| {
            if text.is_empty() { Cell::Missing } else { Cell::Text(text.to_owned()) }
        };
        rows.push(record.iter().map(cell).collect());
    }
    Ok(Table { columns, rows })
}

fn of_json_lines(text: &str, limit: usize) -> Result<Table, TableError> {
    let mut table = Table { columns: Vec::new(), rows: Vec::new() };
    for line in text.lines().filter(|line| !line.trim().is_empty()).take(limit) {
        let row = table.rows.len() + 1;
        let object: serde_json::Map<String, Value> =
            serde_json::from_str(line).map_err(|why| wrong(row, why))?;
        let mut cells = vec![Cell::Missing; table.columns.len()];
        for (name, value) in &object {
            let cell = of_json(row, name, value)?;
            match table.column(name) {
                Some(at) => cells[at] = cell,
                None => {
                    table.columns.push(name.clone());
                    table.rows.iter_mut().for_each(|row| row.push(Cell::Missing));
                    cells.push(cell);
                }
            }
        }
        table.rows.push(cells);
    }
    Ok(table)
}

fn of_json(row: usize, name: &str, value: &Value) -> Result<Cell, TableError> {
    Ok(match value {
        Value::Null => Cell::Missing,
        Value::Bool(it) => Cell::Truth(*it),
        Value::Number(it) => match it.as_i64() {
            Some(whole) => Cell::Whole(whole),
            None => Cell::Number(it.as_f64().unwrap_or(f64::NAN)),
        },
        Value::String(it) => Cell::Text(it.clone()),
        _ => return Err(wrong(row, format!("`{name}` is {value}, expected a number or a text"))),
    })
}
