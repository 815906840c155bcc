//! Products with matrices that the graph holds, and what normalises batches.

use trained::ops::onnx::{Combination, Combine, Constant, Dense, Onnx, Operand};

use super::unknown;
use crate::ReadError;
use crate::onnx::lower::{Lowering, Rows, Value};
use crate::onnx::proto::Node;
use crate::onnx::tensor::{Element, Tensor};

pub(super) fn lower(node: &Node, graph: &mut Lowering) -> Result<Vec<Value>, ReadError> {
    let value = match &node.op_type[..] {
        "MatMul" => mat_mul(node, graph)?,
        "Gemm" => gemm(node, graph)?,
        "BatchNormalization" => batch_normalization(node, graph)?,
        _ => return Err(unknown(node)),
    };
    Ok(vec![value])
}

fn mat_mul(node: &Node, graph: &mut Lowering) -> Result<Value, ReadError> {
    let rows = of_one_dimension(node, graph)?;
    let matrix = graph.constant(node, 1)?.clone();
    let (inputs, outputs, dims) = match matrix.dims[..] {
        [inputs, outputs] => (inputs, outputs, vec![outputs]),
        [inputs] => (inputs, 1, Vec::new()),
        _ => {
            return Err(
                node.unsupported(format!("MatMul with a constant of shape {:?}", matrix.dims))
            );
        }
    };
    let weights = weights(node, &matrix, &rows, inputs)?;
    let dense = Dense { outputs: outputs as u32, weights, bias: None };
    Ok(graph.add(Onnx::Dense(dense), vec![rows.slot], Element::F32, dims))
}

fn gemm(node: &Node, graph: &mut Lowering) -> Result<Value, ReadError> {
    if node.int("transA", 0) != 0 {
        return Err(node.unsupported("Gemm with transA"));
    }
    let rows = of_one_dimension(node, graph)?;
    let matrix = graph.constant(node, 1)?.clone();
    let transposed = node.int("transB", 0) != 0;
    let (inputs, outputs) = match (matrix.dims.as_slice(), transposed) {
        ([inputs, outputs], false) | ([outputs, inputs], true) => (*inputs, *outputs),
        _ => {
            return Err(
                node.malformed(format!("a constant of shape {:?}", matrix.dims), "a matrix")
            );
        }
    };
    let factor = |name| Some(node.float(name, 1.0)).filter(|factor| *factor != 1.0);
    let mut weights = weights(node, &matrix, &rows, inputs)?;
    if let Some(alpha) = factor("alpha") {
        weights.iter_mut().for_each(|weight| *weight *= alpha);
    }
    let bias = match graph.input(node, 2)? {
        None => None,
        Some(_) => Some(bias(node, graph.constant(node, 2)?, outputs, factor("beta"))?),
    };
    let dense = match transposed {
        true => Dense::transposed(outputs, &weights, bias),
        false => Dense { outputs: outputs as u32, weights, bias },
    };
    Ok(graph.add(Onnx::Dense(dense), vec![rows.slot], Element::F32, vec![outputs]))
}

fn of_one_dimension(node: &Node, graph: &mut Lowering) -> Result<Rows, ReadError> {
    let rows = graph.rows(node, 0)?;
    match (rows.dims.len(), rows.batch, rows.element) {
        (1, 0, Element::F32) => Ok(rows),
        (_, _, Element::F32) => Err(node.unsupported(format!(
            "{} of a tensor with {} dimensions",
            node.op_type,
            rows.rank()
        ))),
        (_, _, element) => Err(node.unsupported(format!("{} of {element:?}", node.op_type))),
    }
}

fn weights(
    node: &Node,
    matrix: &Tensor,
    rows: &Rows,
    inputs: usize,
) -> Result<Vec<f32>, ReadError> {
    match &matrix.values {
        Constant::F32(weights) if inputs == rows.width() && !weights.is_empty() => {
            Ok(weights.clone())
        }
        Constant::F32(_) => Err(node
            .malformed(format!("a matrix of {inputs} inputs"), format!("one of {}", rows.width()))),
        _ => {
            Err(node.unsupported(format!("{} with a matrix of {:?}", node.op_type, matrix.element)))
        }
    }
}

fn bias(
    node: &Node,
    tensor: &Tensor,
    outputs: usize,
    beta: Option<f32>,
) -> Result<Vec<f32>, ReadError> {
    let Constant::F32(values) = &tensor.values else {
        return Err(node.unsupported(format!("a bias of {:?}", tensor.element)));
    };
    let mut bias = match (tensor.dims.as_slice(), values.len()) {
        (_, 1) => vec![values[0]; outputs],
        ([_] | [1, _], count) if count == outputs => values.clone(),
        _ => return Err(node.unsupported(format!("a bias of shape {:?}", tensor.dims))),
    };
    if let Some(beta) = beta {
        bias.iter_mut().for_each(|value| *value *= beta);
    }
    Ok(bias)
}

/// As onnxruntime does it where it runs a trained net: one factor and one summand for each channel.
fn batch_normalization(node: &Node, graph: &mut Lowering) -> Result<Value, ReadError> {
    if node.int("training_mode", 0) != 0 {
        return Err(node.unsupported("BatchNormalization in training mode"));
    }
    let rows = of_one_dimension(node, graph)?;
    let width = rows.width();
    let column = |graph: &Lowering, number: usize| match &graph.constant(node, number)?.values {
        Constant::F32(values) if values.len() == width => Ok(values.clone()),
        _ => Err(node.malformed(format!("another input {number}"), format!("FLOAT[{width}]"))),
    };
    let [scale, shift, mean, variance] = [1, 2, 3, 4].map(|number| column(graph, number));
    let (scale, shift, mean, variance) = (scale?, shift?, mean?, variance?);
    let epsilon = node.float("epsilon", 1e-5);
    let factor: Vec<f32> = scale
        .iter()
        .zip(&variance)
        .map(|(scale, variance)| scale * (1.0 / (variance + epsilon).sqrt()))
        .collect();
    let summand = shift
        .iter()
        .zip(&mean)
        .zip(&factor)
        .map(|((shift, mean), factor)| shift - mean * factor)
        .collect();
    let by = |combination, values: Vec<f32>| {
        let operand = |constant| Operand { constant, spread: None };
        Onnx::Combine(Combine {
            combination,
            left: operand(None),
            right: operand(Some(Constant::F32(values))),
            width: width as u32,
        })
    };
    let Value::Rows(scaled) = graph.map(by(Combination::Mul, factor), &rows, Element::F32) else {
        unreachable!("invariant: a step gives rows");
    };
    Ok(graph.map(by(Combination::Add, summand), &scaled, Element::F32))
}
