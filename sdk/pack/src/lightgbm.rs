//! Models of LightGBM: the text that `Booster.save_model` writes.
//!
//! The file says all that counts, but for one thing: which columns of a data frame the names of categories belong to. Where that is
//! in doubt, the user has to say it.

mod columns;
mod objective;
mod text;
mod tree;

use objective::Objective;
use text::Header;
use trained::ops::forest::ForestBuilder;
use trained::ops::{Link, Op};
use trained::{Kind, ValueType};

use crate::assembly::{Assembly, Results};
use crate::{Format, ReadError, ReadOptions, Trained};

/// Reads a model of LightGBM.
pub(crate) fn read(bytes: &[u8], options: &ReadOptions) -> Result<Trained, ReadError> {
    let text = std::str::from_utf8(bytes).map_err(|error| ReadError::Malformed {
        place: format!("byte {}", error.valid_up_to()),
        found: "what is no UTF-8".to_owned(),
        expected: "the text of a model".to_owned(),
    })?;
    if let Some(missing) = options.missing {
        return Err(ReadError::Option {
            option: "missing".to_owned(),
            found: missing.to_string(),
            expected: "nothing: a file of LightGBM says what is missing".to_owned(),
        });
    }
    let file = text::File::parse(text)?;
    let header = Header::read(&file)?;
    let objective = Objective::parse(header.objective)?;

    let (columns, named) = columns::of_file(&header)?;
    let mut assembly = Assembly::new(columns, named, Kind::F64, options)?;
    let matrix = columns::matrix(&mut assembly, &file, &header, options)?;

    let mut forest = ForestBuilder::new(header.columns, vec![0.0; header.outputs]);
    forest.flush_tiny();
    for (number, block) in file.trees.iter().enumerate() {
        tree::add(&mut forest, (number % header.outputs) as u32, block)?;
    }
    let forest = forest.finish(ValueType::F64).map_err(crate::error::forest)?;
    let trees = forest.tree_count();
    let raw = assembly.step(Op::Forest(Box::new(forest)), vec![matrix]);
    let mut prediction = raw;
    if header.average {
        let by = (trees / header.outputs) as f64;
        prediction = assembly.step(Op::Link(Link::Divide { by }), vec![prediction]);
    }
    if let Some(link) = objective.link {
        prediction = assembly.step(Op::Link(link), vec![prediction]);
    }
    let task = objective.task;
    let results = Results { task, prediction, raw, kind: Kind::F64, label: None };
    let (pipeline, columns) = assembly.finish(&results, options)?;
    Ok(Trained {
        pipeline,
        task,
        format: Format::LightGbm,
        library_version: Some(header.version.to_owned()),
        summary: format!("{trees} trees, {}", objective.name),
        columns,
    })
}

#[cfg(test)]
mod tests;
