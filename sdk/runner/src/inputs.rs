//! From requests to blocks.

use std::ops::Range;

use trained::{Block, Inputs, Kind, Pipeline, Rows, ValueType, Values};
use understudy_model::{Contents, Description, Refusal, Request, Tensor};

/// The rows of a call.
pub(crate) struct Asked {
    /// The inputs of the pipeline, of all requests together.
    pub(crate) blocks: Vec<Block>,
    /// How many rows there are.
    pub(crate) rows: usize,
    /// Which of them are those of each request.
    pub(crate) of_requests: Vec<Result<Range<usize>, Refusal>>,
}

/// A tensor that a request has.
struct Column<'a> {
    at: usize,
    name: &'a str,
    kind: Kind,
    /// How many elements of it are a row.
    width: usize,
}

/// Adds the inputs to a description.
pub(crate) fn describe(pipeline: &Pipeline, description: Description) -> Description {
    columns(&pipeline.inputs).fold(description, |description, column| {
        let shape = pipeline.input_shape(column.width);
        match column.kind {
            Kind::Bool => description.input::<bool>(column.name, shape),
            Kind::I32 => description.input::<i32>(column.name, shape),
            Kind::I64 => description.input::<i64>(column.name, shape),
            Kind::F32 => description.input::<f32>(column.name, shape),
            Kind::F64 => description.input::<f64>(column.name, shape),
            Kind::Text => description.input::<String>(column.name, shape),
        }
    })
}

/// Reads the requests. The host hands over what the description asks for; a request that is otherwise is refused, and brings no rows.
pub(crate) fn read(pipeline: &Pipeline, requests: &[Request]) -> Asked {
    let mut rows = 0;
    let of_requests: Vec<_> = requests
        .iter()
        .map(|request| {
            let first = rows;
            rows += rows_of(pipeline, request)?;
            Ok(first..rows)
        })
        .collect();
    let block = |column: Column<'_>| {
        let mut values = empty(column.kind, column.width * rows);
        for (request, rows) in requests.iter().zip(&of_requests) {
            if rows.is_ok() {
                push(&mut values, &request.inputs[column.at].contents);
            }
        }
        Block { width: column.width, values }
    };
    let blocks = columns(&pipeline.inputs).map(block).collect();
    Asked { blocks, rows, of_requests }
}

fn columns(inputs: &Inputs) -> impl Iterator<Item = Column<'_>> {
    let (matrix, columns) = match inputs {
        Inputs::Matrix { name, kind, width } => {
            (Some(Column { at: 0, name, kind: *kind, width: *width as usize }), &[][..])
        }
        Inputs::Columns(columns) => (None, &columns[..]),
    };
    matrix.into_iter().chain(columns.iter().enumerate().map(|(at, column)| Column {
        at,
        name: &column.name,
        kind: column.kind,
        width: 1,
    }))
}

/// How many rows a request brings: as many in each of its tensors.
fn rows_of(pipeline: &Pipeline, request: &Request) -> Result<usize, Refusal> {
    let mut rows = match pipeline.rows {
        Rows::One => Some(1),
        Rows::Many => None,
    };
    for column in columns(&pipeline.inputs) {
        let wrong = |found: String| {
            let Column { name, kind, width, .. } = &column;
            let some = rows.map_or("some".to_owned(), |rows| rows.to_string());
            Refusal::invalid_input(format!(
                "input `{name}`: found {found}, expected {some} rows of {kind:?}[{width}]"
            ))
        };
        let tensor = request.inputs.get(column.at).ok_or_else(|| wrong("none".to_owned()))?;
        let count = elements(column.kind, tensor).ok_or_else(|| wrong(tensor.to_string()))?;
        let found = count / column.width.max(1);
        if found == 0 || found * column.width != count || rows.is_some_and(|rows| rows != found) {
            return Err(wrong(tensor.to_string()));
        }
        rows = Some(found);
    }
    rows.ok_or_else(|| Refusal::invalid_input("the model reads no tensor, and so finds no rows"))
}

/// How many elements a tensor has, if they are of the type.
fn elements(kind: Kind, tensor: &Tensor) -> Option<usize> {
    Some(match (kind, &tensor.contents) {
        (Kind::F64, Contents::F64s(them)) => them.len(),
        (Kind::F32, Contents::F32s(them)) => them.len(),
        (Kind::I64, Contents::S64s(them)) => them.len(),
        (Kind::I32, Contents::S32s(them)) => them.len(),
        (Kind::Bool, Contents::Bools(them)) => them.len(),
        (Kind::Text, Contents::Texts(them)) => them.len(),
        _ => return None,
    })
}

fn empty(kind: Kind, count: usize) -> Values {
    match kind.value_type() {
        ValueType::F64 => Values::F64(Vec::with_capacity(count)),
        ValueType::F32 => Values::F32(Vec::with_capacity(count)),
        ValueType::I64 => Values::I64(Vec::with_capacity(count)),
        ValueType::Text => Values::Text(Vec::with_capacity(count)),
    }
}

/// Appends the elements of a tensor.
fn push(values: &mut Values, contents: &Contents) {
    match (values, contents) {
        (Values::F64(values), Contents::F64s(them)) => values.extend_from_slice(them),
        (Values::F32(values), Contents::F32s(them)) => values.extend_from_slice(them),
        (Values::I64(values), Contents::S64s(them)) => values.extend_from_slice(them),
        (Values::I64(values), Contents::S32s(them)) => {
            values.extend(them.iter().map(|it| i64::from(*it)));
        }
        (Values::I64(values), Contents::Bools(them)) => {
            values.extend(them.iter().map(|it| i64::from(*it)));
        }
        (Values::Text(values), Contents::Texts(them)) => values.extend_from_slice(them),
        _ => unreachable!("the type was looked at before"),
    }
}
