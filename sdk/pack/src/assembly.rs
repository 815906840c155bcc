//! Assembly: a pipeline as a reader puts it together, from the columns to the outputs that its task asks for.

use std::collections::BTreeSet;

use trained::ops::{Join, Op};
use trained::{Column, Inputs, Kind, Output, Pipeline, Rows, Slot, Step, ValueType};

use crate::{ColumnOption, Domain, ReadError, ReadOptions, Task, TrainedColumn, limits};

/// The name of the one input of a matrix.
const FEATURES: &str = "features";
/// How many columns can have a tensor of their own; a request of more is no request for people.
const COLUMN_LIMIT: usize = 10_000;

/// A pipeline that is being put together.
#[derive(Debug)]
pub(crate) struct Assembly {
    columns: Vec<TrainedColumn>,
    inputs: Inputs,
    steps: Vec<Step>,
}

/// The blocks that become outputs.
#[derive(Debug)]
pub(crate) struct Results {
    /// What the model is for.
    pub(crate) task: Task,
    /// Predictions, after the link.
    pub(crate) prediction: Slot,
    /// The scores before it.
    pub(crate) raw: Slot,
    /// The type of both.
    pub(crate) kind: Kind,
    /// The class that the row decides for, where the file has names of classes.
    pub(crate) label: Option<(Slot, Kind)>,
}

impl Assembly {
    /// Begins with the columns of a file, which are `named` if their names are those of the training data.
    ///
    /// `columns[i].kind` is the type of a column that has a tensor of its own. What `options` say of names and types counts. In a matrix
    /// all are of the type `matrix`, and have no names of their own.
    pub(crate) fn new(
        mut columns: Vec<TrainedColumn>,
        named: bool,
        matrix: Kind,
        options: &ReadOptions,
    ) -> Result<Self, ReadError> {
        rename(&mut columns, options)?;
        let inputs = if options.matrix || !(named || options.columns.is_some()) {
            refuse_kinds(options)?;
            columns.iter_mut().for_each(|column| column.kind = matrix);
            let width = columns.len() as u32;
            Inputs::Matrix { name: FEATURES.to_owned(), kind: matrix, width }
        } else {
            own_tensors(&mut columns, options)?;
            let column = |it: &TrainedColumn| Column { name: it.name.clone(), kind: it.kind };
            Inputs::Columns(columns.iter().map(column).collect())
        };
        Ok(Self { columns, inputs, steps: Vec::new() })
    }

    /// The columns, with their types.
    pub(crate) fn columns(&self) -> &[TrainedColumn] {
        &self.columns
    }

    /// Says what is known of a column only now. Its type is not changed in a matrix.
    pub(crate) fn set_column(&mut self, at: usize, kind: Kind, domain: Domain) {
        self.columns[at].domain = domain;
        if let Inputs::Columns(columns) = &mut self.inputs {
            self.columns[at].kind = kind;
            columns[at].kind = kind;
        }
    }

    /// Whether there is one tensor, slot 0, for all columns. Otherwise column `i` is slot `i`.
    pub(crate) fn is_matrix(&self) -> bool {
        matches!(self.inputs, Inputs::Matrix { .. })
    }

    /// Adds a step, and returns its slot. That there are too many is found when the pipeline is finished.
    pub(crate) fn step(&mut self, op: Op, inputs: Vec<Slot>) -> Slot {
        self.steps.push(Step { op, inputs });
        Slot::try_from(self.slots() - 1).unwrap_or(Slot::MAX)
    }

    fn slots(&self) -> usize {
        let inputs = match &self.inputs {
            Inputs::Matrix { .. } => 1,
            Inputs::Columns(columns) => columns.len(),
        };
        inputs + self.steps.len()
    }

    /// Adds the step that puts columns beside each other, given as one slot for each; or the matrix itself where it is of this type.
    pub(crate) fn join(&mut self, slots: Vec<Slot>, into: ValueType) -> Slot {
        match &self.inputs {
            Inputs::Matrix { kind, .. } if slots == [0] && kind.value_type() == into => 0,
            _ => self.step(Op::Join(Join { into }), slots),
        }
    }

    /// The pipeline, with the outputs that the task and the options ask for, and the columns as they are read.
    pub(crate) fn finish(
        self,
        results: &Results,
        options: &ReadOptions,
    ) -> Result<(Pipeline, Vec<TrainedColumn>), ReadError> {
        limits::check("the file", self.slots(), "columns and steps", usize::from(Slot::MAX))?;
        let name = options.output.clone().unwrap_or_else(|| results.task.output().to_owned());
        let mut outputs = vec![Output { name, slot: results.prediction, kind: results.kind }];
        if let Some((slot, kind)) = results.label {
            outputs.push(Output { name: "label".to_owned(), slot, kind });
        }
        if options.raw {
            outputs.push(Output { name: "raw".to_owned(), slot: results.raw, kind: results.kind });
        }
        let mut names = BTreeSet::new();
        for output in &outputs {
            if !names.insert(&output.name) {
                return Err(ReadError::Option {
                    option: "output".to_owned(),
                    found: format!("`{}`, which another output is called", output.name),
                    expected: "a name of its own".to_owned(),
                });
            }
        }
        Ok((
            Pipeline { inputs: self.inputs, rows: Rows::One, steps: self.steps, outputs },
            self.columns,
        ))
    }
}

fn rename(columns: &mut [TrainedColumn], options: &ReadOptions) -> Result<(), ReadError> {
    let Some(given) = &options.columns else { return Ok(()) };
    if given.len() != columns.len() {
        return Err(ReadError::Option {
            option: "columns".to_owned(),
            found: format!("{} names", given.len()),
            expected: format!("one for each of the {} columns of the file", columns.len()),
        });
    }
    for (column, given) in columns.iter_mut().zip(given) {
        column.name.clone_from(&given.name);
        column.kind = given.kind.unwrap_or(column.kind);
    }
    Ok(())
}

/// In a matrix all columns have one type, whatever is said of some of them.
fn refuse_kinds(options: &ReadOptions) -> Result<(), ReadError> {
    let refused = |option: &str, found: String| {
        let expected = "no types of columns, since one tensor with all of them has one type";
        Err(ReadError::Option { option: option.to_owned(), found, expected: expected.to_owned() })
    };
    if let Some(name) = options.categorical.first() {
        return refused("categorical", format!("`{name}`"));
    }
    let kind = |it: &ColumnOption| Some((it.name.clone(), it.kind?));
    match options.columns.iter().flatten().find_map(kind) {
        Some((name, kind)) => refused("columns", format!("{} for `{name}`", kind.protocol())),
        None => Ok(()),
    }
}

fn own_tensors(columns: &mut [TrainedColumn], options: &ReadOptions) -> Result<(), ReadError> {
    if columns.len() > COLUMN_LIMIT {
        return Err(ReadError::Unsupported {
            place: "columns".to_owned(),
            what: format!("a tensor for each of {} columns", columns.len()),
            hint: Some("give the option --matrix".to_owned()),
        });
    }
    for name in &options.categorical {
        let Some(column) = columns.iter_mut().find(|column| column.name == *name) else {
            return Err(ReadError::Option {
                option: "categorical".to_owned(),
                found: format!("`{name}`"),
                expected: "the name of a column".to_owned(),
            });
        };
        column.kind = Kind::Text;
    }
    let mut names = BTreeSet::new();
    match columns.iter().find(|column| column.name.is_empty() || !names.insert(&column.name)) {
        None => Ok(()),
        Some(column) => Err(ReadError::Unsupported {
            place: "columns".to_owned(),
            what: format!("the name `{}`, which is empty or there twice,", column.name),
            hint: Some("give other names with --columns, or --matrix".to_owned()),
        }),
    }
}
