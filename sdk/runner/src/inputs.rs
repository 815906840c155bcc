//! From requests to blocks. A request is one row.

use trained::{Block, Inputs, Kind, ValueType, Values};
use understudy_model::{Contents, Description, Refusal, Request, Tensor};

/// Adds the inputs to a description.
pub(crate) fn describe(inputs: &Inputs, description: Description) -> Description {
    match inputs {
        Inputs::Matrix { name, kind, width } => input(description, name, *kind, *width as i32),
        Inputs::Columns(columns) => columns
            .iter()
            .fold(description, |them, column| input(them, &column.name, column.kind, 1)),
    }
}

fn input(description: Description, name: &str, kind: Kind, width: i32) -> Description {
    match kind {
        Kind::Bool => description.input::<bool>(name, [width]),
        Kind::I32 => description.input::<i32>(name, [width]),
        Kind::I64 => description.input::<i64>(name, [width]),
        Kind::F32 => description.input::<f32>(name, [width]),
        Kind::F64 => description.input::<f64>(name, [width]),
        Kind::Text => description.input::<String>(name, [width]),
    }
}

/// The rows of all requests. The host hands over what the description asks for; whatever is otherwise is refused, and its row is filled.
pub(crate) fn blocks(
    inputs: &Inputs,
    requests: &[Request],
    refused: &mut [Option<Refusal>],
) -> Vec<Block> {
    match inputs {
        Inputs::Matrix { name, kind, width } => {
            vec![block(0, name, *kind, *width as usize, requests, refused)]
        }
        Inputs::Columns(columns) => columns
            .iter()
            .enumerate()
            .map(|(at, column)| block(at, &column.name, column.kind, 1, requests, refused))
            .collect(),
    }
}

fn block(
    at: usize,
    name: &str,
    kind: Kind,
    width: usize,
    requests: &[Request],
    refused: &mut [Option<Refusal>],
) -> Block {
    let mut values = empty(kind, width * requests.len());
    for (request, refusal) in requests.iter().zip(refused) {
        let tensor = request.inputs.get(at).filter(|tensor| tensor.name == name);
        if !tensor.is_some_and(|tensor| push(&mut values, tensor, width)) {
            let found = tensor.map_or("none".to_owned(), ToString::to_string);
            refusal.get_or_insert_with(|| {
                Refusal::invalid_input(format!(
                    "input `{name}`: found {found}, expected {kind:?}[{width}]"
                ))
            });
            fill(&mut values, width);
        }
    }
    Block { width, values }
}

fn empty(kind: Kind, count: usize) -> Values {
    match kind.value_type() {
        ValueType::F64 => Values::F64(Vec::with_capacity(count)),
        ValueType::F32 => Values::F32(Vec::with_capacity(count)),
        ValueType::I64 => Values::I64(Vec::with_capacity(count)),
        ValueType::Text => Values::Text(Vec::with_capacity(count)),
    }
}

/// Appends the elements of a tensor, if they are as many as expected, and of the type.
fn push(values: &mut Values, tensor: &Tensor, width: usize) -> bool {
    match (values, &tensor.contents) {
        (Values::F64(values), Contents::F64s(them)) if them.len() == width => {
            values.extend_from_slice(them);
        }
        (Values::F32(values), Contents::F32s(them)) if them.len() == width => {
            values.extend_from_slice(them);
        }
        (Values::I64(values), Contents::S64s(them)) if them.len() == width => {
            values.extend_from_slice(them);
        }
        (Values::I64(values), Contents::S32s(them)) if them.len() == width => {
            values.extend(them.iter().map(|it| i64::from(*it)));
        }
        (Values::I64(values), Contents::Bools(them)) if them.len() == width => {
            values.extend(them.iter().map(|it| i64::from(*it)));
        }
        (Values::Text(values), Contents::Texts(them)) if them.len() == width => {
            values.extend(them.iter().cloned());
        }
        _ => return false,
    }
    true
}

fn fill(values: &mut Values, width: usize) {
    match values {
        Values::F64(values) => values.resize(values.len() + width, 0.0),
        Values::F32(values) => values.resize(values.len() + width, 0.0),
        Values::I64(values) => values.resize(values.len() + width, 0),
        Values::Text(values) => values.resize(values.len() + width, String::new()),
    }
}
