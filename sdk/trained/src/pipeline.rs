//! Pipelines: what a trained model reads, the steps in their order, and what it gives.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::block::{Block, ValueType};
use crate::net::Net;
use crate::ops::{Op, Shape};
use crate::refused::Refused;

/// The number of a block. The inputs come first, then one for each step.
pub type Slot = u16;

/// A trained model as plain steps.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Pipeline {
    /// What the model reads.
    pub inputs: Inputs,
    /// How many rows a request brings.
    pub rows: Rows,
    /// What is done, in this order.
    pub steps: Vec<Step>,
    /// What every prediction has.
    pub outputs: Vec<Output>,
}

/// How many rows a request brings.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Rows {
    /// One. A tensor has the elements of a row, `[width]`.
    #[default]
    One,
    /// As many as it likes, but one at least. Tensors have one more dimension, the first, which is as long in all of them: `[rows, width]`;
    /// `[rows]` where an input is a column, and where an output has one value for a row.
    Many,
}

/// What a model reads.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Inputs {
    /// One tensor with all columns of a row, in the order of training. It is slot 0.
    Matrix {
        /// The name of the tensor.
        name: String,
        /// The type of its elements.
        kind: Kind,
        /// How many columns there are.
        width: u32,
    },
    /// A tensor of one element for each column. Column `i` is slot `i`, one value wide.
    Columns(Vec<Column>),
}

/// A column that has a tensor of its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Column {
    /// The name of the tensor.
    pub name: String,
    /// The type of its element.
    pub kind: Kind,
}

/// The type of an input or an output, as the contract names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Kind {
    /// `BOOL`; as a block whole numbers, 0 and 1.
    Bool,
    /// `INT32`; as a block whole numbers.
    I32,
    /// `INT64`; as a block whole numbers.
    I64,
    /// `FP32`.
    F32,
    /// `FP64`.
    F64,
    /// `BYTES` that are UTF-8.
    Text,
}

/// One step: what is done, and to which blocks. Its result is the next slot.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Step {
    /// What is done.
    pub op: Op,
    /// To which blocks: those of inputs and of earlier steps.
    pub inputs: Vec<Slot>,
}

/// One tensor of a prediction: a row of a block.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Output {
    /// The name of the tensor.
    pub name: String,
    /// The block.
    pub slot: Slot,
    /// The type of its elements; must be able to hold those of the block: `F32` in `F64`, but not the other way round.
    pub kind: Kind,
}

/// What a run gave.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Run {
    /// The block of every slot, the inputs among them.
    pub slots: Vec<Block>,
    /// The rows that were turned away, whose values mean nothing.
    pub refused: Refused,
}

/// Why a pipeline cannot be run.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum PipelineError {
    /// Because a step names a block that is not there yet.
    #[error("step {step} reads slot {slot}, and there are {slots} before it")]
    Slot {
        /// The number of the step.
        step: usize,
        /// The slot.
        slot: Slot,
        /// How many slots there are.
        slots: usize,
    },
    /// Because a step cannot work on the blocks that it is given.
    #[error("step {step}: {why}")]
    Step {
        /// The number of the step.
        step: usize,
        /// What is wrong.
        why: String,
    },
    /// Because an output is no block of the pipeline, or of another type.
    #[error("output `{name}`: {why}")]
    Output {
        /// The name of the output.
        name: String,
        /// What is wrong.
        why: String,
    },
    /// Because the bytes are no pipeline.
    #[error("the bytes are no pipeline: {0}")]
    Bytes(postcard::Error),
}

impl Inputs {
    /// What is known of each input slot.
    pub fn shapes(&self) -> Vec<Shape> {
        match self {
            Self::Matrix { kind, width, .. } => {
                vec![Shape { values: kind.value_type(), width: *width as usize }]
            }
            Self::Columns(columns) => columns
                .iter()
                .map(|column| Shape { values: column.kind.value_type(), width: 1 })
                .collect(),
        }
    }
}

impl Kind {
    /// The name that the protocol has for it.
    pub fn protocol(self) -> &'static str {
        match self {
            Self::Bool => "BOOL",
            Self::I32 => "INT32",
            Self::I64 => "INT64",
            Self::F32 => "FP32",
            Self::F64 => "FP64",
            Self::Text => "BYTES",
        }
    }

    /// What a block of it holds.
    pub fn value_type(self) -> ValueType {
        match self {
            Self::Bool | Self::I32 | Self::I64 => ValueType::I64,
            Self::F32 => ValueType::F32,
            Self::F64 => ValueType::F64,
            Self::Text => ValueType::Text,
        }
    }
}

impl Pipeline {
    /// Checks that every step can be run and every output is there, and returns the shape of each slot.
    ///
    /// # Errors
    ///
    /// Where it is not so; names the step or the output.
    pub fn check(&self) -> Result<Vec<Shape>, PipelineError> {
        let mut shapes = self.inputs.shapes();
        for (number, step) in self.steps.iter().enumerate() {
            let mut inputs = Vec::with_capacity(step.inputs.len());
            for slot in &step.inputs {
                inputs.push(*shapes.get(usize::from(*slot)).ok_or(PipelineError::Slot {
                    step: number,
                    slot: *slot,
                    slots: shapes.len(),
                })?);
            }
            let shape = step.op.check(&inputs);
            shapes.push(shape.map_err(|why| PipelineError::Step { step: number, why })?);
        }
        for output in &self.outputs {
            let why = match shapes.get(usize::from(output.slot)) {
                None => format!("reads slot {}, and there are {}", output.slot, shapes.len()),
                Some(shape) if !fits(shape.values, output.kind) => {
                    format!("is {:?}, and the block holds {:?}", output.kind, shape.values)
                }
                Some(_) => continue,
            };
            return Err(PipelineError::Output { name: output.name.clone(), why });
        }
        Ok(shapes)
    }

    /// The shape of an input that has so many columns, -1 where it is as long as there are rows.
    pub fn input_shape(&self, width: usize) -> Vec<i32> {
        match (self.rows, &self.inputs) {
            (Rows::One, _) => vec![width as i32],
            (Rows::Many, Inputs::Columns(_)) => vec![-1],
            (Rows::Many, Inputs::Matrix { .. }) => vec![-1, width as i32],
        }
    }

    /// The shape of an output that has so many values for a row, -1 where it is as long as there are rows.
    pub fn output_shape(&self, width: usize) -> Vec<i32> {
        match (self.rows, width) {
            (Rows::One, _) => vec![width as i32],
            (Rows::Many, 1) => vec![-1],
            (Rows::Many, _) => vec![-1, width as i32],
        }
    }

    /// Runs the steps on `rows` rows of inputs. The pipeline must have been checked, and `inputs` be as [`Inputs::shapes`] says.
    ///
    /// A row's results never depend on its neighbours.
    pub fn run(&self, inputs: Vec<Block>, rows: usize) -> Run {
        let mut slots = inputs;
        let mut refused = Refused::default();
        slots.reserve(self.steps.len());
        for step in &self.steps {
            let block = {
                let inputs: Vec<&Block> =
                    step.inputs.iter().map(|slot| &slots[usize::from(*slot)]).collect();
                step.op.run(&inputs, rows, &mut refused)
            };
            slots.push(block);
        }
        Run { slots, refused }
    }

    /// The net that another engine runs, where this is one.
    pub fn net(&self) -> Option<&Net> {
        match &self.steps[..] {
            [Step { op: Op::Net(net), .. }] => Some(net),
            _ => None,
        }
    }

    /// The pipeline as bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        postcard::to_allocvec(self)
            .expect("invariant: a pipeline has no type that cannot be written")
    }

    /// Reads what [`Self::to_bytes`] wrote, and checks it.
    ///
    /// # Errors
    ///
    /// Where the bytes are no pipeline, or one that cannot be run.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, PipelineError> {
        let pipeline: Self = postcard::from_bytes(bytes).map_err(PipelineError::Bytes)?;
        pipeline.check()?;
        Ok(pipeline)
    }
}

fn fits(values: ValueType, kind: Kind) -> bool {
    match kind {
        Kind::F64 => matches!(values, ValueType::F64 | ValueType::F32),
        kind => values == kind.value_type(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::{Join, Select};

    fn pipeline() -> Pipeline {
        let column = |name: &str, kind| Column { name: name.to_owned(), kind };
        Pipeline {
            inputs: Inputs::Columns(vec![column("hour", Kind::I32), column("temp", Kind::F32)]),
            rows: Rows::One,
            steps: vec![
                Step { op: Op::Join(Join { into: ValueType::F64 }), inputs: vec![0, 1] },
                Step { op: Op::Select(Select { columns: vec![1] }), inputs: vec![2] },
            ],
            outputs: vec![Output { name: "temp".into(), slot: 3, kind: Kind::F64 }],
        }
    }

    #[test]
    fn rows_go_through_the_steps() {
        use crate::block::Values;
        let inputs = vec![
            Block { width: 1, values: Values::I64(vec![7, 8]) },
            Block::f32(1, vec![0.5, f32::INFINITY]),
        ];
        let slots = pipeline().run(inputs, 2).slots;
        assert_eq!(slots[2], Block::f64(2, vec![7.0, 0.5, 8.0, f64::INFINITY]));
        assert_eq!(slots[3], Block::f64(1, vec![0.5, f64::INFINITY]));
    }

    #[test]
    fn bytes_give_the_same_pipeline() {
        assert_eq!(Pipeline::from_bytes(&pipeline().to_bytes()), Ok(pipeline()));
    }

    #[test]
    fn what_cannot_be_run_is_refused_by_the_number_of_the_step() {
        let mut wrong = pipeline();
        wrong.steps[1].op = Op::Select(Select { columns: vec![2] });
        assert_eq!(wrong.check().unwrap_err().to_string(), "step 1: select takes column 2 of 2");
        let mut wrong = pipeline();
        wrong.steps[0].inputs = vec![0, 3];
        assert_eq!(
            wrong.check().unwrap_err().to_string(),
            "step 0 reads slot 3, and there are 2 before it"
        );
        let mut wrong = pipeline();
        wrong.outputs[0].kind = Kind::Text;
        assert_eq!(
            wrong.check().unwrap_err().to_string(),
            "output `temp`: is Text, and the block holds F64"
        );
    }
}
