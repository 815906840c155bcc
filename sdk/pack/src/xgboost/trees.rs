//! Trees of XGBoost.

use std::collections::BTreeMap;

use trained::ValueType;
use trained::ops::Op;
use trained::ops::forest::{self, ForestBuilder, ForestError};

use super::objective::Objective;
use super::{number, number_or};
use crate::value::Node;
use crate::{ReadError, limits};

/// Reads the trees of a booster, and says how many they are. Their input is `rounded` to single precision, or they do it.
pub(super) fn forest(
    learner: &Node<'_>,
    columns: usize,
    objective: &Objective,
    rounded: bool,
) -> Result<(Op, String), ReadError> {
    let booster = learner.get("gradient_booster")?;
    // DART keeps the trees of another booster, and a weight for each.
    let (model, weights) = match booster.find("gbtree")? {
        None => (booster.get("model")?, None),
        Some(inner) => (inner.get("model")?, Some(booster.get("weight_drop")?)),
    };
    let list = model.get("trees")?;
    let trees = list.list()?;
    let groups = model.get("tree_info")?;
    let outputs = groups.i64s()?;
    if outputs.len() != trees.len() {
        return Err(groups.wrong(&format!("an output for each of {} trees", trees.len())));
    }
    let factors = match &weights {
        None => vec![None; trees.len()],
        Some(weights) => weights.f32s()?.into_iter().map(Some).collect(),
    };
    if let Some(weights) = weights.filter(|_| factors.len() != trees.len()) {
        return Err(weights.wrong(&format!("a weight for each of {} trees", trees.len())));
    }
    let count = used(learner, &model, trees.len())?;
    let base = objective.base.iter().map(|base| f64::from(*base)).collect();
    let mut builder = ForestBuilder::new(columns, base);
    let mut words = 0;
    for (at, tree) in trees.iter().enumerate().take(count) {
        let width = number_or(&tree.get("tree_param")?, "size_leaf_vector", 1)?.max(1);
        let read = Tree::read(tree, width, objective.base.len())?;
        words += read.set_words();
        limits::check(&tree.place, words, "words of sets of categories", limits::SET_WORDS)?;
        let (splits, leaves) = read.planted(tree, factors[at], rounded)?;
        let added = match u32::try_from(outputs[at]) {
            _ if width > 1 => builder.add_vector_tree(&splits, &leaves),
            Ok(output) if (output as usize) < objective.base.len() => {
                builder.add_tree(output, &splits, &leaves)
            }
            _ => return Err(groups.wrong(&format!("outputs of {}", objective.base.len()))),
        };
        added.map_err(|error| wrong_forest(tree, &error))?;
    }
    let forest = builder.finish(ValueType::F32).map_err(|error| wrong_forest(&list, &error))?;
    Ok((Op::Forest(Box::new(forest)), format!("{count} trees")))
}

/// How many trees count: all, but for models of the scikit-learn interface that know their best round.
fn used(learner: &Node<'_>, model: &Node<'_>, trees: usize) -> Result<usize, ReadError> {
    let Some(attributes) = learner.find("attributes")? else { return Ok(trees) };
    let (Some(_), Some(best)) =
        (attributes.find("scikit_learn")?, attributes.find("best_iteration")?)
    else {
        return Ok(trees);
    };
    let round = number(&attributes, "best_iteration")?;
    let rounds = model.get("iteration_indptr")?;
    let ends = rounds.i64s()?;
    match ends.get(round + 1).and_then(|end| usize::try_from(*end).ok()) {
        Some(end) if end <= trees => Ok(end),
        _ => Err(best.wrong("one of the rounds of `iteration_indptr`")),
    }
}

/// A tree, as the file has it: lists with a value for each node.
struct Tree {
    left: Vec<i64>,
    right: Vec<i64>,
    columns: Vec<i64>,
    /// Thresholds, and the values of leaves.
    conditions: Vec<f32>,
    default_left: Vec<i64>,
    /// The sets of categories of the nodes that have one.
    sets: BTreeMap<usize, Vec<u32>>,
    /// The values of leaves that have several.
    vectors: Option<Vec<f32>>,
    width: usize,
}

impl Tree {
    fn read(tree: &Node<'_>, width: usize, outputs: usize) -> Result<Self, ReadError> {
        let left = tree.get("left_children")?.i64s()?;
        let count = left.len();
        let i64s = |key| fitting(&tree.get(key)?, tree.get(key)?.i64s()?, count);
        let conditions = tree.get("split_conditions")?;
        let vectors = match width {
            1 => None,
            _ if width != outputs => {
                let param = tree.get("tree_param")?.get("size_leaf_vector")?;
                return Err(param.wrong(&format!("as many values as outputs, which is {outputs}")));
            }
            _ => match tree.find("leaf_weights")? {
                Some(weights) => Some(weights.f32s()?),
                None => {
                    let hint = "load the model in XGBoost 3.2 and save it again";
                    return Err(tree
                        .unsupported("a leaf of several values without leaf_weights", Some(hint)));
                }
            },
        };
        if count == 0 {
            return Err(tree.get("left_children")?.wrong("a node at least"));
        }
        Ok(Self {
            right: i64s("right_children")?,
            columns: i64s("split_indices")?,
            conditions: fitting(&conditions, conditions.f32s()?, count)?,
            default_left: i64s("default_left")?,
            sets: sets(tree, count)?,
            left,
            vectors,
            width,
        })
    }

    /// How many words of 32 bits its sets of categories take.
    fn set_words(&self) -> usize {
        let words = |set: &Vec<u32>| set.iter().max().map_or(0, |last| *last as usize / 32 + 1);
        self.sets.values().map(words).sum()
    }

    /// The splits and leaves that the root leads to, in the words of the forest. What was pruned stays behind.
    fn planted(
        &self,
        place: &Node<'_>,
        factor: Option<f32>,
        rounded: bool,
    ) -> Result<(Vec<forest::Split>, Vec<f64>), ReadError> {
        let mut children = Vec::new();
        let mut nodes = vec![0];
        let (mut split_count, mut leaf_count) = (0, 0);
        let mut seen = vec![false; self.left.len()];
        let mut numbers = vec![forest::Child::Leaf(0); self.left.len()];
        while let Some(node) = nodes.pop() {
            if std::mem::replace(&mut seen[node], true) {
                return Err(place.wrong("nodes that each have one parent"));
            }
            if self.left[node] == -1 {
                numbers[node] = forest::Child::Leaf(leaf_count);
                leaf_count += 1;
            } else {
                numbers[node] = forest::Child::Split(split_count);
                split_count += 1;
                for child in [self.right[node], self.left[node]] {
                    match usize::try_from(child) {
                        Ok(child) if child < self.left.len() => nodes.push(child),
                        _ => return Err(place.wrong("children that are nodes of the tree")),
                    }
                }
            }
            children.push(node);
        }
        let (mut splits, mut leaves) = (Vec::new(), Vec::new());
        for node in children {
            if self.left[node] == -1 {
                self.leaf(place, node, factor, &mut leaves)?;
            } else {
                splits.push(self.split(place, node, &numbers, rounded)?);
            }
        }
        Ok((splits, leaves))
    }

    fn leaf(
        &self,
        place: &Node<'_>,
        node: usize,
        factor: Option<f32>,
        leaves: &mut Vec<f64>,
    ) -> Result<(), ReadError> {
        let Some(vectors) = &self.vectors else {
            let value = self.conditions[node];
            // A product of single precision, added to nothing first.
            let value = factor.map_or(value, |factor| (value + 0.0) * factor);
            leaves.push(f64::from(value));
            return Ok(());
        };
        // Of a leaf the right child is its number among the leaves.
        let values = usize::try_from(self.right[node])
            .ok()
            .and_then(|leaf| vectors.get(leaf.checked_mul(self.width)?..)?.get(..self.width));
        let Some(values) = values else {
            return Err(place.wrong("leaves that have their values in `leaf_weights`"));
        };
        leaves.extend(values.iter().map(|value| f64::from(*value)));
        Ok(())
    }

    fn split(
        &self,
        place: &Node<'_>,
        node: usize,
        numbers: &[forest::Child],
        rounded: bool,
    ) -> Result<forest::Split, ReadError> {
        let Ok(column) = u32::try_from(self.columns[node]) else {
            return Err(place.wrong("columns that are numbers from 0"));
        };
        let [left, right] =
            [self.left[node], self.right[node]].map(|child| numbers[child as usize]);
        let missing_left = self.default_left[node] != 0;
        let reading = forest::Reading { round: !rounded, missing: forest::Missing::Nan };
        if let Some(set) = self.sets.get(&node) {
            // What is in the set goes to the right here.
            let test = forest::Test::of_categories(set.iter().copied());
            let missing_left = !missing_left;
            return Ok(forest::Split {
                column,
                reading,
                test,
                missing_left,
                left: right,
                right: left,
            });
        }
        let threshold = self.conditions[node];
        if threshold.is_nan() {
            return Err(place.wrong("thresholds that are numbers"));
        }
        // Where nothing is less, nothing goes to the left.
        let test = forest::Test::less_f32(threshold).unwrap_or(forest::Test::In(Vec::new()));
        Ok(forest::Split { column, reading, test, missing_left, left, right })
    }
}

/// The sets of categories of the nodes that have one.
fn sets(tree: &Node<'_>, count: usize) -> Result<BTreeMap<usize, Vec<u32>>, ReadError> {
    let Some(nodes) = tree.find("categories_nodes")? else { return Ok(BTreeMap::new()) };
    let all = tree.get("categories")?;
    let categories = all.i64s()?;
    let numbers = nodes.i64s()?;
    let list = |key| fitting(&tree.get(key)?, tree.get(key)?.i64s()?, numbers.len());
    let (begins, sizes) = (list("categories_segments")?, list("categories_sizes")?);
    let mut sets = BTreeMap::new();
    let mut read = 0_usize;
    for ((node, begin), size) in numbers.iter().zip(begins).zip(sizes) {
        let part = usize::try_from(begin)
            .ok()
            .zip(usize::try_from(size).ok())
            .and_then(|(begin, size)| categories.get(begin..)?.get(..size));
        let set: Option<Vec<u32>> =
            part.and_then(|part| part.iter().map(|it| u32::try_from(*it).ok()).collect());
        let Some(set) = set.filter(|set| set.iter().all(|category| *category < 1 << 24)) else {
            return Err(all.wrong("categories from 0 and below 2^24 where the segments are"));
        };
        read += set.len();
        if read > categories.len() {
            return Err(all.wrong("each category in one segment"));
        }
        match usize::try_from(*node) {
            Ok(node) if node < count => sets.insert(node, set),
            _ => return Err(nodes.wrong("nodes of the tree")),
        };
    }
    Ok(sets)
}

fn fitting<T>(place: &Node<'_>, list: Vec<T>, count: usize) -> Result<Vec<T>, ReadError> {
    if list.len() == count { Ok(list) } else { Err(place.wrong(&format!("a list of {count}"))) }
}

fn wrong_forest(place: &Node<'_>, error: &ForestError) -> ReadError {
    ReadError::Malformed {
        place: place.place.clone(),
        found: error.to_string(),
        expected: "a tree".to_owned(),
    }
}
