//! Golden samples: requests made of rows of a table, with what the packed model answers.
//!
//! Where the table has what the library predicts for its rows, the packed model has to say the same before a sample is made of it. The
//! sample itself holds all outputs of the packed model, to the bit.

use serde_json::{Value, json};
use thiserror::Error;
use trained::{Block, Inputs, Kind, ValueType, Values};

use crate::Trained;
use crate::table::{Cell, Table};

/// How many rows of a table become samples.
pub const SAMPLE_ROWS_LIMIT: usize = 100;
/// How far the prediction of the library may be, as a part of it: what is left of a number of single precision that was printed.
const RELATIVE_ERROR: f64 = 1e-5;
/// How far it may be in any case.
const ABSOLUTE_ERROR: f64 = 1e-9;

/// Why there is no sample.
#[derive(Debug, Error, PartialEq)]
pub enum SampleError {
    /// Because the table lacks a column.
    #[error("the sample has no column `{name}`; it has {found}")]
    Column {
        /// The column.
        name: String,
        /// Those that there are.
        found: String,
    },
    /// Because a cell is not what the column takes.
    #[error("row {row}, column `{name}`: found {found}, expected {expected}")]
    Cell {
        /// The number of the row, from 1.
        row: usize,
        /// The column.
        name: String,
        /// The cell.
        found: String,
        /// What the column takes.
        expected: &'static str,
    },
    /// Because the model refuses a row.
    #[error("row {row}: the model refuses it: {why}")]
    Refused {
        /// The number of the row, from 1.
        row: usize,
        /// What it says.
        why: String,
    },
    /// Because the packed model says something else than the library.
    #[error("row {row}: the packed model says {found}, and the column `{name}` {expected}")]
    Differs {
        /// The number of the row, from 1.
        row: usize,
        /// The column with what the library says.
        name: String,
        /// What the packed model says.
        found: String,
        /// What the library says.
        expected: String,
    },
    /// Because there are no rows.
    #[error("the sample has no rows, expected at least one")]
    Empty,
    /// Because another engine runs the net, and its tensors are no columns.
    #[error(
        "found a net that tract runs, expected a model of columns: the samples of a net are lines of samples.jsonl"
    )]
    Net,
}

/// The lines of a `samples.jsonl` for the rows of a table. `expected` is the column with what the library predicts, if there is one.
///
/// # Errors
///
/// Where the table does not fit the model, or the model does not predict what is expected.
pub fn samples(
    trained: &Trained,
    table: &Table,
    expected: Option<&str>,
) -> Result<Vec<u8>, SampleError> {
    if table.rows.is_empty() {
        return Err(SampleError::Empty);
    }
    let pipeline = &trained.pipeline;
    if pipeline.net().is_some() {
        return Err(SampleError::Net);
    }
    let expected = match expected {
        None => None,
        Some(name) => Some((name, column(table, name)?)),
    };
    let columns = columns(trained, table, expected.map(|(_, at)| at))?;
    let mut lines = Vec::new();
    for (at, row) in table.rows.iter().enumerate() {
        let cells: Vec<&Cell> = columns.iter().map(|column| &row[*column]).collect();
        let inputs = blocks(trained, at + 1, &cells)?;
        let request = inputs.iter().zip(names(trained)).map(|(block, (name, kind))| {
            tensor(name, kind, block, &pipeline.input_shape(block.width))
        });
        let request: Vec<_> = request.collect();
        let run = pipeline.run(inputs, 1);
        if let Some(why) = run.refused.why(0) {
            return Err(SampleError::Refused { row: at + 1, why: why.to_owned() });
        }
        let outputs: Vec<_> = pipeline
            .outputs
            .iter()
            .map(|output| {
                let block = &run.slots[usize::from(output.slot)];
                tensor(&output.name, output.kind, block, &pipeline.output_shape(block.width))
            })
            .collect();
        if let Some((name, column)) = expected {
            compare(at + 1, name, &row[column], &outputs[0]["data"])?;
        }
        let line =
            json!({ "request": { "inputs": request }, "prediction": { "outputs": outputs } });
        lines.extend(line.to_string().into_bytes());
        lines.push(b'\n');
    }
    Ok(lines)
}

fn column(table: &Table, name: &str) -> Result<usize, SampleError> {
    table.column(name).ok_or_else(|| SampleError::Column {
        name: name.to_owned(),
        found: table.columns.join(", "),
    })
}

/// Which column of the table each column of the model is: by name, or by place where the model has no names and the table as many.
fn columns(
    trained: &Trained,
    table: &Table,
    expected: Option<usize>,
) -> Result<Vec<usize>, SampleError> {
    let by_name: Result<Vec<_>, _> =
        trained.columns.iter().map(|it| column(table, &it.name)).collect();
    let others: Vec<_> = (0..table.columns.len()).filter(|at| Some(*at) != expected).collect();
    let is_matrix = matches!(trained.pipeline.inputs, Inputs::Matrix { .. });
    match by_name {
        Err(_) if is_matrix && others.len() == trained.columns.len() => Ok(others),
        by_name => by_name,
    }
}

/// The tensors of a request, by name and type.
fn names(trained: &Trained) -> Vec<(&str, Kind)> {
    match &trained.pipeline.inputs {
        Inputs::Matrix { name, kind, .. } => vec![(name, *kind)],
        Inputs::Columns(columns) => columns.iter().map(|it| (it.name.as_str(), it.kind)).collect(),
    }
}

fn blocks(trained: &Trained, row: usize, cells: &[&Cell]) -> Result<Vec<Block>, SampleError> {
    let values = |cells: &[&Cell], kind: Kind, first: usize| {
        let wrong = |at: usize, expected| SampleError::Cell {
            row,
            name: trained.columns[first + at].name.clone(),
            found: format!("`{}`", cells[at].text()),
            expected,
        };
        let number = |at: usize| cells[at].number().ok_or_else(|| wrong(at, "a number"));
        let whole = |at: usize| {
            let (range, expected) = match kind {
                Kind::Bool => (0..=1, "true, false, 0 or 1"),
                Kind::I32 => {
                    (i64::from(i32::MIN)..=i64::from(i32::MAX), "a whole number of 32 bits")
                }
                _ => (i64::MIN..=i64::MAX, "a whole number of 64 bits"),
            };
            let whole = cells[at].whole().filter(|it| range.contains(it));
            whole.ok_or_else(|| wrong(at, expected))
        };
        let all = 0..cells.len();
        let values = match kind.value_type() {
            ValueType::F64 => Values::F64(all.map(number).collect::<Result<_, _>>()?),
            ValueType::F32 => {
                Values::F32(all.map(|at| Ok(number(at)? as f32)).collect::<Result<_, _>>()?)
            }
            ValueType::I64 => Values::I64(all.map(whole).collect::<Result<_, _>>()?),
            ValueType::Text => Values::Text(cells.iter().map(|cell| cell.text()).collect()),
        };
        Ok(Block { width: cells.len(), values })
    };
    match &trained.pipeline.inputs {
        Inputs::Matrix { kind, .. } => Ok(vec![values(cells, *kind, 0)?]),
        Inputs::Columns(columns) => columns
            .iter()
            .enumerate()
            .map(|(at, column)| values(&cells[at..=at], column.kind, at))
            .collect(),
    }
}

/// A tensor as the protocol writes it.
fn tensor(name: &str, kind: Kind, block: &Block, shape: &[i32]) -> Value {
    let data: Vec<Value> = match &block.values {
        Values::F64(them) => them.iter().map(|it| number(*it)).collect(),
        Values::F32(them) => them.iter().map(|it| number(f64::from(*it))).collect(),
        Values::I64(them) if kind == Kind::Bool => them.iter().map(|it| json!(*it != 0)).collect(),
        Values::I64(them) => them.iter().map(|it| json!(it)).collect(),
        Values::Text(them) => them.iter().map(|it| json!(it)).collect(),
    };
    // A request of a sample is one row.
    let shape: Vec<i32> =
        shape.iter().map(|length| if *length == -1 { 1 } else { *length }).collect();
    json!({ "name": name, "shape": shape, "datatype": kind.protocol(), "data": data })
}

fn number(value: f64) -> Value {
    match value {
        _ if value.is_finite() => json!(value),
        _ if value.is_nan() => json!("NaN"),
        _ if value > 0.0 => json!("Infinity"),
        _ => json!("-Infinity"),
    }
}

fn compare(row: usize, name: &str, expected: &Cell, found: &Value) -> Result<(), SampleError> {
    let differs = || SampleError::Differs {
        row,
        name: name.to_owned(),
        found: found.to_string(),
        expected: format!("[{}]", expected.text()),
    };
    let same = match found.as_array().map(Vec::as_slice) {
        Some([Value::String(text)]) => *text == expected.text(),
        Some([value]) => match (value.as_f64(), expected.number()) {
            (Some(found), Some(expected)) => {
                (found - expected).abs() <= ABSOLUTE_ERROR.max(RELATIVE_ERROR * expected.abs())
            }
            _ => false,
        },
        _ => false,
    };
    if same { Ok(()) } else { Err(differs()) }
}

#[cfg(test)]
mod tests {
    use trained::ops::{Link, Op};
    use trained::{Column, Output, Pipeline, Rows, Step};

    use super::*;
    use crate::{Domain, Format, Task, TrainedColumn};

    /// The square of `x`, with its sign.
    fn trained() -> Trained {
        let step = Step { op: Op::Link(Link::SignedSquare), inputs: vec![0] };
        Trained {
            pipeline: Pipeline {
                inputs: Inputs::Columns(vec![Column { name: "x".into(), kind: Kind::F64 }]),
                rows: Rows::One,
                steps: vec![step],
                outputs: vec![Output { name: "prediction".into(), slot: 1, kind: Kind::F64 }],
            },
            task: Task::Regression,
            format: Format::Onnx,
            library_version: None,
            summary: String::new(),
            columns: vec![TrainedColumn {
                name: "x".into(),
                kind: Kind::F64,
                domain: Domain::default(),
            }],
        }
    }

    fn table(x: Cell, said: f64) -> Table {
        Table { columns: vec!["said".into(), "x".into()], rows: vec![vec![Cell::Number(said), x]] }
    }

    #[test]
    fn a_row_becomes_a_request_with_what_the_model_answers() {
        let lines =
            samples(&trained(), &table(Cell::Text("-1.5".into()), -2.25), Some("said")).unwrap();
        let line: Value = serde_json::from_slice(&lines).unwrap();
        assert_eq!(
            line["request"]["inputs"],
            json!([{ "name": "x", "shape": [1], "datatype": "FP64", "data": [-1.5] }])
        );
        assert_eq!(line["prediction"]["outputs"][0]["data"], json!([-2.25]));
        let lines = samples(&trained(), &table(Cell::Missing, 0.0), None).unwrap();
        assert!(String::from_utf8(lines).unwrap().contains("\"NaN\""));
    }

    #[test]
    fn what_does_not_fit_is_refused_with_its_row_and_column() {
        let why =
            |table: &Table, expected| samples(&trained(), table, expected).unwrap_err().to_string();
        assert_eq!(
            why(&table(Cell::Whole(2), 5.0), Some("said")),
            "row 1: the packed model says [4.0], and the column `said` [5]"
        );
        assert_eq!(
            why(&table(Cell::Text("far".into()), 5.0), None),
            "row 1, column `x`: found `far`, expected a number"
        );
        let mut narrow = trained();
        narrow.pipeline.inputs =
            Inputs::Columns(vec![Column { name: "x".into(), kind: Kind::I32 }]);
        for cell in [Cell::Whole(1 << 31), Cell::Number(1e300)] {
            let text = cell.text();
            let why = samples(&narrow, &table(cell, 0.0), None).unwrap_err().to_string();
            assert_eq!(
                why,
                format!("row 1, column `x`: found `{text}`, expected a whole number of 32 bits")
            );
        }
        let other = Table { columns: vec!["y".into()], rows: vec![vec![Cell::Missing]] };
        assert_eq!(why(&other, None), "the sample has no column `x`; it has y");
    }
}
