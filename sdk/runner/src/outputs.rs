//! From blocks to predictions.

use std::ops::Range;

use trained::ops::Shape;
use trained::{Block, Kind, Output, Pipeline, Rows, Values};
use understudy_model::{Description, Prediction, Tensor};

/// Adds the outputs to a description.
pub(crate) fn describe(
    pipeline: &Pipeline,
    shapes: &[Shape],
    description: Description,
) -> Description {
    pipeline.outputs.iter().fold(description, |description, output| {
        let name = &output.name;
        let shape = pipeline.output_shape(shapes[usize::from(output.slot)].width);
        match output.kind {
            Kind::Bool => description.output::<bool>(name, shape),
            Kind::I32 => description.output::<i32>(name, shape),
            Kind::I64 => description.output::<i64>(name, shape),
            Kind::F32 => description.output::<f32>(name, shape),
            Kind::F64 => description.output::<f64>(name, shape),
            Kind::Text => description.output::<String>(name, shape),
        }
    })
}

/// What the rows of a request give.
pub(crate) fn prediction(pipeline: &Pipeline, slots: &[Block], rows: Range<usize>) -> Prediction {
    let output = |output: &Output| {
        let block = &slots[usize::from(output.slot)];
        let shape = match (pipeline.rows, block.width) {
            (Rows::One, width) => vec![width as u32],
            (Rows::Many, 1) => vec![rows.len() as u32],
            (Rows::Many, width) => vec![rows.len() as u32, width as u32],
        };
        tensor(output, shape, block, rows.start * block.width..rows.end * block.width)
    };
    Prediction { outputs: pipeline.outputs.iter().map(output).collect(), notes: Vec::new() }
}

fn tensor(output: &Output, shape: Vec<u32>, block: &Block, values: Range<usize>) -> Tensor {
    let name = output.name.as_str();
    match (&block.values, output.kind) {
        (Values::F64(them), Kind::F64) => Tensor::new(name, shape, them[values].to_vec()),
        (Values::F32(them), Kind::F32) => Tensor::new(name, shape, them[values].to_vec()),
        (Values::F32(them), Kind::F64) => Tensor::new(
            name,
            shape,
            them[values].iter().map(|it| f64::from(*it)).collect::<Vec<f64>>(),
        ),
        (Values::I64(them), Kind::I64) => Tensor::new(name, shape, them[values].to_vec()),
        (Values::I64(them), Kind::I32) => {
            Tensor::new(name, shape, them[values].iter().map(|it| *it as i32).collect::<Vec<i32>>())
        }
        (Values::I64(them), Kind::Bool) => {
            Tensor::new(name, shape, them[values].iter().map(|it| *it != 0).collect::<Vec<bool>>())
        }
        (Values::Text(them), Kind::Text) => Tensor::new(name, shape, them[values].to_vec()),
        _ => unreachable!("checked: an output holds what its block does"),
    }
}
