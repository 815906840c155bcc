//! Functions of one value, and of two.

use trained::ops::onnx::{Cast, Choose, Combination, Combine, Constant, Function, Onnx, Operand};
use trained::{Slot, Step, ops::Op};

use super::unknown;
use crate::onnx::lower::{Lowering, Rows, Value, product};
use crate::onnx::proto::Node;
use crate::onnx::tensor::{Element, Tensor};
use crate::{ReadError, limits};

pub(super) fn lower(node: &Node, graph: &mut Lowering) -> Result<Vec<Value>, ReadError> {
    let value = match &node.op_type[..] {
        "Cast" => cast(node, graph)?,
        "Clip" => clip(node, graph)?,
        "Where" => choose(node, graph)?,
        "Sum" => chain(node, graph, Combination::Add)?,
        "Max" => chain(node, graph, Combination::Max)?,
        "Min" => chain(node, graph, Combination::Min)?,
        "PRelu" => prelu(node, graph)?,
        operator => match (combination(operator), function(node, operator)) {
            (Some(combination), _) => combine(node, graph, combination)?,
            (None, Some(function)) => {
                let rows = graph.rows(node, 0)?;
                let element =
                    if function == Function::IsNan { Element::Bool } else { rows.element };
                graph.map(Onnx::Function(function), &rows, element)
            }
            (None, None) => return Err(unknown(node)),
        },
    };
    Ok(vec![value])
}

fn function(node: &Node, operator: &str) -> Option<Function> {
    let alpha = |default| node.float("alpha", default);
    Some(match operator {
        "Abs" => Function::Abs,
        "Ceil" => Function::Ceil,
        "Elu" => Function::Elu { alpha: alpha(1.0) },
        "Erf" => Function::Erf,
        "Exp" => Function::Exp,
        "Floor" => Function::Floor,
        "Gelu" if node.attribute("approximate").is_none_or(|it| it.s == b"none") => Function::Gelu,
        "HardSigmoid" => Function::HardSigmoid { alpha: alpha(0.2), beta: node.float("beta", 0.5) },
        "HardSwish" => Function::HardSwish,
        "IsNaN" => Function::IsNan,
        "LeakyRelu" => Function::LeakyRelu { alpha: alpha(0.01) },
        "Log" => Function::Log,
        "Neg" => Function::Neg,
        "Not" => Function::Not,
        "Reciprocal" => Function::Reciprocal,
        "Relu" => Function::Relu,
        "Round" => Function::Round,
        "Selu" => {
            Function::Selu { alpha: alpha(1.673_263_2), gamma: node.float("gamma", 1.050_701) }
        }
        "Sigmoid" => Function::Sigmoid,
        "Sign" => Function::Sign,
        "Softplus" => Function::Softplus,
        "Softsign" => Function::Softsign,
        "Sqrt" => Function::Sqrt,
        "Tanh" => Function::Tanh,
        "ThresholdedRelu" => Function::ThresholdedRelu { alpha: alpha(1.0) },
        _ => return None,
    })
}

fn combination(operator: &str) -> Option<Combination> {
    Some(match operator {
        "Add" => Combination::Add,
        "Sub" => Combination::Sub,
        "Mul" => Combination::Mul,
        "Div" => Combination::Div,
        "Pow" => Combination::Pow,
        "Equal" => Combination::Equal,
        "Less" => Combination::Less,
        "LessOrEqual" => Combination::LessOrEqual,
        "Greater" => Combination::Greater,
        "GreaterOrEqual" => Combination::GreaterOrEqual,
        "And" => Combination::And,
        "Or" => Combination::Or,
        "Xor" => Combination::Xor,
        _ => return None,
    })
}

fn cast(node: &Node, graph: &mut Lowering) -> Result<Value, ReadError> {
    let element = Element::of(node.int("to", 0) as i32, &node.place())?;
    if let Some(Value::Constant(tensor)) = graph.input(node, 0)? {
        return cast_constant(node, tensor, element);
    }
    let rows = graph.rows(node, 0)?;
    if rows.element == element {
        return Ok(Value::Rows(rows));
    }
    let op = match element {
        Element::F32 => Cast::F32,
        Element::F64 => Cast::F64,
        Element::I64 => Cast::I64,
        Element::I32 => Cast::I32,
        Element::Bool => Cast::Bool,
        Element::Text if matches!(rows.element, Element::I64 | Element::I32) => Cast::Text,
        _ => return Err(node.unsupported(format!("a cast of {:?} to {element:?}", rows.element))),
    };
    if rows.element == Element::Text {
        return Err(node.unsupported(format!("a cast of texts to {element:?}")));
    }
    Ok(graph.map(Onnx::Cast(op), &rows, element))
}

fn cast_constant(node: &Node, tensor: &Tensor, element: Element) -> Result<Value, ReadError> {
    let values = match (&tensor.values, element) {
        (values, element) if element == tensor.element => values.clone(),
        (Constant::I64(them), Element::F32) => {
            Constant::F32(them.iter().map(|it| *it as f32).collect())
        }
        (Constant::I64(them), Element::F64) => {
            Constant::F64(them.iter().map(|it| *it as f64).collect())
        }
        (Constant::I64(them), Element::I64) => Constant::I64(them.clone()),
        (Constant::F32(them), Element::F64) => {
            Constant::F64(them.iter().map(|it| f64::from(*it)).collect())
        }
        (Constant::F64(them), Element::F32) => {
            Constant::F32(them.iter().map(|it| *it as f32).collect())
        }
        _ => {
            return Err(node.unsupported(format!(
                "a cast of a constant of {:?} to {element:?}",
                tensor.element
            )));
        }
    };
    Ok(Value::Constant(Tensor { dims: tensor.dims.clone(), element, values }))
}

fn clip(node: &Node, graph: &mut Lowering) -> Result<Value, ReadError> {
    let bound = |graph: &Lowering, number: usize, name: &str, default: f64| match graph
        .input(node, number)?
    {
        Some(_) => match &graph.constant(node, number)?.values {
            Constant::F32(values) if values.len() == 1 => Ok(f64::from(values[0])),
            Constant::F64(values) if values.len() == 1 => Ok(values[0]),
            Constant::I64(values) if values.len() == 1 => Ok(values[0] as f64),
            _ => Err(node.malformed("a bound that is no single number", "one")),
        },
        None => Ok(node.attribute(name).map_or(default, |attribute| f64::from(attribute.f))),
    };
    let least = bound(graph, 1, "min", f64::NEG_INFINITY)?;
    let greatest = bound(graph, 2, "max", f64::INFINITY)?;
    let rows = graph.rows(node, 0)?;
    if !matches!(rows.element, Element::F32 | Element::F64) {
        return Err(node.unsupported(format!("Clip of {:?}", rows.element)));
    }
    let element = rows.element;
    Ok(graph.map(Onnx::Function(Function::Within { least, greatest }), &rows, element))
}

/// `x` where it is not negative, else `x * slope`: both are finite or infinite at once, so that a choice is exact.
fn prelu(node: &Node, graph: &mut Lowering) -> Result<Value, ReadError> {
    let rows = graph.rows(node, 0)?;
    let slope = Value::Constant(graph.constant(node, 1)?.clone());
    let of = Value::Rows(rows);
    let steep = pair(node, graph, Combination::Mul, of.clone(), slope)?;
    let zero = Value::Constant(Tensor {
        dims: Vec::new(),
        element: Element::F32,
        values: Constant::F32(vec![0.0]),
    });
    let below = pair(node, graph, Combination::Less, of.clone(), zero)?;
    three(node, graph, [below, steep, of])
}

fn chain(node: &Node, graph: &mut Lowering, combination: Combination) -> Result<Value, ReadError> {
    let mut values = Vec::new();
    for number in 0..node.input.len() {
        values.extend(graph.input(node, number)?.cloned());
    }
    let first =
        values.first().cloned().ok_or_else(|| node.malformed("no inputs", "one or more"))?;
    values
        .into_iter()
        .skip(1)
        .try_fold(first, |so_far, value| pair(node, graph, combination, so_far, value))
}

fn combine(
    node: &Node,
    graph: &mut Lowering,
    combination: Combination,
) -> Result<Value, ReadError> {
    let of = |number: usize| graph.input(node, number).map(|value| value.cloned());
    let (Some(left), Some(right)) = (of(0)?, of(1)?) else {
        return Err(node.malformed("fewer than two inputs", "two"));
    };
    match fused(graph, node, combination, &left, &right) {
        Some(value) => Ok(value),
        None => pair(node, graph, combination, left, right),
    }
}

/// A product that only this node reads takes what is added to it for its bias, which it adds last as well.
fn fused(
    graph: &mut Lowering,
    node: &Node,
    combination: Combination,
    left: &Value,
    right: &Value,
) -> Option<Value> {
    let (name, Value::Rows(rows), Value::Constant(bias)) = (match (left, right) {
        (Value::Rows(_), _) => (node.input.first()?, left, right),
        _ => (node.input.get(1)?, right, left),
    }) else {
        return None;
    };
    let Constant::F32(values) = &bias.values else { return None };
    let one_for_each = bias.dims.last() == Some(&values.len()) && values.len() == rows.width();
    if combination != Combination::Add
        || !one_for_each
        || bias.dims.len() > rows.rank()
        || !graph.reads_alone(name, rows.slot)
    {
        return None;
    }
    let values = values.clone();
    match graph.step_of(rows.slot) {
        Some(Step { op: Op::Onnx(Onnx::Dense(dense)), .. }) if dense.bias.is_none() => {
            dense.bias = Some(values);
            Some(Value::Rows(rows.clone()))
        }
        _ => None,
    }
}

fn pair(
    node: &Node,
    graph: &mut Lowering,
    combination: Combination,
    left: Value,
    right: Value,
) -> Result<Value, ReadError> {
    let (left, right) = alike(node, combination, left, right)?;
    let spread = Spread::of(node, &[&left, &right])?;
    let element = match combination {
        Combination::Add | Combination::Sub | Combination::Mul | Combination::Div => left.element(),
        Combination::Pow | Combination::Max | Combination::Min => left.element(),
        _ => Element::Bool,
    };
    let [left, right] = [&left, &right].map(|value| spread.operand(value));
    let slots = [left.1, right.1].into_iter().flatten().collect();
    let op = Combine { combination, left: left.0, right: right.0, width: spread.width() };
    Ok(spread.add(graph, Onnx::Combine(op), slots, element))
}

fn choose(node: &Node, graph: &mut Lowering) -> Result<Value, ReadError> {
    let of = |number: usize| {
        let value = graph.input(node, number)?.cloned();
        value.ok_or_else(|| node.malformed(format!("no input {number}"), "three"))
    };
    let three_values = [of(0)?, of(1)?, of(2)?];
    three(node, graph, three_values)
}

fn three(
    node: &Node,
    graph: &mut Lowering,
    [condition, left, right]: [Value; 3],
) -> Result<Value, ReadError> {
    let of = |value| Source::of(node, value);
    let sources = [of(condition)?, of(left)?, of(right)?];
    let spread = Spread::of(node, &[&sources[0], &sources[1], &sources[2]])?;
    let [condition, left, right] = [0, 1, 2].map(|at| spread.operand(&sources[at]));
    let slots = [condition.1, left.1, right.1].into_iter().flatten().collect();
    let op = Choose { condition: condition.0, left: left.0, right: right.0, width: spread.width() };
    Ok(spread.add(graph, Onnx::Choose(op), slots, sources[1].element()))
}

/// An operand: one that depends on the requests, or a constant.
enum Source {
    Rows(Rows),
    Constant(Tensor),
}

impl Source {
    fn of(node: &Node, value: Value) -> Result<Self, ReadError> {
        match value {
            Value::Rows(rows) => Ok(Self::Rows(rows)),
            Value::Constant(tensor) => Ok(Self::Constant(tensor)),
            Value::Lengths(_) => Err(node.unsupported("the lengths of a tensor as an operand")),
        }
    }

    fn element(&self) -> Element {
        match self {
            Self::Rows(rows) => rows.element,
            Self::Constant(tensor) => tensor.element,
        }
    }
}

/// Both operands, of one type. Only the exponent of a power may be of another, and is made the same.
fn alike(
    node: &Node,
    combination: Combination,
    left: Value,
    right: Value,
) -> Result<(Source, Source), ReadError> {
    let left = Source::of(node, left)?;
    let mut right = Source::of(node, right)?;
    if combination == Combination::Pow
        && let Source::Constant(tensor) = &right
        && tensor.element != left.element()
        && let Value::Constant(tensor) = cast_constant(node, tensor, left.element())?
    {
        right = Source::Constant(tensor);
    }
    if left.element() != right.element() {
        return Err(node.unsupported(format!(
            "{} of {:?} and {:?}",
            node.operator(),
            left.element(),
            right.element()
        )));
    }
    if matches!(left.element(), Element::U8 | Element::I8 | Element::F16 | Element::I32)
        && !matches!(combination, Combination::Equal)
    {
        return Err(node.unsupported(format!("{} of {:?}", node.operator(), left.element())));
    }
    Ok((left, right))
}

/// How operands of several shapes meet: as NumPy broadcasts them, with one dimension for the requests.
struct Spread {
    /// The lengths of the result, with one for the requests.
    lengths: Vec<usize>,
    /// Which of them is that of the requests.
    batch: usize,
}

impl Spread {
    fn of(node: &Node, sources: &[&Source]) -> Result<Self, ReadError> {
        let shapes: Vec<(Vec<usize>, Option<usize>)> = sources
            .iter()
            .map(|source| match source {
                Source::Constant(tensor) => (tensor.dims.clone(), None),
                Source::Rows(rows) => {
                    let mut dims = rows.dims.clone();
                    dims.insert(rows.batch, 1);
                    (dims, Some(rows.batch))
                }
            })
            .collect();
        let rank = shapes.iter().map(|(dims, _)| dims.len()).max().unwrap_or(0);
        let mut batches =
            shapes.iter().filter_map(|(dims, batch)| batch.map(|batch| rank - dims.len() + batch));
        let refused = |what: &str| node.unsupported(format!("{} of {what}", node.operator()));
        let batch = batches.next().ok_or_else(|| refused("constants"))?;
        if batches.any(|other| other != batch) {
            return Err(refused("tensors whose requests lie in different dimensions"));
        }
        let mut lengths = vec![1; rank];
        for (dims, _) in &shapes {
            for (at, length) in
                dims.iter().enumerate().map(|(at, length)| (rank - dims.len() + at, *length))
            {
                if length != 1 && (at == batch || (lengths[at] != 1 && lengths[at] != length)) {
                    return Err(refused(&format!(
                        "shapes that do not fit: {:?}",
                        shapes.iter().map(|it| &it.0).collect::<Vec<_>>()
                    )));
                }
                lengths[at] = lengths[at].max(length);
                if length == 0 {
                    return Err(refused("an empty tensor"));
                }
            }
        }
        let count = product(&lengths).unwrap_or(usize::MAX);
        limits::check(&node.place(), count, "values of one tensor", limits::CELLS)?;
        Ok(Self { lengths, batch })
    }

    fn width(&self) -> u32 {
        self.lengths.iter().product::<usize>() as u32
    }

    /// The operand, and its block where it has one.
    fn operand(&self, source: &Source) -> (Operand, Option<Slot>) {
        let (dims, constant, slot) = match source {
            Source::Constant(tensor) => (tensor.dims.clone(), Some(tensor.values.clone()), None),
            Source::Rows(rows) => {
                let mut dims = rows.dims.clone();
                dims.insert(rows.batch, 1);
                (dims, None, Some(rows.slot))
            }
        };
        let places = self.places(&dims);
        let same = places.len() == dims.iter().product::<usize>()
            && places.iter().zip(0..).all(|(place, at)| *place == at);
        (Operand { constant, spread: (!same).then_some(places) }, slot)
    }

    /// For each element of the result that of an operand of these dimensions.
    fn places(&self, dims: &[usize]) -> Vec<u32> {
        let mut strides = vec![0; self.lengths.len()];
        let mut stride = 1;
        for (at, length) in dims.iter().enumerate().rev() {
            if *length != 1 {
                strides[self.lengths.len() - dims.len() + at] = stride;
            }
            stride *= length;
        }
        let mut places = vec![0_usize];
        for (length, stride) in self.lengths.iter().zip(&strides) {
            places = places
                .iter()
                .flat_map(|place| (0..*length).map(move |at| place + at * stride))
                .collect();
        }
        places.into_iter().map(|place| place as u32).collect()
    }

    fn add(&self, graph: &mut Lowering, op: Onnx, slots: Vec<Slot>, element: Element) -> Value {
        let slot = graph.step(Op::Onnx(op), slots);
        let mut dims = self.lengths.clone();
        dims.remove(self.batch);
        Value::Rows(Rows { slot, element, dims, batch: self.batch })
    }
}
