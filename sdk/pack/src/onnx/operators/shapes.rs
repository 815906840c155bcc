//! What only gives values other dimensions, and what gives values to dimensions.

use trained::ops::Op;
use trained::ops::onnx::{Constant, Fill, Onnx};

use super::unknown;
use crate::onnx::lower::{Lowering, Rows, Value, product};
use crate::onnx::proto::Node;
use crate::onnx::tensor::{Element, Tensor};
use crate::{ReadError, limits};

pub(super) fn lower(node: &Node, graph: &mut Lowering) -> Result<Vec<Value>, ReadError> {
    let value = match &node.op_type[..] {
        "Identity" | "Dropout" => {
            let value = graph.input(node, 0)?.cloned();
            value.ok_or_else(|| node.malformed("no input", "one"))?
        }
        "Reshape" => reshape(node, graph)?,
        "Flatten" => flatten(node, graph)?,
        "Squeeze" => squeeze(node, graph)?,
        "Unsqueeze" => unsqueeze(node, graph)?,
        "Shape" => shape(node, graph)?,
        "ConstantOfShape" => constant_of_shape(node, graph)?,
        "Constant" => constant(node)?,
        _ => return Err(unknown(node)),
    };
    Ok(vec![value])
}

/// The same values with other dimensions. The requests stay together as long as no dimension before theirs has a length.
fn reshape(node: &Node, graph: &mut Lowering) -> Result<Value, ReadError> {
    let target = graph.whole(node, 1)?.unwrap_or_else(|| node.ints("shape").to_vec());
    if let Some(Value::Constant(tensor)) = graph.input(node, 0)? {
        return reshape_constant(node, tensor, &target);
    }
    let rows = graph.rows(node, 0)?;
    let (dims, batch) =
        fitted(&rows, &target, graph.alone).filter(|_| rows.is_leading()).ok_or_else(|| {
            node.unsupported(format!("Reshape of a request with {:?} into {target:?}", rows.dims))
        })?;
    let result = Rows { dims, batch, ..rows };
    match result.is_leading() {
        true => Ok(Value::Rows(result)),
        false => Err(node.unsupported(format!(
            "Reshape into {target:?}, which puts requests behind a dimension"
        ))),
    }
}

/// The dimensions of a request after it was reshaped, and where the requests are among them.
fn fitted(rows: &Rows, target: &[i64], alone: bool) -> Option<(Vec<usize>, usize)> {
    let kept = target.get(rows.batch) == Some(&0);
    let free = target.iter().position(|length| *length == -1);
    let known = |at: usize, length: i64| match length {
        0 if at < rows.batch => rows.dims.get(at).copied(),
        0 => rows.dims.get(at.checked_sub(1)?).copied(),
        length => usize::try_from(length).ok(),
    };
    let batch = if kept {
        rows.batch
    } else {
        // In a graph for one request it may be any length of one, and is the first.
        match free {
            Some(free) => free,
            None if alone => target.iter().position(|length| *length == 1)?,
            None => return None,
        }
    };
    let mut dims = Vec::new();
    for (at, length) in target.iter().enumerate().filter(|(at, _)| *at != batch) {
        dims.push(if *length == -1 { None } else { Some(known(at, *length)?) });
    }
    let listed = product(&dims.iter().flatten().copied().collect::<Vec<_>>())?;
    let width = rows.width();
    if dims.contains(&None) {
        if listed == 0 || !width.is_multiple_of(listed) {
            return None;
        }
        return Some((
            dims.into_iter().map(|length| length.unwrap_or(width / listed)).collect(),
            batch,
        ));
    }
    if listed == width {
        return Some((dims.into_iter().flatten().collect(), batch));
    }
    // A single request's length of one can stand elsewhere, and the free one then takes all the rest.
    let one = target
        .iter()
        .position(|length| *length == 1)
        .filter(|_| alone && !kept && free.is_some())?;
    let rest = listed.max(1);
    let mut dims: Vec<usize> = Vec::new();
    for (at, length) in target.iter().enumerate().filter(|(at, _)| *at != one) {
        dims.push(if *length == -1 { width.checked_div(rest)? } else { known(at, *length)? });
    }
    (product(&dims) == Some(width)).then_some((dims, one))
}

fn reshape_constant(node: &Node, tensor: &Tensor, target: &[i64]) -> Result<Value, ReadError> {
    let known = target.iter().filter(|length| **length != -1);
    let known = known.fold(1_i64, |product, length| product.saturating_mul(*length));
    let rest = tensor.values.len() as i64 / known.max(1);
    let dims: Option<Vec<usize>> = target
        .iter()
        .map(|length| usize::try_from(if *length == -1 { rest } else { *length }).ok())
        .collect();
    match dims.filter(|dims| product(dims) == Some(tensor.values.len())) {
        Some(dims) => Ok(Value::Constant(Tensor { dims, ..tensor.clone() })),
        None => Err(node.malformed(
            format!("{} values for {target:?}", tensor.values.len()),
            "a shape that fits",
        )),
    }
}

fn flatten(node: &Node, graph: &mut Lowering) -> Result<Value, ReadError> {
    let rows = graph.rows(node, 0)?;
    match (node.int("axis", 1), rows.batch) {
        (1, 0) => Ok(Value::Rows(Rows { dims: vec![rows.width()], ..rows })),
        (axis, _) => Err(node.unsupported(format!("Flatten from axis {axis}"))),
    }
}

fn axes(node: &Node, graph: &Lowering) -> Result<Vec<i64>, ReadError> {
    Ok(graph.whole(node, 1)?.unwrap_or_else(|| node.ints("axes").to_vec()))
}

fn squeeze(node: &Node, graph: &mut Lowering) -> Result<Value, ReadError> {
    let rows = graph.rows(node, 0)?;
    let mut places: Vec<usize> = match &axes(node, graph)?[..] {
        [] => (0..rows.dims.len()).filter(|at| rows.dims[*at] == 1).collect(),
        axes => axes.iter().map(|axis| graph.axis(node, &rows, *axis)).collect::<Result<_, _>>()?,
    };
    places.sort_unstable();
    if places.windows(2).any(|pair| pair[0] == pair[1]) {
        return Err(node.malformed("a dimension twice", "it once"));
    }
    let mut result = rows.clone();
    for place in places.iter().rev() {
        if result.dims.remove(*place) != 1 {
            return Err(node.malformed("a dimension of more than one", "one of length 1"));
        }
    }
    result.batch -= places.iter().filter(|place| **place < rows.batch).count();
    Ok(Value::Rows(result))
}

fn unsqueeze(node: &Node, graph: &mut Lowering) -> Result<Value, ReadError> {
    let axes = axes(node, graph)?;
    // The dimensions to come, from the first to the last: each is then at most one behind those before it.
    let ordered = |rank: usize| {
        let rank = (rank + axes.len()) as i64;
        let mut places = Vec::new();
        for axis in &axes {
            let place = if *axis < 0 { axis + rank } else { *axis };
            if !(0..rank).contains(&place) || places.contains(&(place as usize)) {
                return Err(node.malformed(format!("axes {axes:?}"), format!("some of {rank}")));
            }
            places.push(place as usize);
        }
        places.sort_unstable();
        Ok(places)
    };
    if let Some(Value::Constant(tensor)) = graph.input(node, 0)? {
        let mut tensor = tensor.clone();
        let places = ordered(tensor.dims.len())?;
        places.into_iter().for_each(|place| tensor.dims.insert(place, 1));
        return Ok(Value::Constant(tensor));
    }
    let mut rows = graph.rows(node, 0)?;
    for place in ordered(rows.rank())? {
        if place <= rows.batch {
            rows.dims.insert(place, 1);
            rows.batch += 1;
        } else {
            rows.dims.insert(place - 1, 1);
        }
    }
    Ok(Value::Rows(rows))
}

fn shape(node: &Node, graph: &mut Lowering) -> Result<Value, ReadError> {
    if node.attribute("start").is_some() || node.attribute("end").is_some() {
        return Err(node.unsupported("Shape of some dimensions"));
    }
    if let Some(Value::Constant(tensor)) = graph.input(node, 0)? {
        let lengths = tensor.dims.iter().map(|length| *length as i64).collect();
        return Ok(Value::Constant(Tensor::whole(lengths)));
    }
    let rows = graph.rows(node, 0)?;
    let mut lengths: Vec<i64> = rows.dims.iter().map(|length| *length as i64).collect();
    lengths.insert(rows.batch, -1);
    Ok(Value::Lengths(lengths))
}

fn constant_of_shape(node: &Node, graph: &mut Lowering) -> Result<Value, ReadError> {
    let value = node.tensor("value")?.unwrap_or(Tensor {
        dims: vec![1],
        element: Element::F32,
        values: Constant::F32(vec![0.0]),
    });
    let lengths = graph.whole(node, 0)?.ok_or_else(|| node.malformed("no shape", "one"))?;
    let batch = lengths.iter().position(|length| *length == -1);
    let dims: Vec<usize> = lengths
        .iter()
        .filter(|length| **length != -1)
        .map(|length| (*length).max(0) as usize)
        .collect();
    let count = product(&dims).unwrap_or(usize::MAX);
    let all = count.saturating_mul(value.values.len());
    limits::check(&node.place(), all, "values of one constant", limits::CELLS)?;
    let values = match value.values {
        Constant::F64(values) => Constant::F64(values.repeat(count)),
        Constant::F32(values) => Constant::F32(values.repeat(count)),
        Constant::I64(values) => Constant::I64(values.repeat(count)),
        Constant::Text(_) => return Err(node.unsupported("ConstantOfShape of texts")),
    };
    match batch {
        None => Ok(Value::Constant(Tensor { dims, element: value.element, values })),
        Some(batch) => {
            let slot = graph.step(Op::Onnx(Onnx::Fill(Fill { row: values })), Vec::new());
            Ok(Value::Rows(Rows { slot, element: value.element, dims, batch }))
        }
    }
}

fn constant(node: &Node) -> Result<Value, ReadError> {
    if let Some(tensor) = node.tensor("value")? {
        return Ok(Value::Constant(tensor));
    }
    let Some(attribute) = node.attribute.first() else {
        return Err(node.malformed("no value", "one"));
    };
    let (dims, element, values) = match &attribute.name[..] {
        "value_float" => (vec![], Element::F32, Constant::F32(vec![attribute.f])),
        "value_int" => (vec![], Element::I64, Constant::I64(vec![attribute.i])),
        "value_floats" => {
            (vec![attribute.floats.len()], Element::F32, Constant::F32(attribute.floats.clone()))
        }
        "value_ints" => {
            (vec![attribute.ints.len()], Element::I64, Constant::I64(attribute.ints.clone()))
        }
        "value_strings" => (
            vec![attribute.strings.len()],
            Element::Text,
            Constant::Text(node.texts("value_strings")?),
        ),
        other => return Err(node.unsupported(format!("a constant with `{other}`"))),
    };
    Ok(Value::Constant(Tensor { dims, element, values }))
}
