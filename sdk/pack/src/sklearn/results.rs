//! What comes out.

use trained::Kind;
use trained::ops::{Choice, Classes, Label, Op};

use super::blocks::Blocks;
use super::number;
use crate::assembly::Results;
use crate::value::{Node, Value};
use crate::{ReadError, Task};

/// What a classifier's first output is called that has scores, but no probabilities; after scikit-learn's `decision_function`.
const DECISION: &str = "decision";

/// The blocks that become outputs.
pub(super) struct Given {
    pub(super) results: Results,
    /// What the first output is called, where the task does not say it.
    pub(super) other_name: Option<&'static str>,
}

pub(super) fn add(blocks: &mut Blocks, result: &Node<'_>) -> Result<Given, ReadError> {
    let task = result.get("task")?;
    match task.text()? {
        "regression" => regression(blocks, result),
        "binary" => classification(blocks, result, Task::Binary),
        "multiclass" => classification(blocks, result, Task::Multiclass),
        _ => Err(task.wrong("regression, binary or multiclass")),
    }
}

fn regression(blocks: &mut Blocks, result: &Node<'_>) -> Result<Given, ReadError> {
    let columns = result.get("prediction")?;
    let cells = blocks.cells(&columns)?;
    let prediction = blocks.numbers(&cells, &columns)?;
    let raw = match result.find("decision")? {
        None => prediction,
        Some(columns) => {
            let cells = blocks.cells(&columns)?;
            blocks.numbers(&cells, &columns)?
        }
    };
    let results = Results { task: Task::Regression, prediction, raw, kind: Kind::F64, label: None };
    Ok(Given { results, other_name: None })
}

fn classification(blocks: &mut Blocks, result: &Node<'_>, task: Task) -> Result<Given, ReadError> {
    let label = label(blocks, result)?;
    let probabilities = match result.find("probabilities")? {
        None => None,
        Some(columns) => {
            let mut cells = blocks.cells(&columns)?;
            if task == Task::Binary {
                if cells.len() != 2 {
                    return Err(columns.wrong("two columns, one for each class"));
                }
                // That of the second class says it all.
                cells.remove(0);
            }
            Some(blocks.numbers(&cells, &columns)?)
        }
    };
    let decision = match result.find("decision")? {
        None => None,
        Some(columns) => {
            let cells = blocks.cells(&columns)?;
            Some(blocks.numbers(&cells, &columns)?)
        }
    };
    let (prediction, raw) = match (probabilities, decision) {
        (Some(probabilities), decision) => (probabilities, decision.unwrap_or(probabilities)),
        (None, Some(decision)) => (decision, decision),
        (None, None) => return Err(result.wrong("probabilities or a decision")),
    };
    let other_name = probabilities.is_none().then_some(DECISION);
    let results = Results { task, prediction, raw, kind: Kind::F64, label: Some(label) };
    Ok(Given { results, other_name })
}

fn label(blocks: &mut Blocks, result: &Node<'_>) -> Result<(trained::Slot, Kind), ReadError> {
    let (classes, kind) = classes(&result.get("classes")?)?;
    let label = result.get("label")?;
    let by = label.get("by")?;
    let choice = if by.text() == Ok("greatest") {
        Choice::Greatest
    } else if let Some(bound) = by.find("above")? {
        Choice::Above(number(&bound)?)
    } else {
        // Whatever is at least a number is above the one before it.
        Choice::Above(number(&by.get("at-least")?)?.next_down())
    };
    let columns = label.get("of")?;
    let cells = blocks.cells(&columns)?;
    let slot = blocks.numbers(&cells, &columns)?;
    Ok((blocks.step(Op::Label(Label { classes, choice }), vec![slot]), kind))
}

fn classes(node: &Node<'_>) -> Result<(Classes, Kind), ReadError> {
    let list = node.list()?;
    match list.first().map(|first| first.value) {
        Some(Value::Text(_)) => {
            let names: Result<_, ReadError> =
                list.iter().map(|class| class.text().map(str::to_owned)).collect();
            Ok((Classes::Text(names?), Kind::Text))
        }
        Some(Value::Bool(_)) => {
            let truths: Result<_, ReadError> =
                list.iter().map(|class| super::boolean(class).map(i64::from)).collect();
            Ok((Classes::I64(truths?), Kind::Bool))
        }
        _ => Ok((Classes::I64(node.i64s()?), Kind::I64)),
    }
}
