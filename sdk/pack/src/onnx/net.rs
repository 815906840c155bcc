//! Nets that our own runner has not all operators of: they are handed to tract as they are.

use trained::net::{Net, NetTensor, NetType};
use trained::ops::Op;
use trained::{Inputs, Kind, Pipeline, Rows, Step};

use super::graph::{Declared, Graph};
use super::outputs::Wanted;
use super::proto::{self, Node};
use super::tensor::Element;
use crate::{Domain, Format, ReadError, ReadOptions, Trained, TrainedColumn};

/// The operators that tract 0.23.9 has, but for those that draw random numbers, which the sandbox has none of.
const OPERATORS: [&str; 153] = [
    "Abs",
    "Acos",
    "Acosh",
    "Add",
    "And",
    "ArgMax",
    "ArgMin",
    "Asin",
    "Asinh",
    "Atan",
    "Atanh",
    "Attention",
    "AveragePool",
    "BatchNormalization",
    "BitShift",
    "BitwiseAnd",
    "BitwiseNot",
    "BitwiseOr",
    "BitwiseXor",
    "BlackmanWindow",
    "Cast",
    "CastLike",
    "Ceil",
    "Celu",
    "Clip",
    "Compress",
    "Concat",
    "Constant",
    "ConstantOfShape",
    "Conv",
    "ConvInteger",
    "ConvTranspose",
    "Cos",
    "Cosh",
    "CumSum",
    "DFT",
    "DepthToSpace",
    "DequantizeLinear",
    "Div",
    "Dropout",
    "DynamicQuantizeLinear",
    "Einsum",
    "Elu",
    "Equal",
    "Erf",
    "Exp",
    "Expand",
    "EyeLike",
    "Flatten",
    "Floor",
    "GRU",
    "Gather",
    "GatherElements",
    "GatherND",
    "Gelu",
    "Gemm",
    "GlobalAveragePool",
    "GlobalLpPool",
    "GlobalMaxPool",
    "Greater",
    "GreaterOrEqual",
    "GridSample",
    "GroupNormalization",
    "HammingWindow",
    "HannWindow",
    "HardSigmoid",
    "HardSwish",
    "Hardmax",
    "Identity",
    "If",
    "InstanceNormalization",
    "IsInf",
    "IsNaN",
    "LRN",
    "LSTM",
    "LayerNormalization",
    "LeakyRelu",
    "Less",
    "LessOrEqual",
    "Log",
    "LogSoftmax",
    "LpNormalization",
    "MatMul",
    "MatMulInteger",
    "Max",
    "MaxPool",
    "Mean",
    "MeanVarianceNormalization",
    "MelWeightMatrix",
    "Min",
    "Mish",
    "Mod",
    "Mul",
    "Neg",
    "NonMaxSuppression",
    "NonZero",
    "Not",
    "OneHot",
    "Or",
    "PRelu",
    "Pad",
    "Pow",
    "QLinearConv",
    "QLinearMatMul",
    "QuantizeLinear",
    "RMSNormalization",
    "RNN",
    "Range",
    "Reciprocal",
    "ReduceL1",
    "ReduceL2",
    "ReduceLogSum",
    "ReduceLogSumExp",
    "ReduceMax",
    "ReduceMean",
    "ReduceMin",
    "ReduceProd",
    "ReduceSum",
    "ReduceSumSquare",
    "Relu",
    "Reshape",
    "Resize",
    "RotaryEmbedding",
    "Round",
    "STFT",
    "Scan",
    "Scatter",
    "ScatterElements",
    "ScatterND",
    "Selu",
    "Shape",
    "Shrink",
    "Sigmoid",
    "Sign",
    "Sin",
    "Sinh",
    "Size",
    "Slice",
    "Softmax",
    "Softplus",
    "Softsign",
    "SpaceToDepth",
    "Split",
    "Sqrt",
    "Squeeze",
    "Sub",
    "Sum",
    "Swish",
    "Tan",
    "Tanh",
    "ThresholdedRelu",
    "Tile",
    "TopK",
];

/// Further operators of tract.
const MORE: [&str; 5] = ["Transpose", "Trilu", "Unsqueeze", "Where", "Xor"];

/// Reads a net, which our own runner has refused `because` of an operator.
pub(super) fn read(
    bytes: &[u8],
    graph: &Graph,
    wanted: &Wanted<'_>,
    options: &ReadOptions,
    because: ReadError,
) -> Result<Trained, ReadError> {
    check_operators(&graph.nodes)?;
    check_options(options, &because)?;
    let alone = graph.inputs.iter().all(Declared::has_rows);
    let inputs =
        graph.inputs.iter().enumerate().map(|(place, input)| tensor(input, place, alone, "input"));
    let inputs = inputs.collect::<Result<Vec<_>, _>>()?;
    if inputs.is_empty() {
        return Err(ReadError::Unsupported {
            place: "the graph".to_owned(),
            what: "a graph without inputs".to_owned(),
            hint: None,
        });
    }
    let mut outputs = Vec::new();
    for name in wanted.names() {
        let place = graph.outputs.iter().position(|output| output.name == name);
        let place = place.ok_or_else(|| ReadError::Unsupported {
            place: format!("output `{name}`"),
            what: "an output that is no tensor".to_owned(),
            hint: None,
        })?;
        let output = &graph.outputs[place];
        outputs.push(tensor(output, place, alone && output.has_rows(), "output")?);
    }
    // Whatever has two probabilities gives both of them here.
    let width = |tensor: &NetTensor| {
        tensor.shape.iter().map(|length| usize::try_from(*length).unwrap_or(3)).product::<usize>()
    };
    let widths: Vec<usize> =
        outputs.iter().map(width).map(|width| if width == 2 { 3 } else { width }).collect();
    let (task, names) = wanted.called(&widths);
    outputs.iter_mut().zip(names).for_each(|(output, name)| output.name = name);
    let columns = inputs.iter().filter_map(column).collect();
    let net = Net { inputs, outputs, onnx: bytes.to_vec() };
    let step = Step { op: Op::Net(Box::new(net)), inputs: Vec::new() };
    let summary = format!("a net of {} operators, run by tract", graph.nodes.len());
    Ok(Trained {
        pipeline: Pipeline {
            inputs: Inputs::Columns(Vec::new()),
            rows: Rows::One,
            steps: vec![step],
            outputs: Vec::new(),
        },
        task,
        format: Format::Onnx,
        library_version: graph.producer.clone(),
        summary,
        columns,
    })
}

/// Refuses the first operator that tract has not, in graphs within nodes as well.
fn check_operators(nodes: &[Node]) -> Result<(), ReadError> {
    for node in nodes {
        let name = node.op_type.as_str();
        let known = OPERATORS.binary_search(&name).is_ok() || MORE.contains(&name);
        if !matches!(&node.domain[..], "" | "ai.onnx") || !known {
            return Err(node.unsupported(format!("operator {}", node.operator())));
        }
        let within = node.attribute.iter().filter_map(|attribute| attribute.g.as_ref());
        within.map(|graph: &proto::Graph| graph.node.as_slice()).try_for_each(check_operators)?;
    }
    Ok(())
}

/// Columns are a matter of our own runner.
fn check_options(options: &ReadOptions, because: &ReadError) -> Result<(), ReadError> {
    let option = match options {
        ReadOptions { columns: Some(_), .. } => "columns",
        ReadOptions { matrix: true, .. } => "matrix",
        _ => return Ok(()),
    };
    Err(ReadError::Option {
        option: option.to_owned(),
        found: format!("it with a net that has tensors of its own ({because})"),
        expected: "no such thing".to_owned(),
    })
}

impl Declared {
    /// Whether the first dimension can be that of the requests.
    fn has_rows(&self) -> bool {
        self.lengths.as_ref().is_some_and(|lengths| matches!(lengths.first(), Some(None | Some(1))))
    }
}

/// A tensor without the dimension of the requests, where it has one.
fn tensor(
    declared: &Declared,
    place: usize,
    rows: bool,
    what: &str,
) -> Result<NetTensor, ReadError> {
    let refused = |why: String, hint: Option<&str>| ReadError::Unsupported {
        place: format!("{what} `{}`", declared.name),
        what: why,
        hint: hint.map(str::to_owned),
    };
    let kind = match declared.element {
        Some(Element::F32) => NetType::F32,
        Some(Element::F64) => NetType::F64,
        Some(Element::F16) => NetType::F16,
        Some(Element::I64) => NetType::I64,
        Some(Element::I32) => NetType::I32,
        Some(Element::I8) => NetType::I8,
        Some(Element::U8) => NetType::U8,
        Some(Element::Bool) => NetType::Bool,
        Some(Element::Text) => return Err(refused("a tensor of texts in a net".to_owned(), None)),
        None => return Err(refused("what is no tensor".to_owned(), None)),
    };
    let lengths = declared.lengths.as_ref().ok_or_else(|| {
        refused(
            "a tensor without a shape".to_owned(),
            Some("run onnx.shape_inference.infer_shapes over the model"),
        )
    })?;
    let length =
        |length: &Option<usize>| length.map_or(-1, |length| i32::try_from(length).unwrap_or(-1));
    let all: Vec<i32> = lengths.iter().map(length).collect();
    let (leading, shape) = if rows { (vec![1], all[1..].to_vec()) } else { (Vec::new(), all) };
    Ok(NetTensor { name: declared.name.clone(), place: place as u32, kind, leading, shape })
}

fn column(tensor: &NetTensor) -> Option<TrainedColumn> {
    let kind = match tensor.kind {
        NetType::Bool => Kind::Bool,
        NetType::I32 => Kind::I32,
        NetType::I64 => Kind::I64,
        NetType::F32 => Kind::F32,
        NetType::F64 => Kind::F64,
        NetType::U8 | NetType::I8 | NetType::F16 => return None,
    };
    Some(TrainedColumn { name: tensor.name.clone(), kind, domain: Domain::default() })
}

#[cfg(test)]
mod tests {
    use super::OPERATORS;

    #[test]
    fn operators_are_in_order() {
        assert!(OPERATORS.is_sorted());
    }
}
