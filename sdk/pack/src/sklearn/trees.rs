//! The step `trees`.

use std::collections::BTreeMap;

use trained::ops::forest::{Child, ForestBuilder, Missing, Reading, Split, Test};
use trained::ops::{Numbers, Op, Scale, Stage};
use trained::{Slot, ValueType};

use super::blocks::Blocks;
use super::{boolean, number, numbers};
use crate::ReadError;
use crate::value::Node;

/// What stands for a column, and for a node below, at a leaf.
const LEAF: i64 = -1;

pub(super) fn add(
    blocks: &mut Blocks,
    step: &Node<'_>,
    slot: Slot,
    width: usize,
) -> Result<(), ReadError> {
    let start = numbers(&step.get("start")?)?;
    let outputs = start.len();
    if outputs == 0 {
        return Err(step.get("start")?.wrong("a number for each output"));
    }
    let reading = Reading { round: boolean(&step.get("single")?)?, missing: Missing::Nan };
    let mut builder = ForestBuilder::new(width, start);
    for tree in step.get("trees")?.list()? {
        let (splits, leaf_count) = splits(&tree, reading, width)?;
        let output = tree.find("output")?;
        let leaves = leaves(&tree, leaf_count, if output.is_some() { 1 } else { outputs })?;
        let added = match output {
            None => builder.add_vector_tree(&splits, &leaves),
            Some(output) => {
                let number = output.count()?;
                if number >= outputs {
                    return Err(output.wrong(&format!("one of {outputs} outputs")));
                }
                builder.add_tree(number as u32, &splits, &leaves)
            }
        };
        added.map_err(|error| tree.wrong(&format!("a tree; {error}")))?;
    }
    let forest = builder.finish(ValueType::F64);
    let forest = forest.map_err(|error| step.unsupported(error.to_string(), None))?;
    let mut made = blocks.step(Op::Forest(Box::new(forest)), vec![slot]);
    if let Some(divide) = step.find("divide")? {
        let by = Numbers::F64(vec![number(&divide)?; outputs]);
        made = blocks.step(Op::Scale(Scale { stages: vec![Stage::Divide(by)] }), vec![made]);
    }
    blocks.push_numbers(made, outputs, step)
}

/// The splits of a tree, and how many leaves it has.
fn splits(
    tree: &Node<'_>,
    reading: Reading,
    width: usize,
) -> Result<(Vec<Split>, usize), ReadError> {
    let features = tree.get("feature")?.i64s()?;
    let whole = |key| {
        let list = tree.get(key)?;
        let found = list.i64s()?;
        if found.len() != features.len() {
            return Err(list.wrong(&format!("{} numbers, one for each node", features.len())));
        }
        Ok(found)
    };
    let (left, right, missing_left) = (whole("left")?, whole("right")?, whole("missing_left")?);
    let list = tree.get("threshold")?;
    let thresholds = numbers(&list)?;
    if thresholds.len() != features.len() {
        return Err(list.wrong(&format!("{} numbers, one for each node", features.len())));
    }
    let sets: BTreeMap<_, _> = tree.get("sets")?.entries()?.into_iter().collect();

    let (mut places, mut split_count, mut leaf_count) = (Vec::new(), 0, 0);
    for feature in &features {
        let count = if *feature == LEAF { &mut leaf_count } else { &mut split_count };
        places.push(if *feature == LEAF { Child::Leaf(*count) } else { Child::Split(*count) });
        *count += 1;
    }
    let child = |list: &[i64], node: usize| {
        let place = usize::try_from(list[node]).ok().and_then(|below| places.get(below));
        place.copied().ok_or_else(|| tree.wrong(&format!("nodes below node {node}")))
    };
    let mut splits = Vec::with_capacity(split_count as usize);
    for (node, feature) in features.iter().enumerate().filter(|(_, feature)| **feature != LEAF) {
        let column = u32::try_from(*feature).ok().filter(|column| (*column as usize) < width);
        let column =
            column.ok_or_else(|| tree.wrong(&format!("one of {width} columns at node {node}")))?;
        let test = match sets.get(node.to_string().as_str()) {
            Some(set) => Test::of_categories(categories(set)?),
            None => Test::AtMost(thresholds[node]),
        };
        let (left, right) = (child(&left, node)?, child(&right, node)?);
        splits.push(Split {
            column,
            reading,
            test,
            missing_left: missing_left[node] != 0,
            left,
            right,
        });
    }
    Ok((splits, leaf_count as usize))
}

/// The categories of a set. There are few: scikit-learn has 255 at most.
fn categories(set: &Node<'_>) -> Result<Vec<u32>, ReadError> {
    let category = |number: i64| u32::try_from(number).ok().filter(|number| *number < 1 << 16);
    let numbers = set.i64s()?;
    let found: Option<_> = numbers.into_iter().map(category).collect();
    found.ok_or_else(|| set.wrong("categories from 0 to 65535"))
}

fn leaves(tree: &Node<'_>, count: usize, outputs: usize) -> Result<Vec<f64>, ReadError> {
    let list = tree.get("leaves")?;
    let mut leaves = Vec::new();
    for leaf in list.list()? {
        let values = numbers(&leaf)?;
        if values.len() != outputs {
            return Err(leaf.wrong(&format!("{outputs} numbers, one for each output")));
        }
        leaves.extend(values);
    }
    if leaves.len() != count * outputs {
        return Err(list.wrong(&format!("{count} leaves")));
    }
    Ok(leaves)
}
