//! A graph as steps of our own runner.

use trained::ops::onnx::{Concat, Onnx};
use trained::ops::{Join, Op, Select};
use trained::{Column, Inputs, Kind, Output, Pipeline, Slot, ValueType};

use super::graph::{Declared, Graph};
use super::lower::{Lowering, Rows, Value};
use super::operators;
use super::outputs::Wanted;
use super::tensor::Element;
use crate::{Domain, Format, ReadError, ReadOptions, Task, Trained, TrainedColumn, limits};

/// The name of the one input of a matrix, where it is asked for.
const FEATURES: &str = "features";

/// Reads a graph whose operators our own runner has.
pub(super) fn read(
    graph: &Graph,
    wanted: &Wanted<'_>,
    options: &ReadOptions,
) -> Result<Trained, ReadError> {
    let inputs = inputs(graph, options)?;
    let mut lowering = Lowering::new(
        inputs.shapes().len(),
        graph.opset,
        alone(graph),
        graph.uses(&wanted.names()),
    );
    for constant in graph.constants() {
        let (name, tensor) = constant?;
        lowering.define(name, Value::Constant(tensor));
    }
    feed(graph, &inputs, &mut lowering)?;
    let mut values = 0_usize;
    for node in &graph.nodes {
        let results = operators::lower(node, &mut lowering)?;
        for (name, value) in node.output.iter().zip(results) {
            values = values.saturating_add(value.count());
            limits::check(&node.place(), values, "values up to here", limits::CELLS)?;
            lowering.define(name, value);
        }
    }
    finish(graph, wanted, inputs, lowering)
}

fn unsupported(place: String, what: String) -> ReadError {
    ReadError::Unsupported { place, what, hint: None }
}

fn kind(input: &Declared) -> Result<Kind, ReadError> {
    let place = || format!("input `{}`", input.name);
    match input.element {
        Some(Element::F32) => Ok(Kind::F32),
        Some(Element::F64) => Ok(Kind::F64),
        Some(Element::I64) => Ok(Kind::I64),
        Some(Element::I32) => Ok(Kind::I32),
        Some(Element::Bool) => Ok(Kind::Bool),
        Some(Element::Text) => Ok(Kind::Text),
        Some(other) => Err(unsupported(place(), format!("the element type {other:?}"))),
        None => Err(unsupported(place(), "an input that is no tensor".to_owned())),
    }
}

fn element(kind: Kind) -> Element {
    match kind {
        Kind::Bool => Element::Bool,
        Kind::I32 => Element::I32,
        Kind::I64 => Element::I64,
        Kind::F32 => Element::F32,
        Kind::F64 => Element::F64,
        Kind::Text => Element::Text,
    }
}

/// How many columns an input has: those of a matrix whose other dimension is for the requests.
fn width(input: &Declared) -> Result<usize, ReadError> {
    match input.lengths.as_deref() {
        Some([_, Some(width)]) => {
            let place = format!("input `{}`", input.name);
            limits::check(&place, *width, "columns", limits::COLUMNS)?;
            Ok(*width)
        }
        Some([_]) => Ok(1),
        Some(lengths) => {
            let lengths: Vec<_> =
                lengths.iter().map(|it| it.map_or("?".to_owned(), |it| it.to_string())).collect();
            Err(unsupported(
                format!("input `{}`", input.name),
                format!("the shape [{}]", lengths.join(", ")),
            ))
        }
        None => Err(unsupported(
            format!("input `{}`", input.name),
            "an input without a shape".to_owned(),
        )),
    }
}

/// Whether the graph is made for one request.
fn alone(graph: &Graph) -> bool {
    graph.inputs.iter().all(|input| {
        input.lengths.as_ref().is_some_and(|lengths| lengths.first() == Some(&Some(1)))
    })
}

/// What a request has: one tensor for a matrix, or one for each column, as the graph or the user has it.
fn inputs(graph: &Graph, options: &ReadOptions) -> Result<Inputs, ReadError> {
    let mut columns = Vec::new();
    let mut widths = Vec::new();
    for input in &graph.inputs {
        columns.push(Column { name: input.name.clone(), kind: kind(input)? });
        widths.push(width(input)?);
        let batch = input.lengths.as_ref().and_then(|lengths| lengths.first().copied().flatten());
        if batch.is_some_and(|batch| batch != 1) {
            return Err(unsupported(
                format!("input `{}`", input.name),
                format!("a graph for {} requests at once", batch.unwrap_or(0)),
            ));
        }
    }
    match (&columns[..], &widths[..]) {
        ([], _) => Err(unsupported("the graph".to_owned(), "a graph without inputs".to_owned())),
        ([column], [width]) => one_matrix(column, *width, options),
        _ => several(columns, &widths, options),
    }
}

fn one_matrix(column: &Column, width: usize, options: &ReadOptions) -> Result<Inputs, ReadError> {
    if let Some(given) = options.columns.as_ref().filter(|_| !options.matrix) {
        check_count(given.len(), width)?;
        let named = given
            .iter()
            .map(|it| Column { name: it.name.clone(), kind: it.kind.unwrap_or(column.kind) });
        return Ok(Inputs::Columns(named.collect()));
    }
    let name = if options.matrix { FEATURES.to_owned() } else { column.name.clone() };
    Ok(Inputs::Matrix { name, kind: column.kind, width: width as u32 })
}

fn several(
    mut columns: Vec<Column>,
    widths: &[usize],
    options: &ReadOptions,
) -> Result<Inputs, ReadError> {
    if let Some(at) = widths.iter().position(|width| *width != 1) {
        return Err(unsupported(
            format!("input `{}`", columns[at].name),
            format!("an input of {} columns beside others", widths[at]),
        ));
    }
    if let Some(given) = &options.columns {
        check_count(given.len(), columns.len())?;
        for (column, given) in columns.iter_mut().zip(given) {
            column.name.clone_from(&given.name);
        }
    }
    if !options.matrix {
        return Ok(Inputs::Columns(columns));
    }
    let kind = columns[0].kind;
    match columns.iter().find(|column| column.kind != kind) {
        None => Ok(Inputs::Matrix { name: FEATURES.to_owned(), kind, width: columns.len() as u32 }),
        Some(other) => Err(ReadError::Option {
            option: "matrix".to_owned(),
            found: format!("inputs of {kind:?} and of {:?} (`{}`)", other.kind, other.name),
            expected: "inputs of one type".to_owned(),
        }),
    }
}

fn check_count(given: usize, columns: usize) -> Result<(), ReadError> {
    if given == columns {
        return Ok(());
    }
    Err(ReadError::Option {
        option: "columns".to_owned(),
        found: format!("{given} names"),
        expected: format!("one for each of the {columns} columns of the file"),
    })
}

/// Says what the inputs of the graph are, whatever a request has in their place.
fn feed(graph: &Graph, inputs: &Inputs, lowering: &mut Lowering) -> Result<(), ReadError> {
    for (number, input) in graph.inputs.iter().enumerate() {
        let kind = kind(input)?;
        let slot = match inputs {
            Inputs::Matrix { .. } if graph.inputs.len() == 1 => 0,
            Inputs::Matrix { .. } => {
                lowering.step(Op::Select(Select { columns: vec![number as u32] }), vec![0])
            }
            Inputs::Columns(columns) if graph.inputs.len() == 1 => {
                together(&input.name, kind, columns.len(), columns, lowering)?
            }
            Inputs::Columns(_) => number as Slot,
        };
        let dims = match input.lengths.as_deref() {
            Some([_]) => Vec::new(),
            _ => vec![width(input)?],
        };
        lowering.define(
            &input.name,
            Value::Rows(Rows { slot, element: element(kind), dims, batch: 0 }),
        );
    }
    Ok(())
}

/// Columns of a matrix that have tensors of their own, beside each other again.
fn together(
    name: &str,
    kind: Kind,
    count: usize,
    columns: &[Column],
    lowering: &mut Lowering,
) -> Result<Slot, ReadError> {
    let slots: Vec<Slot> = (0..count as Slot).collect();
    let numbers = |kind: Kind| kind.value_type() != ValueType::Text;
    match kind.value_type() {
        into @ (ValueType::F32 | ValueType::F64)
            if columns.iter().all(|column| numbers(column.kind)) =>
        {
            Ok(lowering.step(Op::Join(Join { into }), slots))
        }
        values if columns.iter().all(|column| column.kind.value_type() == values) => {
            Ok(lowering.step(Op::Onnx(Onnx::Concat(Concat { chunks: vec![1; count] })), slots))
        }
        values => Err(ReadError::Option {
            option: "columns".to_owned(),
            found: "a column of another type".to_owned(),
            expected: format!("columns of {values:?}, as the input `{name}` has them"),
        }),
    }
}

fn output_kind(element: Element) -> Option<Kind> {
    Some(match element {
        Element::F32 => Kind::F32,
        Element::F64 => Kind::F64,
        Element::I64 => Kind::I64,
        Element::I32 => Kind::I32,
        Element::Bool => Kind::Bool,
        Element::Text => Kind::Text,
        Element::F16 | Element::I8 | Element::U8 => return None,
    })
}

fn finish(
    graph: &Graph,
    wanted: &Wanted<'_>,
    inputs: Inputs,
    mut lowering: Lowering,
) -> Result<Trained, ReadError> {
    let mut rows = Vec::new();
    for name in wanted.names() {
        match lowering.value(name) {
            Some(Value::Rows(them)) if them.is_leading() => rows.push(them.clone()),
            _ => {
                return Err(unsupported(
                    format!("output `{name}`"),
                    "an output that has not a row for each request".to_owned(),
                ));
            }
        }
    }
    let widths: Vec<usize> = rows.iter().map(Rows::width).collect();
    let (task, names) = wanted.called(&widths);
    if task == Task::Binary && rows[0].width() == 2 {
        // The probability of the second class, as other formats give it.
        rows[0].slot = lowering.step(Op::Select(Select { columns: vec![1] }), vec![rows[0].slot]);
    }
    let mut outputs = Vec::new();
    for (rows, name) in rows.iter().zip(names) {
        let kind = output_kind(rows.element).ok_or_else(|| {
            unsupported(format!("output `{name}`"), format!("the element type {:?}", rows.element))
        })?;
        outputs.push(Output { name, slot: rows.slot, kind });
    }
    if inputs.shapes().len() + lowering.steps.len() > usize::from(Slot::MAX) {
        return Err(unsupported(
            "the graph".to_owned(),
            format!("a graph of {} steps", lowering.steps.len()),
        ));
    }
    let columns = match &inputs {
        Inputs::Matrix { name, kind, width } => (0..*width)
            .map(|at| TrainedColumn {
                name: format!("{name}[{at}]"),
                kind: *kind,
                domain: Domain::default(),
            })
            .collect(),
        Inputs::Columns(columns) => columns
            .iter()
            .map(|it| TrainedColumn {
                name: it.name.clone(),
                kind: it.kind,
                domain: Domain::default(),
            })
            .collect(),
    };
    let count = graph.nodes.len();
    Ok(Trained {
        pipeline: Pipeline { inputs, rows: trained::Rows::One, steps: lowering.steps, outputs },
        task,
        format: Format::Onnx,
        library_version: graph.producer.clone(),
        summary: format!("{count} operators in {} steps", "our own"),
        columns,
    })
}
