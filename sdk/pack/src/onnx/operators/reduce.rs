//! Reductions, and what makes several values sum up to one.

use trained::ops::onnx::{Extreme, Onnx, Reduce, Reduction, Softmax, Span};

use super::unknown;
use crate::ReadError;
use crate::onnx::lower::{Lowering, Rows, Value};
use crate::onnx::proto::Node;
use crate::onnx::tensor::Element;

pub(super) fn lower(node: &Node, graph: &mut Lowering) -> Result<Vec<Value>, ReadError> {
    let reduction = match &node.op_type[..] {
        "ArgMax" => return extreme(node, graph, true),
        "ArgMin" => return extreme(node, graph, false),
        "Softmax" => return softmax(node, graph, false),
        "LogSoftmax" => return softmax(node, graph, true),
        "ReduceSum" => Reduction::Sum,
        "ReduceMean" => Reduction::Mean,
        "ReduceMax" => Reduction::Max,
        "ReduceMin" => Reduction::Min,
        "ReduceProd" => Reduction::Prod,
        "ReduceL1" => Reduction::L1,
        "ReduceL2" => Reduction::L2,
        "ReduceSumSquare" => Reduction::SumSquare,
        "ReduceLogSum" => Reduction::LogSum,
        "ReduceLogSumExp" => Reduction::LogSumExp,
        _ => return Err(unknown(node)),
    };
    let rows = graph.rows(node, 0)?;
    let axes = match graph.whole(node, 1)? {
        Some(axes) => axes,
        None => node.ints("axes").to_vec(),
    };
    if axes.is_empty() {
        return match node.int("noop_with_empty_axes", 0) {
            0 => Err(node.unsupported(format!("{} across requests", node.op_type))),
            _ => Ok(vec![Value::Rows(rows)]),
        };
    }
    let mut places = Vec::new();
    for axis in axes {
        places.push(graph.axis(node, &rows, axis)?);
    }
    places.sort_unstable();
    places.dedup();
    if places.last().map(|last| last - places[0] + 1) != Some(places.len()) {
        return Err(node.unsupported(format!("{} over axes that are apart", node.op_type)));
    }
    let span = span(&rows, places[0], places.len());
    let op = Onnx::Reduce(Reduce { reduction, span });
    let element = rows.element;
    Ok(vec![reduced(node, graph, op, &rows, &places, element)])
}

fn span(rows: &Rows, first: usize, count: usize) -> Span {
    let product = |dims: &[usize]| dims.iter().product::<usize>() as u32;
    Span {
        outer: product(&rows.dims[..first]),
        length: product(&rows.dims[first..first + count]),
        inner: product(&rows.dims[first + count..]),
    }
}

/// The result of a reduction of the dimensions at `places`, which stay with a length of one unless they are to go.
fn reduced(
    node: &Node,
    graph: &mut Lowering,
    op: Onnx,
    rows: &Rows,
    places: &[usize],
    element: Element,
) -> Value {
    let Value::Rows(mut result) = graph.map(op, rows, element) else {
        unreachable!("invariant: a step gives rows")
    };
    if node.int("keepdims", 1) != 0 {
        places.iter().for_each(|place| result.dims[*place] = 1);
    } else {
        for place in places.iter().rev() {
            result.dims.remove(*place);
        }
        result.batch -= places.iter().filter(|place| **place < rows.batch).count();
    }
    Value::Rows(result)
}

fn extreme(node: &Node, graph: &mut Lowering, greatest: bool) -> Result<Vec<Value>, ReadError> {
    let rows = graph.rows(node, 0)?;
    let place = graph.axis(node, &rows, node.int("axis", 0))?;
    let last = node.int("select_last_index", 0) != 0;
    let op = Onnx::Extreme(Extreme { greatest, last, span: span(&rows, place, 1) });
    Ok(vec![reduced(node, graph, op, &rows, &[place], Element::I64)])
}

fn softmax(node: &Node, graph: &mut Lowering, log: bool) -> Result<Vec<Value>, ReadError> {
    let rows = graph.rows(node, 0)?;
    // Before version 13 all dimensions from the axis on belong together, and the axis is the second where it is not said.
    let old = graph.opset < 13;
    let place = graph.axis(node, &rows, node.int("axis", if old { 1 } else { -1 }))?;
    let group = match old {
        true => rows.dims[place..].iter().product(),
        false if place + 1 == rows.dims.len() => rows.dims[place],
        false => {
            return Err(
                node.unsupported(format!("{} of another dimension than the last", node.op_type))
            );
        }
    };
    let element = rows.element;
    Ok(vec![graph.map(Onnx::Softmax(Softmax { group: group as u32, log }), &rows, element)])
}
