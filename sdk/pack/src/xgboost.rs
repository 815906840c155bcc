//! Models of XGBoost, in JSON and UBJ: one tree of keys, read once.
//!
//! All of it is of single precision, sums too. The number that stood for a missing value in training is not in the file, so the user
//! says it. What is predicted is what `Booster.predict` gives for all rounds, but for models that the scikit-learn interface saved:
//! those know their best round, and stop there.

mod categories;
mod objective;
#[cfg(test)]
mod tests;
mod trees;

use trained::ops::{Codes, Floor, Label, Link32, MissingNumber, Op, SparseLinear};
use trained::{Kind, Slot, ValueType};

use self::categories::Categories;
use self::objective::Objective;
use crate::assembly::{Assembly, Results};
use crate::value::{Node, Value};
use crate::{Domain, Format, ReadError, ReadOptions, Trained, TrainedColumn, limits};

/// The last major version whose files are known. A base score has meant three things by now, with the same keys.
const MAJOR: i64 = 3;

/// Reads a model of XGBoost.
///
/// # Errors
///
/// Those of [`crate::read`].
pub(crate) fn read(
    value: &Value<'_>,
    format: Format,
    options: &ReadOptions,
) -> Result<Trained, ReadError> {
    let file = Node::root(value);
    let library_version = version(&file)?;
    let learner = file.get("learner")?;
    let objective = Objective::read(&learner)?;
    let booster = learner.get("gradient_booster")?;
    let columns = Columns::read(&learner, &booster)?;

    let named = !columns.unnamed;
    let mut assembly = Assembly::new(columns.trained(), named, Kind::F64, options)?;
    let (input, kind) = columns.input(&mut assembly, options)?;
    let (op, size) = match booster.get("name")?.text()? {
        "gblinear" => linear(&booster, columns.count, &objective)?,
        "gbtree" | "dart" => {
            let rounded = kind == ValueType::F32;
            trees::forest(&learner, columns.count, &objective, rounded)?
        }
        other => {
            let name = booster.get("name")?;
            return Err(name.unsupported(format!("the booster {other}"), None));
        }
    };
    let single = match (&op, kind) {
        (Op::SparseLinear(_), ValueType::F64) => assembly.join(vec![input], ValueType::F32),
        _ => input,
    };
    let raw = assembly.step(op, vec![single]);
    let prediction = match objective.link {
        None => raw,
        Some(link) => assembly.step(Op::Link32(link), vec![raw]),
    };
    let label = objective.label().map(|label| (step(&mut assembly, label, raw), Kind::I64));
    let results = Results { task: objective.task, prediction, raw, kind: Kind::F32, label };
    let (pipeline, columns) = assembly.finish(&results, options)?;
    Ok(Trained {
        pipeline,
        task: objective.task,
        format,
        library_version,
        summary: format!("{size}, {}", objective.name),
        columns,
    })
}

fn step(assembly: &mut Assembly, label: Label, raw: Slot) -> Slot {
    assembly.step(Op::Label(label), vec![raw])
}

/// The columns of a file.
struct Columns {
    count: usize,
    names: Vec<String>,
    unnamed: bool,
    /// The columns that are codes of categories, and have no names of them.
    codes: Vec<u32>,
    categories: Vec<Option<Categories>>,
}

impl Columns {
    fn read(learner: &Node<'_>, booster: &Node<'_>) -> Result<Self, ReadError> {
        let param = learner.get("learner_model_param")?;
        let count = number(&param, "num_feature")?;
        limits::check(&param.place, count, "columns", limits::COLUMNS)?;
        let texts = |key| match learner.find(key)? {
            None => Ok(Vec::new()),
            Some(list) => {
                let texts = list.list()?;
                if texts.is_empty() || texts.len() == count {
                    texts.iter().map(|text| text.text().map(str::to_owned)).collect()
                } else {
                    Err(list.wrong(&format!("as many as there are columns, which is {count}")))
                }
            }
        };
        let (mut names, kinds) = (texts("feature_names")?, texts("feature_types")?);
        let unnamed = names.is_empty();
        if unnamed {
            names = (0..count).map(|at| format!("features[{at}]")).collect();
        }
        let categories = categories::read(booster, count)?;
        let codes = (0..count)
            .filter(|at| kinds.get(*at).is_some_and(|kind| kind == "c"))
            .filter(|at| categories[*at].is_none())
            .map(|at| at as u32)
            .collect();
        Ok(Self { count, names, unnamed, codes, categories })
    }

    fn trained(&self) -> Vec<TrainedColumn> {
        let column = |(name, categories): (&String, &Option<Categories>)| TrainedColumn {
            name: name.clone(),
            kind: match categories {
                Some(Categories::Texts(_)) => Kind::Text,
                _ => Kind::F64,
            },
            domain: Domain {
                categories: categories.as_ref().map(Categories::names),
                ..Domain::default()
            },
        };
        self.names.iter().zip(&self.categories).map(column).collect()
    }

    /// The steps up to one block of all columns, and its type. In a matrix categories are their codes already.
    fn input(
        &self,
        assembly: &mut Assembly,
        options: &ReadOptions,
    ) -> Result<(Slot, ValueType), ReadError> {
        let mut codes = self.codes.clone();
        let whole = if assembly.is_matrix() {
            codes.extend(
                (0..self.count).filter(|at| self.categories[*at].is_some()).map(|at| at as u32),
            );
            vec![0]
        } else {
            self.check_kinds(assembly.columns())?;
            (0..self.count).map(|at| self.column(assembly, at)).collect()
        };
        if assembly.is_matrix() && codes.is_empty() && options.missing.is_none() {
            return Ok((0, ValueType::F64));
        }
        let mut slot = assembly.join(whole, ValueType::F32);
        if let Some(missing) = options.missing {
            let number = missing as f32;
            slot = assembly.step(Op::MissingNumber(MissingNumber { number }), vec![slot]);
        }
        if !codes.is_empty() {
            slot = assembly.step(Op::Floor(Floor { columns: codes }), vec![slot]);
        }
        Ok((slot, ValueType::F32))
    }

    /// The slot of a column that has a tensor of its own: its codes, where the file has names for them.
    fn column(&self, assembly: &mut Assembly, at: usize) -> Slot {
        let slot = at as Slot;
        // As in a table of the type of training, an unknown name is a missing value.
        match &self.categories[at] {
            None => slot,
            Some(Categories::Texts(texts)) => {
                let codes = Codes::of_texts(texts.iter().cloned(), f64::NAN);
                assembly.step(Op::Codes(codes), vec![slot])
            }
            Some(Categories::Numbers(numbers)) => {
                let codes = Codes::of_numbers(numbers.iter().map(|it| *it as f64), f64::NAN);
                let numbers = match assembly.columns()[at].kind {
                    Kind::F64 => slot,
                    _ => assembly.join(vec![slot], ValueType::F64),
                };
                assembly.step(Op::Codes(codes), vec![numbers])
            }
        }
    }

    fn check_kinds(&self, columns: &[TrainedColumn]) -> Result<(), ReadError> {
        for (column, categories) in columns.iter().zip(&self.categories) {
            let text = matches!(categories, Some(Categories::Texts(_)));
            if text != (column.kind == Kind::Text) {
                let expected = match text {
                    true => "BYTES, since the file has names of its categories",
                    false => "a type of numbers, since the file has no names of its categories",
                };
                return Err(ReadError::Option {
                    option: "columns".to_owned(),
                    found: format!("{} for `{}`", column.kind.protocol(), column.name),
                    expected: expected.to_owned(),
                });
            }
        }
        Ok(())
    }
}

/// The linear booster: weights of all columns, then the biases.
fn linear(
    booster: &Node<'_>,
    columns: usize,
    objective: &Objective,
) -> Result<(Op, String), ReadError> {
    let list = booster.get("model")?.get("weights")?;
    let weights = list.f32s()?;
    let outputs = objective.base.len();
    if weights.len() != (columns + 1) * outputs {
        let expected =
            format!("a weight for each of {columns} columns and the bias, {outputs} times");
        return Err(list.wrong(&expected));
    }
    let (weights, biases) = weights.split_at(columns * outputs);
    // The first base score counts for all outputs: the library does so.
    let starts = biases.iter().map(|bias| bias + objective.base[0]).collect();
    let op = SparseLinear { starts, weights: weights.to_vec() };
    Ok((Op::SparseLinear(op), format!("linear, {columns} columns")))
}

/// A number that the file keeps as a text.
fn number(param: &Node<'_>, key: &str) -> Result<usize, ReadError> {
    let text = param.get(key)?;
    text.text()?.parse().map_err(|_| text.wrong("a text that is a whole number from 0"))
}

/// The same, where an older file may not have it.
fn number_or(param: &Node<'_>, key: &str, or: usize) -> Result<usize, ReadError> {
    param.find(key)?.map_or(Ok(or), |_| number(param, key))
}

fn version(file: &Node<'_>) -> Result<Option<String>, ReadError> {
    let Some(version) = file.find("version")? else { return Ok(None) };
    let numbers = version.i64s()?;
    let parts: Vec<_> = numbers.iter().map(i64::to_string).collect();
    let parts = parts.join(".");
    if numbers.first().is_some_and(|major| *major > MAJOR) {
        let hint = format!("this understudy knows what those up to {MAJOR} mean by it");
        return Err(version.unsupported(format!("the format of XGBoost {parts}"), Some(&hint)));
    }
    Ok(Some(parts))
}

/// How raw scores become predictions.
type Link = Option<Link32>;
