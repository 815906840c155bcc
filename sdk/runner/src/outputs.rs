//! From blocks to predictions.

use trained::ops::Shape;
use trained::{Block, Kind, Output, Values};
use understudy_model::{Description, Element, Prediction};

/// Adds the outputs to a description.
pub(crate) fn describe(
    outputs: &[Output],
    shapes: &[Shape],
    description: Description,
) -> Description {
    outputs.iter().fold(description, |description, output| {
        let (name, shape) = (&output.name, [shapes[usize::from(output.slot)].width as i32]);
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

/// What a row gives.
pub(crate) fn prediction(outputs: &[Output], slots: &[Block], row: usize) -> Prediction {
    outputs.iter().fold(Prediction::new(), |prediction, output| {
        let block = &slots[usize::from(output.slot)];
        add(prediction, output, block, row)
    })
}

fn add(prediction: Prediction, output: &Output, block: &Block, row: usize) -> Prediction {
    let row = row * block.width..(row + 1) * block.width;
    match (&block.values, output.kind) {
        (Values::F64(them), Kind::F64) => with(prediction, output, them[row].to_vec()),
        (Values::F32(them), Kind::F32) => with(prediction, output, them[row].to_vec()),
        (Values::F32(them), Kind::F64) => {
            with::<f64>(prediction, output, them[row].iter().map(|it| f64::from(*it)).collect())
        }
        (Values::I64(them), Kind::I64) => with(prediction, output, them[row].to_vec()),
        (Values::I64(them), Kind::I32) => {
            with::<i32>(prediction, output, them[row].iter().map(|it| *it as i32).collect())
        }
        (Values::I64(them), Kind::Bool) => {
            with::<bool>(prediction, output, them[row].iter().map(|it| *it != 0).collect())
        }
        (Values::Text(them), Kind::Text) => with(prediction, output, them[row].to_vec()),
        _ => unreachable!("checked: an output holds what its block does"),
    }
}

fn with<T: Element>(prediction: Prediction, output: &Output, values: Vec<T>) -> Prediction {
    prediction.output(&output.name, [values.len() as u32], values)
}
