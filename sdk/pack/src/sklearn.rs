//! Models of scikit-learn, as the Python package of `sdk/sklearn` writes them. `sdk/sklearn/FORMAT.md` describes the format.
//!
//! The package knows scikit-learn; here are only steps over columns, and each becomes one of `trained`.

mod blocks;
mod results;
mod steps;
mod trees;

use std::collections::BTreeMap;

use blocks::Blocks;
use trained::Kind;

use crate::assembly::Assembly;
use crate::value::{Node, Value};
use crate::{Domain, Format, ReadError, ReadOptions, Trained, TrainedColumn};

/// The format, as its key `format` names it.
const FORMAT: &str = "understudy-sklearn";
/// The version that is read.
const VERSION: i64 = 1;

/// Reads a model of scikit-learn.
///
/// # Errors
///
/// Those of [`crate::read`].
pub(crate) fn read(value: &Value<'_>, options: &ReadOptions) -> Result<Trained, ReadError> {
    let file = Node::root(value);
    check_version(&file)?;
    refuse(options)?;
    let named = boolean(&file.get("named")?)?;
    let columns = columns(&file, options)?;
    let kinds: Vec<_> = columns.iter().map(|column| column.kind).collect();
    let assembly = Assembly::new(columns, named, Kind::F64, options)?;
    check_kinds(&kinds, assembly.columns())?;
    let mut blocks = Blocks::new(assembly);
    for step in file.get("steps")?.list()? {
        steps::add(&mut blocks, &step)?;
    }
    let given = results::add(&mut blocks, &file.get("result")?)?;
    let mut options = options.clone();
    if let Some(name) = given.other_name {
        options.output.get_or_insert_with(|| name.to_owned());
    }
    let (pipeline, columns) = blocks.finish(&given.results, &options)?;
    let library = file.get("library")?;
    Ok(Trained {
        pipeline,
        task: given.results.task,
        format: Format::Sklearn,
        library_version: Some(library.get("version")?.text()?.to_owned()),
        summary: file.get("model")?.text()?.to_owned(),
        columns,
    })
}

fn check_version(file: &Node<'_>) -> Result<(), ReadError> {
    let format = file.get("format")?;
    if format.text()? != FORMAT {
        return Err(format.wrong(FORMAT));
    }
    let version = file.get("version")?;
    match version.i64()? {
        VERSION => Ok(()),
        newer => Err(version.unsupported(
            format!("version {newer} of the format {FORMAT}"),
            Some(&format!("this understudy reads version {VERSION}")),
        )),
    }
}

/// What may be asked of other formats, but means nothing here.
fn refuse(options: &ReadOptions) -> Result<(), ReadError> {
    let refused = |option: &str, found: String, expected: &str| {
        Err(ReadError::Option { option: option.to_owned(), found, expected: expected.to_owned() })
    };
    if let Some(missing) = options.missing {
        let expected = "nothing: the file says what stands for a missing value";
        return refused("missing", missing.to_string(), expected);
    }
    match options.categorical.first() {
        Some(name) => {
            let expected = "nothing: the file says which columns are texts";
            refused("categorical", format!("`{name}`"), expected)
        }
        None => Ok(()),
    }
}

/// Checks that the user's types are the file's: a text is no number, nor the other way round.
fn check_kinds(kinds: &[Kind], columns: &[TrainedColumn]) -> Result<(), ReadError> {
    for (kind, column) in kinds.iter().zip(columns) {
        let text = *kind == Kind::Text;
        if text != (column.kind == Kind::Text) {
            return Err(ReadError::Option {
                option: "columns".to_owned(),
                found: format!("{} for `{}`", column.kind.protocol(), column.name),
                expected: if text { "BYTES" } else { "a type of numbers" }.to_owned(),
            });
        }
    }
    Ok(())
}

fn columns(file: &Node<'_>, options: &ReadOptions) -> Result<Vec<TrainedColumn>, ReadError> {
    let mut categories = categories(file)?;
    let mut columns = Vec::new();
    for (number, column) in file.get("columns")?.list()?.iter().enumerate() {
        let name = column.get("name")?.text()?.to_owned();
        let type_of = column.get("type")?;
        let kind = match type_of.text()? {
            "float64" => Kind::F64,
            "float32" => Kind::F32,
            "int64" => Kind::I64,
            "int32" => Kind::I32,
            "bool" => Kind::Bool,
            "text" => Kind::Text,
            _ => return Err(type_of.wrong("float64, float32, int64, int32, bool or text")),
        };
        if options.matrix && kind == Kind::Text {
            return Err(ReadError::Option {
                option: "matrix".to_owned(),
                found: format!("the column `{name}` of texts"),
                expected: "columns of numbers".to_owned(),
            });
        }
        let categories = categories.remove(&number);
        columns.push(TrainedColumn { name, kind, domain: Domain { range: None, categories } });
    }
    Ok(columns)
}

/// The categories of columns that an encoder looks at as they come.
fn categories(file: &Node<'_>) -> Result<BTreeMap<usize, Vec<String>>, ReadError> {
    let mut found = BTreeMap::new();
    for step in file.get("steps")?.list()? {
        let Some(tables) = step.find("tables")? else { continue };
        for (input, table) in step.get("inputs")?.list()?.iter().zip(tables.list()?) {
            let Ok(block) = input.count() else { break };
            let values = table.get("values")?.list()?;
            let texts = values.iter().map(|value| value.text().map(str::to_owned));
            if let Ok(texts) = texts.collect() {
                found.entry(block).or_insert(texts);
            }
        }
    }
    Ok(found)
}

/// True or false.
fn boolean(node: &Node<'_>) -> Result<bool, ReadError> {
    match node.value {
        Value::Bool(value) => Ok(*value),
        _ => Err(node.wrong("true or false")),
    }
}

/// A number, or a text that says what JSON has no number for.
fn number(node: &Node<'_>) -> Result<f64, ReadError> {
    match node.text() {
        Ok("NaN") => Ok(f64::NAN),
        Ok("Infinity") => Ok(f64::INFINITY),
        Ok("-Infinity") => Ok(f64::NEG_INFINITY),
        _ => node.f64(),
    }
}

/// A list of such numbers.
fn numbers(node: &Node<'_>) -> Result<Vec<f64>, ReadError> {
    node.f64s().or_else(|_| node.list()?.iter().map(number).collect())
}

#[cfg(test)]
mod tests;
