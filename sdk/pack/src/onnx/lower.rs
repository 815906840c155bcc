//! From a graph to steps. A tensor of the graph is a block whose rows are the requests, wherever the graph has that dimension.

use std::collections::HashMap;

use trained::ops::Op;
use trained::ops::onnx::{Constant, Fill, Onnx};
use trained::{Slot, Step};

use super::proto::Node;
use super::tensor::{Element, Tensor};
use crate::ReadError;

/// What a name of the graph stands for.
#[derive(Debug, Clone)]
pub(super) enum Value {
    /// A tensor that depends on the requests.
    Rows(Rows),
    /// A tensor that the graph holds.
    Constant(Tensor),
    /// The lengths of a tensor that depends on the requests; -1 for how many requests there are.
    Lengths(Vec<i64>),
}

/// A tensor with a dimension for the requests.
#[derive(Debug, Clone)]
pub(super) struct Rows {
    /// The block.
    pub(super) slot: Slot,
    /// The type of the elements.
    pub(super) element: Element,
    /// The lengths of the other dimensions.
    pub(super) dims: Vec<usize>,
    /// Which dimension that of the requests is, among all.
    pub(super) batch: usize,
}

impl Value {
    /// How many values it is.
    pub(super) fn count(&self) -> usize {
        match self {
            Self::Rows(rows) => product(&rows.dims).unwrap_or(usize::MAX),
            Self::Constant(tensor) => tensor.values.len(),
            Self::Lengths(lengths) => lengths.len(),
        }
    }
}

/// How many values there are in these dimensions; none where that is no number.
pub(super) fn product(dims: &[usize]) -> Option<usize> {
    dims.iter().try_fold(1_usize, |product, length| product.checked_mul(*length))
}

impl Rows {
    /// How many values a request has.
    pub(super) fn width(&self) -> usize {
        self.dims.iter().product()
    }

    /// How many dimensions there are, with that of the requests.
    pub(super) fn rank(&self) -> usize {
        self.dims.len() + 1
    }

    /// Whether the dimension of the requests comes before all that have a length of more than one.
    pub(super) fn is_leading(&self) -> bool {
        self.dims[..self.batch].iter().all(|length| *length == 1)
    }
}

/// A graph that is being made into steps.
#[derive(Debug)]
pub(super) struct Lowering {
    /// What each name stands for.
    values: HashMap<String, Value>,
    /// How often each name is read.
    uses: HashMap<String, usize>,
    /// The steps so far.
    pub(super) steps: Vec<Step>,
    /// How many slots the inputs have.
    inputs: usize,
    /// The version of the operators without a domain.
    pub(super) opset: i64,
    /// Whether the graph is made for one request.
    pub(super) alone: bool,
}

impl Lowering {
    pub(super) fn new(
        inputs: usize,
        opset: i64,
        alone: bool,
        uses: HashMap<String, usize>,
    ) -> Self {
        Self { values: HashMap::new(), uses, steps: Vec::new(), inputs, opset, alone }
    }

    /// Says what a name stands for.
    pub(super) fn define(&mut self, name: &str, value: Value) {
        self.values.insert(name.to_owned(), value);
    }

    /// What a name stands for.
    pub(super) fn value(&self, name: &str) -> Option<&Value> {
        self.values.get(name)
    }

    /// Adds a step of any kind, and returns its slot.
    pub(super) fn step(&mut self, op: Op, inputs: Vec<Slot>) -> Slot {
        self.steps.push(Step { op, inputs });
        (self.inputs + self.steps.len() - 1) as Slot
    }

    /// Adds a step, and returns the tensor that it gives, with the dimension of the requests first.
    pub(super) fn add(
        &mut self,
        op: Onnx,
        inputs: Vec<Slot>,
        element: Element,
        dims: Vec<usize>,
    ) -> Value {
        let slot = self.step(Op::Onnx(op), inputs);
        Value::Rows(Rows { slot, element, dims, batch: 0 })
    }

    /// Adds a step that keeps the dimensions of its input.
    pub(super) fn map(&mut self, op: Onnx, input: &Rows, element: Element) -> Value {
        let slot = self.step(Op::Onnx(op), vec![input.slot]);
        Value::Rows(Rows { slot, element, ..input.clone() })
    }

    /// The input of a node by its number; none where it is left out.
    pub(super) fn input<'a>(
        &'a self,
        node: &Node,
        number: usize,
    ) -> Result<Option<&'a Value>, ReadError> {
        match node.input.get(number).map(String::as_str) {
            None | Some("") => Ok(None),
            Some(name) => match self.values.get(name) {
                Some(value) => Ok(Some(value)),
                None => Err(node.malformed(
                    format!("`{name}`, which no node before it gives"),
                    "inputs, constants or earlier results",
                )),
            },
        }
    }

    fn required<'a>(&'a self, node: &Node, number: usize) -> Result<&'a Value, ReadError> {
        self.input(node, number)?.ok_or_else(|| node.malformed(format!("no input {number}"), "one"))
    }

    /// An input that depends on the requests; a constant is made a block.
    pub(super) fn rows(&mut self, node: &Node, number: usize) -> Result<Rows, ReadError> {
        match self.required(node, number)?.clone() {
            Value::Rows(rows) => Ok(rows),
            Value::Constant(tensor) if tensor.dims.first() == Some(&1) => {
                let dims = tensor.dims[1..].to_vec();
                let slot = self.step(Op::Onnx(Onnx::Fill(Fill { row: tensor.values })), Vec::new());
                Ok(Rows { slot, element: tensor.element, dims, batch: 0 })
            }
            _ => {
                Err(node
                    .unsupported(format!("a constant as input {number} of {}", node.operator())))
            }
        }
    }

    /// An input that depends on the requests, as values of single precision in one dimension.
    pub(super) fn table(&mut self, node: &Node, number: usize) -> Result<Rows, ReadError> {
        let rows = self.rows(node, number)?;
        match rows.dims.len() {
            0 | 1 if rows.batch == 0 => Ok(Rows { dims: vec![rows.width()], ..rows }),
            _ => Err(node.unsupported(format!(
                "{} of a tensor with {} dimensions",
                node.operator(),
                rows.rank()
            ))),
        }
    }

    /// An input that the graph holds.
    pub(super) fn constant(&self, node: &Node, number: usize) -> Result<&Tensor, ReadError> {
        match self.required(node, number)? {
            Value::Constant(tensor) => Ok(tensor),
            _ => Err(node.unsupported(format!("a computed input {number} of {}", node.operator()))),
        }
    }

    /// Whole numbers that the graph holds, or that it takes from the lengths of a tensor; none where the input is left out.
    pub(super) fn whole(&self, node: &Node, number: usize) -> Result<Option<Vec<i64>>, ReadError> {
        match self.input(node, number)? {
            None => Ok(None),
            Some(Value::Lengths(lengths)) => Ok(Some(lengths.clone())),
            Some(Value::Constant(Tensor { values: Constant::I64(values), .. })) => {
                Ok(Some(values.clone()))
            }
            Some(_) => {
                Err(node.unsupported(format!("a computed input {number} of {}", node.operator())))
            }
        }
    }

    /// Whether a result is read once, and has no other name.
    pub(super) fn reads_alone(&self, name: &str, slot: Slot) -> bool {
        let same = |value: &&Value| matches!(value, Value::Rows(rows) if rows.slot == slot);
        self.uses.get(name) == Some(&1) && self.values.values().filter(same).count() == 1
    }

    /// The last step that gave this slot, to be made to do more.
    pub(super) fn step_of(&mut self, slot: Slot) -> Option<&mut Step> {
        usize::from(slot).checked_sub(self.inputs).and_then(|number| self.steps.get_mut(number))
    }

    /// The axis of an attribute among the other dimensions of a row.
    pub(super) fn axis(&self, node: &Node, rows: &Rows, axis: i64) -> Result<usize, ReadError> {
        let rank = rows.rank() as i64;
        let at = if axis < 0 { axis + rank } else { axis };
        if !(0..rank).contains(&at) {
            return Err(node.malformed(format!("axis {axis} of {rank} dimensions"), "one of them"));
        }
        match (at as usize).cmp(&rows.batch) {
            std::cmp::Ordering::Less => Ok(at as usize),
            std::cmp::Ordering::Greater => Ok(at as usize - 1),
            std::cmp::Ordering::Equal => {
                Err(node.unsupported(format!("{} across requests", node.operator())))
            }
        }
    }
}
