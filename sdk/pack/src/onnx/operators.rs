//! Operators that our own runner has, and the steps that each becomes.

mod ensemble;
mod forest;
mod linear;
mod math;
mod members;
mod ml;
mod pieces;
mod reduce;
mod shapes;
mod svm;
mod trees;

use super::lower::{Lowering, Value};
use super::proto::Node;
use crate::ReadError;

/// Adds the steps of a node, and returns its results.
pub(super) fn lower(node: &Node, graph: &mut Lowering) -> Result<Vec<Value>, ReadError> {
    match (&node.domain[..], &node.op_type[..]) {
        ("ai.onnx.ml", _) => ml::lower(node, graph),
        ("" | "ai.onnx", operator) => match operator {
            "Concat" | "Gather" | "Slice" | "Split" | "Transpose" => pieces::lower(node, graph),
            "Identity" | "Dropout" | "Reshape" | "Flatten" | "Squeeze" | "Unsqueeze" | "Shape"
            | "ConstantOfShape" | "Constant" => shapes::lower(node, graph),
            "MatMul" | "Gemm" | "BatchNormalization" => linear::lower(node, graph),
            "ArgMax" | "ArgMin" | "Softmax" | "LogSoftmax" => reduce::lower(node, graph),
            reduction if reduction.starts_with("Reduce") => reduce::lower(node, graph),
            _ => math::lower(node, graph),
        },
        _ => Err(unknown(node)),
    }
}

/// That an operator is none of ours.
fn unknown(node: &Node) -> ReadError {
    node.unsupported(format!("operator {}", node.operator()))
}
