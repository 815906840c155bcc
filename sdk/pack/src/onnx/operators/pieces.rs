//! What only moves values: pieces of tensors, and tensors beside each other.

use trained::ops::onnx::{Concat, Constant, Lookup, Onnx};
use trained::ops::{Op, Select};

use super::ml::nth_single;
use super::unknown;
use crate::onnx::lower::{Lowering, Rows, Value, product};
use crate::onnx::proto::Node;
use crate::onnx::tensor::{Element, Tensor};
use crate::{ReadError, limits};

pub(super) fn lower(node: &Node, graph: &mut Lowering) -> Result<Vec<Value>, ReadError> {
    let value = match &node.op_type[..] {
        "Concat" => concat(node, graph)?,
        "Gather" => gather(node, graph)?,
        "Slice" => slice(node, graph)?,
        "Split" => return split(node, graph),
        "Transpose" => transpose(node, graph)?,
        _ => return Err(unknown(node)),
    };
    Ok(vec![value])
}

fn concat(node: &Node, graph: &mut Lowering) -> Result<Value, ReadError> {
    if let Some(lengths) = joined_constants(node, graph)? {
        return Ok(lengths);
    }
    let parts: Vec<Rows> =
        (0..node.input.len()).map(|number| graph.rows(node, number)).collect::<Result<_, _>>()?;
    let first = parts.first().ok_or_else(|| node.malformed("no inputs", "one or more"))?.clone();
    let place = graph.axis(node, &first, node.int("axis", 1))?;
    let same = |part: &Rows| {
        let around = |rows: &Rows| [&rows.dims[..place], &rows.dims[place + 1..]].concat();
        part.element == first.element
            && part.batch == first.batch
            && part.dims.len() == first.dims.len()
            && around(part) == around(&first)
    };
    if !parts.iter().all(same) {
        return Err(node.malformed(
            "tensors that do not fit beside each other",
            "the same type, and lengths that differ in one dimension",
        ));
    }
    if parts.len() == 1 {
        return Ok(Value::Rows(first));
    }
    let chunks =
        parts.iter().map(|part| part.dims[place..].iter().product::<usize>() as u32).collect();
    let mut dims = first.dims.clone();
    dims[place] = parts.iter().map(|part| part.dims[place]).sum();
    let slot = graph.step(
        Op::Onnx(Onnx::Concat(Concat { chunks })),
        parts.iter().map(|part| part.slot).collect(),
    );
    Ok(Value::Rows(Rows { slot, element: first.element, dims, batch: first.batch }))
}

/// FeatureVectorizer: tables beside each other, in single precision.
pub(super) fn feature_vectorizer(node: &Node, graph: &mut Lowering) -> Result<Value, ReadError> {
    let parts = 0..node.input.len();
    let parts: Vec<Rows> =
        parts.map(|number| nth_single(node, graph, number)).collect::<Result<_, _>>()?;
    let widths: Vec<usize> = parts.iter().map(Rows::width).collect();
    let said = node.ints("inputdimensions");
    if !said.iter().map(|it| usize::try_from(*it).ok()).eq(widths.iter().map(|it| Some(*it))) {
        // Onnxruntime would cut off columns, or add zeros.
        return Err(
            node.unsupported(format!("inputdimensions {said:?} for tables of {widths:?} columns"))
        );
    }
    if let [only] = &parts[..] {
        return Ok(Value::Rows(only.clone()));
    }
    let op = Onnx::Concat(Concat { chunks: widths.iter().map(|it| *it as u32).collect() });
    let inputs = parts.iter().map(|part| part.slot).collect();
    Ok(graph.add(op, inputs, Element::F32, vec![widths.iter().sum()]))
}

/// Lengths and constants beside each other, as shapes are put together.
fn joined_constants(node: &Node, graph: &Lowering) -> Result<Option<Value>, ReadError> {
    let mut joined = Vec::new();
    for number in 0..node.input.len() {
        match graph.input(node, number)? {
            Some(Value::Lengths(lengths)) => joined.extend_from_slice(lengths),
            Some(Value::Constant(Tensor { values: Constant::I64(values), dims, .. }))
                if dims.len() == 1 =>
            {
                joined.extend_from_slice(values);
            }
            _ => return Ok(None),
        }
    }
    Ok(Some(Value::Lengths(joined)))
}

/// Columns of a tensor, in an order that the graph holds.
fn taken(
    graph: &mut Lowering,
    rows: &Rows,
    place: usize,
    chosen: &[usize],
    dims: Vec<usize>,
) -> Result<Value, ReadError> {
    limits::check("the graph", product(&dims).unwrap_or(usize::MAX), "values", limits::CELLS)?;
    let inner: usize = rows.dims[place + 1..].iter().product();
    let outer: usize = rows.dims[..place].iter().product();
    let length = rows.dims[place];
    let columns: Vec<u32> = (0..outer)
        .flat_map(|outer| {
            chosen.iter().flat_map(move |at| (0..inner).map(move |inner_at| (outer, *at, inner_at)))
        })
        .map(|(outer, at, inner_at)| ((outer * length + at) * inner + inner_at) as u32)
        .collect();
    let all =
        columns.len() == rows.width() && columns.iter().zip(0..).all(|(column, at)| *column == at);
    let slot =
        if all { rows.slot } else { graph.step(Op::Select(Select { columns }), vec![rows.slot]) };
    Ok(Value::Rows(Rows { slot, dims, ..rows.clone() }))
}

fn chosen(node: &Node, places: &[i64], length: usize) -> Result<Vec<usize>, ReadError> {
    let at = |place: &i64| {
        let at = if *place < 0 { place + length as i64 } else { *place };
        usize::try_from(at)
            .ok()
            .filter(|at| *at < length)
            .ok_or_else(|| node.malformed(format!("index {place}"), format!("one of {length}")))
    };
    places.iter().map(at).collect()
}

/// ArrayFeatureExtractor: columns of a tensor, or values of a table by their place.
pub(super) fn array_feature_extractor(
    node: &Node,
    graph: &mut Lowering,
) -> Result<Value, ReadError> {
    if let (Some(Value::Constant(table)), Some(Value::Rows(places))) =
        (graph.input(node, 0)?, graph.input(node, 1)?)
    {
        let (table, places) = (table.clone(), places.clone());
        if table.dims.iter().rev().skip(1).any(|length| *length != 1) || places.width() != 1 {
            return Err(node.unsupported("ArrayFeatureExtractor of a table with rows"));
        }
        // The requests lie behind a first dimension of one.
        let op = Onnx::Lookup(Lookup { table: table.values });
        let slot = graph.step(Op::Onnx(op), vec![places.slot]);
        return Ok(Value::Rows(Rows { slot, element: table.element, dims: vec![1], batch: 1 }));
    }
    let places = graph.whole(node, 1)?.unwrap_or_default();
    let rows = graph.table(node, 0)?;
    let chosen = chosen(node, &places, rows.width())?;
    let dims = vec![chosen.len()];
    taken(graph, &rows, 0, &chosen, dims)
}

fn gather(node: &Node, graph: &mut Lowering) -> Result<Value, ReadError> {
    let axis = node.int("axis", 0);
    match (graph.input(node, 0)?.cloned(), graph.input(node, 1)?.cloned()) {
        (
            Some(Value::Lengths(lengths)),
            Some(Value::Constant(Tensor { values: Constant::I64(places), .. })),
        ) => {
            let chosen = chosen(node, &places, lengths.len())?;
            Ok(Value::Lengths(chosen.into_iter().map(|at| lengths[at]).collect()))
        }
        (Some(Value::Constant(table)), Some(Value::Rows(places))) if table.dims.len() == 1 => {
            Ok(graph.map(Onnx::Lookup(Lookup { table: table.values }), &places, table.element))
        }
        (
            Some(Value::Rows(rows)),
            Some(Value::Constant(Tensor { values: Constant::I64(places), dims: shape, .. })),
        ) => {
            let place = graph.axis(node, &rows, axis)?;
            let chosen = chosen(node, &places, rows.dims[place])?;
            let dims = [&rows.dims[..place], &shape, &rows.dims[place + 1..]].concat();
            if place < rows.batch && shape.len() != 1 {
                return Err(node.unsupported("Gather before the dimension of the requests"));
            }
            taken(graph, &rows, place, &chosen, dims)
        }
        _ => Err(node.unsupported("Gather of these inputs")),
    }
}

fn slice(node: &Node, graph: &mut Lowering) -> Result<Value, ReadError> {
    let lists = |graph: &Lowering, number: usize, name: &str| {
        Ok::<_, ReadError>(graph.whole(node, number)?.unwrap_or_else(|| node.ints(name).to_vec()))
    };
    let starts = lists(graph, 1, "starts")?;
    let ends = lists(graph, 2, "ends")?;
    let axes = Some(lists(graph, 3, "axes")?)
        .filter(|axes| !axes.is_empty())
        .unwrap_or_else(|| (0..starts.len() as i64).collect());
    let steps = Some(lists(graph, 4, "steps")?)
        .filter(|steps| !steps.is_empty())
        .unwrap_or_else(|| vec![1; starts.len()]);
    let mut rows = graph.rows(node, 0)?;
    for (((start, end), axis), step) in starts.iter().zip(&ends).zip(&axes).zip(&steps) {
        let place = graph.axis(node, &rows, *axis)?;
        let length = rows.dims[place] as i64;
        if *step <= 0 {
            return Err(node.unsupported("Slice backwards"));
        }
        let bound =
            |at: i64| (if at < 0 { at.saturating_add(length) } else { at }).clamp(0, length);
        let chosen: Vec<usize> =
            (bound(*start)..bound(*end)).step_by(*step as usize).map(|at| at as usize).collect();
        let mut dims = rows.dims.clone();
        dims[place] = chosen.len();
        match taken(graph, &rows, place, &chosen, dims)? {
            Value::Rows(next) => rows = next,
            _ => unreachable!("invariant: columns are rows"),
        }
    }
    Ok(Value::Rows(rows))
}

fn split(node: &Node, graph: &mut Lowering) -> Result<Vec<Value>, ReadError> {
    let rows = graph.rows(node, 0)?;
    let place = graph.axis(node, &rows, node.int("axis", 0))?;
    let length = rows.dims[place];
    let parts = node.output.len().max(1);
    let sizes = match graph.whole(node, 1)?.unwrap_or_else(|| node.ints("split").to_vec()) {
        sizes if sizes.is_empty() => {
            let size = length.div_ceil(parts);
            (0..parts).map(|part| size.min(length.saturating_sub(part * size)) as i64).collect()
        }
        sizes => sizes,
    };
    let mut from = 0;
    let mut pieces = Vec::new();
    for size in sizes {
        let end = usize::try_from(size).ok().and_then(|size| size.checked_add(from));
        let Some(end) = end.filter(|end| *end <= length) else {
            return Err(node.malformed(format!("a part of {size}"), format!("parts of {length}")));
        };
        let chosen: Vec<usize> = (from..end).collect();
        from = end;
        let mut dims = rows.dims.clone();
        dims[place] = chosen.len();
        pieces.push(taken(graph, &rows, place, &chosen, dims)?);
    }
    Ok(pieces)
}

fn transpose(node: &Node, graph: &mut Lowering) -> Result<Value, ReadError> {
    let rows = graph.rows(node, 0)?;
    let rank = rows.rank();
    let order: Vec<usize> = match node.ints("perm") {
        [] => (0..rank).rev().collect(),
        order => chosen(node, order, rank)?,
    };
    let each_once = (0..rank).all(|axis| order.contains(&axis)) && order.len() == rank;
    let batch = order.iter().position(|axis| *axis == rows.batch).filter(|_| each_once);
    let batch = batch
        .ok_or_else(|| node.malformed(format!("the order {order:?}"), format!("{rank} axes")))?;
    let among = |axis: usize| if axis < rows.batch { axis } else { axis - 1 };
    let order: Vec<usize> =
        order.into_iter().filter(|axis| *axis != rows.batch).map(among).collect();
    let strides: Vec<usize> =
        (0..rows.dims.len()).map(|at| rows.dims[at + 1..].iter().product()).collect();
    let dims: Vec<usize> = order.iter().map(|axis| rows.dims[*axis]).collect();
    let mut columns = vec![0];
    for axis in &order {
        columns = columns
            .iter()
            .flat_map(|from| (0..rows.dims[*axis]).map(move |at| (from, at)))
            .map(|(from, at)| from + at * strides[*axis])
            .collect();
    }
    let columns: Vec<u32> = columns.into_iter().map(|column: usize| column as u32).collect();
    let slot = match columns.is_sorted() {
        true => rows.slot,
        false => graph.step(Op::Select(Select { columns }), vec![rows.slot]),
    };
    Ok(Value::Rows(Rows { slot, element: rows.element, dims, batch }))
}
