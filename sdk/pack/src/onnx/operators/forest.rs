//! The trees of an ensemble, as the forest that every library's trees become.
//!
//! Each comparison becomes "at most": the one below a threshold with the number before it, the opposite one with its branches exchanged.
//! Whether a value is one of a set is found out before the trees are walked, and is a column of its own, of zeros and ones.

use std::collections::HashMap;

use trained::ValueType;
use trained::ops::Op;
use trained::ops::forest::{Child, Forest, ForestBuilder, Missing, Reading, Split, Test};
use trained::ops::onnx::{Combination, Combine, Constant, Onnx, Operand, Reduce, Reduction, Span};

use super::members::Members;
use crate::onnx::lower::{Lowering, Rows};
use crate::onnx::proto::Node;
use crate::onnx::tensor::Element;
use crate::{ReadError, limits};

/// How the values of trees become one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Aggregate {
    Sum,
    Average,
    Min,
    Max,
}

/// What the leaves add, as the node lists it.
pub(super) struct Weights {
    trees: Vec<i64>,
    nodes: Vec<i64>,
    pub(super) ids: Vec<i64>,
    pub(super) values: Vec<f64>,
}

impl Weights {
    pub(super) fn read(node: &Node, prefix: &str) -> Result<Self, ReadError> {
        let ints = |name: &str| node.ints(&format!("{prefix}_{name}")).to_vec();
        let values = node.doubles(&format!("{prefix}_weights"))?;
        let it = Self { trees: ints("treeids"), nodes: ints("nodeids"), ids: ints("ids"), values };
        let count = it.values.len();
        if [it.trees.len(), it.nodes.len(), it.ids.len()] != [count; 3] {
            return Err(
                node.malformed(format!("lists of `{prefix}_*` with several lengths"), "one length")
            );
        }
        Ok(it)
    }
}

/// Adds the steps that give what the trees come to, in the type of the rows.
pub(super) fn sums(
    node: &Node,
    graph: &mut Lowering,
    rows: &Rows,
    outputs: usize,
    aggregate: Aggregate,
    weights: &Weights,
) -> Result<Rows, ReadError> {
    summed(node, graph, rows, outputs, aggregate, &Listed::read(node, rows, outputs, weights)?)
}

/// The same for trees that were read.
pub(super) fn summed(
    node: &Node,
    graph: &mut Lowering,
    rows: &Rows,
    outputs: usize,
    aggregate: Aggregate,
    listed: &Listed<'_>,
) -> Result<Rows, ReadError> {
    limits::check(&node.place(), listed.members.cells(), "comparisons", limits::CELLS)?;
    let slot = listed.members.add(graph, rows);
    let width = rows.width() + listed.members.count();
    let apart = matches!(aggregate, Aggregate::Min | Aggregate::Max);
    let forest = listed.forest(node, width, outputs, apart)?;
    let trees = listed.roots.len();
    let sums = graph.step(Op::Forest(Box::new(forest)), vec![slot]);
    let step = match aggregate {
        Aggregate::Sum => None,
        Aggregate::Average => Some(divided(trees, outputs, rows.element)),
        Aggregate::Min => Some(reduced(Reduction::Min, trees, outputs)),
        Aggregate::Max => Some(reduced(Reduction::Max, trees, outputs)),
    };
    let slot = step.map_or(sums, |step| graph.step(Op::Onnx(step), vec![sums]));
    Ok(Rows { slot, element: rows.element, dims: vec![outputs], batch: 0 })
}

fn reduced(reduction: Reduction, trees: usize, outputs: usize) -> Onnx {
    let span = Span { outer: 1, length: trees as u32, inner: outputs as u32 };
    Onnx::Reduce(Reduce { reduction, span })
}

fn divided(trees: usize, outputs: usize, element: Element) -> Onnx {
    let count = match element {
        Element::F64 => Constant::F64(vec![trees as f64; outputs]),
        _ => Constant::F32(vec![trees as f32; outputs]),
    };
    Onnx::Combine(Combine {
        combination: Combination::Div,
        left: Operand { constant: None, spread: None },
        right: Operand { constant: Some(count), spread: None },
        width: outputs as u32,
    })
}

/// The trees as the node lists them.
pub(super) struct Listed<'a> {
    nodes: Vec<Branch<'a>>,
    /// Where trees begin.
    roots: Vec<usize>,
    /// What each node adds where it is a leaf: outputs and values.
    leaves: Vec<Vec<(usize, f64)>>,
    members: Members,
    double: bool,
}

/// A node, or a leaf, whose mode is `LEAF`.
pub(super) struct Branch<'a> {
    pub(super) column: u32,
    pub(super) mode: &'a str,
    pub(super) threshold: f64,
    /// The values that `BRANCH_EQ`, `BRANCH_NEQ` and `BRANCH_MEMBER` compare with.
    pub(super) among: Vec<f64>,
    /// Whether a missing value goes where the comparison holds.
    pub(super) missing: bool,
    /// Which node is next where the comparison holds.
    pub(super) yes: usize,
    /// Which one else.
    pub(super) no: usize,
}

type Places = HashMap<(i64, i64), usize>;

impl<'a> Listed<'a> {
    fn read(
        node: &'a Node,
        rows: &Rows,
        outputs: usize,
        weights: &Weights,
    ) -> Result<Self, ReadError> {
        let (places, roots) = places(node)?;
        let mut leaves = vec![Vec::new(); places.len()];
        for (at, value) in weights.values.iter().enumerate() {
            let key = (weights.trees[at], weights.nodes[at]);
            let missing = || {
                node.malformed(
                    format!("a weight for node {} of tree {}", key.1, key.0),
                    "a node that is there",
                )
            };
            let output = usize::try_from(weights.ids[at]).ok().filter(|id| *id < outputs);
            let output = output.ok_or_else(|| {
                node.malformed(
                    format!("a weight for output {}", weights.ids[at]),
                    format!("one of {outputs}"),
                )
            })?;
            leaves[*places.get(&key).ok_or_else(missing)?].push((output, *value));
        }
        Self::of(node, rows, branches(node, &places)?, roots, leaves)
    }

    /// Of nodes and leaves, the places where trees begin, and what each node adds where it is a leaf.
    pub(super) fn of(
        node: &Node,
        rows: &Rows,
        nodes: Vec<Branch<'a>>,
        roots: Vec<usize>,
        leaves: Vec<Vec<(usize, f64)>>,
    ) -> Result<Self, ReadError> {
        let width = rows.width();
        if let Some(branch) =
            nodes.iter().find(|it| it.mode != "LEAF" && it.column as usize >= width)
        {
            return Err(
                node.malformed(format!("column {}", branch.column), format!("one of {width}"))
            );
        }
        let members = Members::of(&nodes, width as u32);
        Ok(Self { nodes, roots, leaves, members, double: rows.element == Element::F64 })
    }

    /// The forest. Apart, each tree has sums of its own.
    fn forest(
        &self,
        node: &Node,
        width: usize,
        outputs: usize,
        apart: bool,
    ) -> Result<Forest, ReadError> {
        let trees =
            self.roots.iter().map(|root| self.tree(node, *root)).collect::<Result<Vec<_>, _>>()?;
        let single: Option<Vec<usize>> =
            trees.iter().map(|tree| self.single(tree, outputs)).collect();
        let sums = if apart { outputs * trees.len() } else { outputs };
        let leaves: usize = trees.iter().map(|tree| tree.leaves.len()).sum();
        let values = if single.is_some() && !apart { leaves } else { leaves * outputs };
        limits::check(&node.place(), sums.max(values), "values of leaves", limits::LEAF_VALUES)?;
        let mut builder = ForestBuilder::new(width, vec![0.0; sums]);
        for (number, tree) in trees.iter().enumerate() {
            let values =
                |output: usize| tree.leaves.iter().map(move |leaf| self.value(*leaf, output));
            let planted = if apart {
                // A leaf that says nothing of an output would have to be left out, not to count as zero.
                if tree
                    .leaves
                    .iter()
                    .any(|leaf| (0..outputs).any(|output| !self.says(*leaf, output)))
                {
                    return Err(
                        node.unsupported("MIN or MAX of leaves that say nothing of an output")
                    );
                }
                (0..outputs).try_for_each(|output| {
                    let leaves: Vec<f64> = values(output).collect();
                    builder.add_tree((number * outputs + output) as u32, &tree.splits, &leaves)
                })
            } else if let Some(single) = &single {
                let leaves: Vec<f64> = values(single[number]).collect();
                builder.add_tree(single[number] as u32, &tree.splits, &leaves)
            } else {
                let leaves: Vec<f64> = tree
                    .leaves
                    .iter()
                    .flat_map(|leaf| (0..outputs).map(|output| self.value(*leaf, output)))
                    .collect();
                builder.add_vector_tree(&tree.splits, &leaves)
            };
            planted.map_err(|error| node.malformed(error.to_string(), "trees"))?;
        }
        let sums = if self.double { ValueType::F64 } else { ValueType::F32 };
        builder.finish(sums).map_err(|error| node.unsupported(error.to_string()))
    }

    /// The one output that all leaves of a tree add to.
    fn single(&self, tree: &Tree, outputs: usize) -> Option<usize> {
        let mut them =
            tree.leaves.iter().flat_map(|leaf| &self.leaves[*leaf]).map(|(output, _)| *output);
        let first = if outputs == 1 { 0 } else { them.next().unwrap_or(0) };
        let once = tree.leaves.iter().all(|leaf| self.leaves[*leaf].len() <= 1);
        (once && them.all(|output| output == first)).then_some(first)
    }

    fn says(&self, leaf: usize, output: usize) -> bool {
        self.leaves[leaf].iter().any(|(it, _)| *it == output)
    }

    fn value(&self, leaf: usize, output: usize) -> f64 {
        let them =
            self.leaves[leaf].iter().filter(|(it, _)| *it == output).map(|(_, value)| *value);
        them.fold(0.0, |sum, value| if sum == 0.0 { value } else { sum + value })
    }

    fn tree(&self, node: &Node, root: usize) -> Result<Tree, ReadError> {
        let mut tree = Tree { splits: Vec::new(), leaves: Vec::new() };
        let mut seen = vec![false; self.nodes.len()];
        let mut open = vec![(root, None)];
        while let Some((place, hole)) = open.pop() {
            let branch = &self.nodes[place];
            let is_leaf = branch.mode == "LEAF";
            if !is_leaf && std::mem::replace(&mut seen[place], true) {
                return Err(node.malformed("branches that meet again", "trees"));
            }
            let child = if is_leaf {
                tree.leaves.push(place);
                Child::Leaf((tree.leaves.len() - 1) as u32)
            } else {
                let at = tree.splits.len();
                let (split, left, right) = self.split(branch);
                tree.splits.push(split);
                open.extend([(right, Some((at, false))), (left, Some((at, true)))]);
                Child::Split(at as u32)
            };
            if let Some((at, left)) = hole {
                let split: &mut Split = &mut tree.splits[at];
                *(if left { &mut split.left } else { &mut split.right }) = child;
            }
        }
        Ok(tree)
    }

    /// A node as a split, and what lies on its left and its right.
    fn split(&self, branch: &Branch<'_>) -> (Split, usize, usize) {
        let reading = Reading { round: !self.double, missing: Missing::Nan };
        let split = |column, test, missing_left| Split {
            column,
            reading,
            test,
            missing_left,
            left: Child::Leaf(0),
            right: Child::Leaf(0),
        };
        let at_most = Test::AtMost(branch.threshold);
        let below = Test::AtMost(match self.double {
            true => branch.threshold.next_down(),
            false => f64::from((branch.threshold as f32).next_down()),
        });
        match branch.mode {
            "BRANCH_LEQ" => (split(branch.column, at_most, branch.missing), branch.yes, branch.no),
            "BRANCH_LT" => (split(branch.column, below, branch.missing), branch.yes, branch.no),
            "BRANCH_GTE" => (split(branch.column, below, !branch.missing), branch.no, branch.yes),
            "BRANCH_GT" => (split(branch.column, at_most, !branch.missing), branch.no, branch.yes),
            _ => {
                let (one, none) = match branch.mode {
                    "BRANCH_NEQ" => (branch.no, branch.yes),
                    _ => (branch.yes, branch.no),
                };
                (split(self.members.column(branch), Test::AtMost(0.5), false), none, one)
            }
        }
    }
}

/// A tree that is being made: its splits, and the listed nodes that are its leaves.
struct Tree {
    splits: Vec<Split>,
    leaves: Vec<usize>,
}

/// The place of each node by its tree and number, and where trees begin.
fn places(node: &Node) -> Result<(Places, Vec<usize>), ReadError> {
    let (trees, numbers) = (node.ints("nodes_treeids"), node.ints("nodes_nodeids"));
    let mut places = HashMap::new();
    let mut roots: Vec<usize> = Vec::new();
    for (at, key) in trees.iter().zip(numbers).enumerate() {
        if places.insert((*key.0, *key.1), at).is_some() {
            return Err(
                node.malformed(format!("node {} of tree {} twice", key.1, key.0), "it once")
            );
        }
        if roots.last().is_none_or(|root| trees[*root] != *key.0) {
            roots.push(at);
        }
    }
    match trees.len() == numbers.len() && !trees.is_empty() {
        true => Ok((places, roots)),
        false => Err(node.malformed("no nodes, or as many trees as nodes", "a tree for each node")),
    }
}

fn branches<'a>(node: &'a Node, places: &Places) -> Result<Vec<Branch<'a>>, ReadError> {
    const MODES: [&str; 7] =
        ["LEAF", "BRANCH_LEQ", "BRANCH_LT", "BRANCH_GTE", "BRANCH_GT", "BRANCH_EQ", "BRANCH_NEQ"];
    let modes = node.attribute("nodes_modes").map_or(&[][..], |attribute| &attribute.strings);
    let (trees, features) = (node.ints("nodes_treeids"), node.ints("nodes_featureids"));
    let (yes, no) = (node.ints("nodes_truenodeids"), node.ints("nodes_falsenodeids"));
    let (thresholds, missing) =
        (node.doubles("nodes_values")?, node.ints("nodes_missing_value_tracks_true"));
    let lengths = [modes.len(), features.len(), yes.len(), no.len(), thresholds.len()];
    if lengths != [trees.len(); 5] {
        return Err(node.malformed("lists of `nodes_*` with several lengths", "one length"));
    }
    let mut branches = Vec::with_capacity(trees.len());
    for at in 0..trees.len() {
        let mode = MODES.into_iter().find(|mode| mode.as_bytes() == modes[at]);
        let mode = mode
            .ok_or_else(|| node.unsupported(format!("the mode `{}`", modes[at].escape_ascii())))?;
        let (threshold, leaf) = (thresholds[at], mode == "LEAF");
        comparable(node, mode, threshold)?;
        let to = |number: i64| match places.get(&(trees[at], number)) {
            _ if leaf => Ok(at),
            Some(place) => Ok(*place),
            None => Err(node.malformed(
                format!("a branch to node {number} of tree {}", trees[at]),
                "a node that is there",
            )),
        };
        let column = u32::try_from(features[at])
            .map_err(|_| node.malformed(format!("column {}", features[at]), "a column"))?;
        let missing = missing.get(at) == Some(&1);
        branches.push(Branch {
            column,
            mode,
            threshold,
            among: if mode.ends_with("EQ") && !mode.ends_with("LEQ") {
                vec![threshold]
            } else {
                Vec::new()
            },
            missing,
            yes: to(yes[at])?,
            no: to(no[at])?,
        });
    }
    Ok(branches)
}

/// Refuses what is below nothing, and what nothing is compared with.
pub(super) fn comparable(node: &Node, mode: &str, threshold: f64) -> Result<(), ReadError> {
    let below = matches!(mode, "BRANCH_LT" | "BRANCH_GTE");
    if mode != "LEAF" && (threshold.is_nan() || (below && threshold == f64::NEG_INFINITY)) {
        return Err(node.unsupported(format!("{mode} with a threshold of {threshold}")));
    }
    Ok(())
}
