//! Models of CatBoost, in its JSON.
//!
//! Trees ask for bins, which are bytes, and not for numbers: that is how CatBoost runs them too, and why every comparison is one of
//! single precision. Categories are texts all the way. What the library makes of their counts is a constant for each key of a table,
//! so it is computed here.

mod bins;
mod features;
mod loss;
mod tables;
#[cfg(test)]
mod tests;
mod trees;

use trained::ops::Op;
use trained::{Kind, Slot, ValueType};

use self::bins::BinPlan;
use self::features::Features;
use self::loss::Loss;
use crate::assembly::{Assembly, Results};
use crate::value::{Node, Value};
use crate::{Format, ReadError, ReadOptions, Task, Trained, limits};

/// Reads a model of CatBoost.
///
/// # Errors
///
/// Those of [`crate::read`].
pub(crate) fn read(value: &Value<'_>, options: &ReadOptions) -> Result<Trained, ReadError> {
    let file = Node::root(value);
    refuse_missing(options)?;
    let features = Features::read(&file.get("features_info")?)?;
    let loss = Loss::read(&file.get("model_info")?)?;
    let mut plan = BinPlan::new(&features);
    let ends = trees::ends(&file)?;
    let outputs = ends.bias.len();
    let (trees, count) = trees::read(&file, &mut plan, ends)?;
    let texts = features.texts();

    if options.matrix && !texts.is_empty() {
        return Err(ReadError::Option {
            option: "matrix".to_owned(),
            found: format!("a model with {} columns of texts", texts.len()),
            expected: "one whose columns are all numbers".to_owned(),
        });
    }
    let named = features.named() || !texts.is_empty();
    let mut assembly = Assembly::new(features.columns(), named, Kind::F64, options)?;
    features.check_kinds(assembly.columns())?;
    let mut inputs = Vec::new();
    if plan.has_numbers() {
        let slots = match assembly.is_matrix() {
            true => vec![0],
            false => features.numbers().iter().map(|column| *column as Slot).collect(),
        };
        inputs.push(assembly.join(slots, ValueType::F32));
    }
    if plan.has_texts() {
        inputs.extend(texts.iter().map(|column| *column as Slot));
    }
    let tables = file.find("ctr_data")?;
    let bins = plan.bins(&features, tables.as_ref(), assembly.is_matrix())?;
    // A split has the number of its bin in 16 bits.
    limits::check("the trees", bins.count(), "bins", usize::from(u16::MAX) + 1)?;
    let raw = assembly.step(trees.op(bins), inputs);
    let results = results(&loss, outputs, raw, &mut assembly, &file)?;
    let summary = format!("{count} {} trees, {}", trees.shape(), loss.name);
    let (pipeline, columns) = assembly.finish(&results, options)?;
    Ok(Trained {
        pipeline,
        task: loss.task,
        format: Format::CatBoost,
        library_version: version(&file)?,
        summary,
        columns,
    })
}

fn results(
    loss: &Loss,
    outputs: usize,
    raw: Slot,
    assembly: &mut Assembly,
    file: &Node<'_>,
) -> Result<Results, ReadError> {
    if loss.task == Task::Binary && outputs != 1 {
        let bias = file.get("scale_and_bias")?;
        return Err(bias.wrong(&format!("one bias for the loss {}", loss.name)));
    }
    let prediction = match loss.link.clone() {
        None => raw,
        Some(link) => assembly.step(link, vec![raw]),
    };
    let label = loss
        .label(outputs)?
        .map(|(label, kind)| (assembly.step(Op::Label(label), vec![raw]), kind));
    Ok(Results { task: loss.task, prediction, raw, kind: Kind::F64, label })
}

/// CatBoost's missing value is no number that could be named.
fn refuse_missing(options: &ReadOptions) -> Result<(), ReadError> {
    match options.missing {
        None => Ok(()),
        Some(missing) => Err(ReadError::Option {
            option: "missing".to_owned(),
            found: missing.to_string(),
            expected: "nothing: for CatBoost a missing value is NaN".to_owned(),
        }),
    }
}

fn version(file: &Node<'_>) -> Result<Option<String>, ReadError> {
    let Some(info) = file.get("model_info")?.find("catboost_version_info")? else {
        return Ok(None);
    };
    let mut words = info.text()?.split_whitespace();
    let found = words.find_map(|word| word.strip_prefix("tags/v"));
    Ok(found.map(str::to_owned))
}
