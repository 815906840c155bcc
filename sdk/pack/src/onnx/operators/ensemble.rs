//! TreeEnsemble, which `ai.onnx.ml` has since version 5: nodes and leaves are lists of their own, and modes are numbers.

use trained::ops::onnx::{Constant, Onnx, Scores, Second, Transform};

use super::forest::{Aggregate, Branch, Listed, comparable, summed};
use super::trees::input;
use crate::onnx::lower::{Lowering, Rows, Value};
use crate::onnx::proto::Node;
use crate::onnx::tensor::Element;
use crate::{ReadError, limits};

const MODES: [&str; 7] = [
    "BRANCH_LEQ",
    "BRANCH_LT",
    "BRANCH_GTE",
    "BRANCH_GT",
    "BRANCH_EQ",
    "BRANCH_NEQ",
    "BRANCH_MEMBER",
];

pub(super) fn lower(node: &Node, graph: &mut Lowering) -> Result<Value, ReadError> {
    let targets = node.int("n_targets", 1).max(1) as usize;
    limits::check(&node.place(), targets, "scores", limits::OUTPUTS)?;
    let aggregate = match node.int("aggregate_function", 1) {
        0 => Aggregate::Average,
        1 => Aggregate::Sum,
        2 => Aggregate::Min,
        3 => Aggregate::Max,
        other => return Err(node.unsupported(format!("the aggregate_function {other}"))),
    };
    // A single score has no other link than PROBIT in onnxruntime.
    let transform = match (node.int("post_transform", 0), targets) {
        (4, _) => Transform::Probit,
        (0, _) | (0..4, 1) => Transform::None,
        (3, _) => Transform::SoftmaxZero,
        (number @ (1 | 2), _) => {
            let (onnx, onnxruntime) =
                if number == 1 { ("SOFTMAX", "LOGISTIC") } else { ("LOGISTIC", "SOFTMAX") };
            return Err(node.unsupported(format!(
                "the post_transform {number}, which is {onnx} to ONNX and {onnxruntime} to onnxruntime,"
            )));
        }
        (other, _) => return Err(node.unsupported(format!("the post_transform {other}"))),
    };
    let rows = input(node, graph)?;
    if rows.element == Element::F64 && transform != Transform::None {
        return Err(node.unsupported(format!("a post_transform of DOUBLE ({transform:?})")));
    }
    let listed = listed(node, &rows, targets)?;
    let sums = summed(node, graph, &rows, targets, aggregate, &listed)?;
    if transform == Transform::None {
        return Ok(Value::Rows(sums));
    }
    let op = Scores { base: Vec::new(), second: Second::Nothing, transform };
    Ok(graph.add(Onnx::Scores(op), vec![sums.slot], Element::F32, vec![targets]))
}

/// The nodes, and behind them the leaves.
fn listed(node: &Node, rows: &Rows, targets: usize) -> Result<Listed<'static>, ReadError> {
    let splits = numbers(node, "nodes_splits", rows.element)?;
    let weights = numbers(node, "leaf_weights", rows.element)?;
    let ids = node.ints("leaf_targetids");
    let mut nodes =
        branches(node, splits, numbers(node, "membership_values", rows.element)?, weights.len())?;
    let mut leaves = vec![Vec::new(); nodes.len()];
    if ids.len() != weights.len() || weights.is_empty() {
        return Err(node.malformed(
            format!("{} weights and {} targets of leaves", weights.len(), ids.len()),
            "as many, and some",
        ));
    }
    for (id, weight) in ids.iter().zip(&weights) {
        let target = usize::try_from(*id).ok().filter(|id| *id < targets);
        let target = target.ok_or_else(|| {
            node.malformed(format!("a leaf for target {id}"), format!("one of {targets}"))
        })?;
        leaves.push(vec![(target, *weight)]);
        nodes.push(leaf(nodes.len()));
    }
    let roots = roots(node, &nodes, &leaves)?;
    Listed::of(node, rows, nodes, roots, leaves)
}

fn leaf(at: usize) -> Branch<'static> {
    Branch {
        column: 0,
        mode: "LEAF",
        threshold: 0.0,
        among: Vec::new(),
        missing: false,
        yes: at,
        no: at,
    }
}

/// Where trees begin: at a node, or at a leaf where both branches of the node lead to it.
fn roots(
    node: &Node,
    nodes: &[Branch<'_>],
    leaves: &[Vec<(usize, f64)>],
) -> Result<Vec<usize>, ReadError> {
    let count = nodes.iter().filter(|it| it.mode != "LEAF").count();
    let root = |number: &i64| {
        let at = usize::try_from(*number).ok().filter(|at| *at < count);
        let at = at.ok_or_else(|| {
            node.malformed(format!("a tree from node {number}"), format!("one of {count}"))
        })?;
        let leaf = nodes[at].yes;
        if leaf != nodes[at].no || leaf < count {
            return Ok(at);
        }
        // Onnxruntime takes the leaf that has the number of the node, whichever the branches lead to.
        match leaves.get(count + at) == Some(&leaves[leaf]) {
            true => Ok(leaf),
            false => Err(node.unsupported(format!(
                "a tree of leaf {} alone that begins at node {at}",
                leaf - count
            ))),
        }
    };
    let roots: Vec<usize> = node.ints("tree_roots").iter().map(root).collect::<Result<_, _>>()?;
    match roots.is_empty() {
        true => Err(node.malformed("no tree_roots", "one or more")),
        false => Ok(roots),
    }
}

/// The nodes; a leaf has the place behind all of them.
fn branches(
    node: &Node,
    splits: Vec<f64>,
    members: Vec<f64>,
    leaves: usize,
) -> Result<Vec<Branch<'static>>, ReadError> {
    let ints = |name: &str| node.ints(name);
    let (features, missing) = (ints("nodes_featureids"), ints("nodes_missing_value_tracks_true"));
    let to = [ints("nodes_truenodeids"), ints("nodes_falsenodeids")];
    let ends = [ints("nodes_trueleafs"), ints("nodes_falseleafs")];
    let modes = node.tensor("nodes_modes")?.map(|tensor| tensor.values);
    let Some(Constant::I64(modes)) = modes else {
        return Err(node.malformed("no nodes_modes", "a tensor of UINT8"));
    };
    let count = modes.len();
    let lengths =
        [features.len(), splits.len(), to[0].len(), to[1].len(), ends[0].len(), ends[1].len()];
    if lengths != [count; 6] || count == 0 {
        return Err(node.malformed("lists of `nodes_*` with several lengths", "one length"));
    }
    let mut sets = members.split(|value| value.is_nan());
    let mut branches = Vec::with_capacity(count);
    for at in 0..count {
        let mode = usize::try_from(modes[at]).ok().and_then(|mode| MODES.get(mode));
        let mode = *mode.ok_or_else(|| node.unsupported(format!("the mode {}", modes[at])))?;
        let among = match mode {
            "BRANCH_MEMBER" => sets.next().unwrap_or_default().to_vec(),
            "BRANCH_EQ" | "BRANCH_NEQ" => vec![splits[at]],
            _ => Vec::new(),
        };
        match mode {
            "BRANCH_MEMBER" if among.is_empty() => {
                return Err(node.unsupported(format!("node {at} with an empty set of members")));
            }
            // As onnxruntime has it.
            "BRANCH_MEMBER" if among.iter().any(|it| f64::from(*it as i32) != *it) => {
                return Err(node.unsupported(format!(
                    "node {at} with members {among:?}, which are not whole"
                )));
            }
            "BRANCH_MEMBER" => {}
            _ => comparable(node, mode, splits[at])?,
        }
        let place = |side: usize| {
            let (from, end, what) =
                if ends[side][at] == 0 { (0, count, "node") } else { (count, leaves, "leaf") };
            let number = usize::try_from(to[side][at]).ok().filter(|number| *number < end);
            number.map(|number| from + number).ok_or_else(|| {
                node.malformed(
                    format!("a branch to {what} {} from node {at}", to[side][at]),
                    format!("one of {end}"),
                )
            })
        };
        branches.push(Branch {
            column: u32::try_from(features[at])
                .map_err(|_| node.malformed(format!("column {}", features[at]), "a column"))?,
            mode,
            threshold: splits[at],
            among,
            missing: missing.get(at) == Some(&1),
            yes: place(0)?,
            no: place(1)?,
        });
    }
    Ok(branches)
}

/// Numbers of a tensor, which has the type of the rows.
fn numbers(node: &Node, name: &str, rows: Element) -> Result<Vec<f64>, ReadError> {
    match (node.tensor(name)?.map(|tensor| tensor.values), rows) {
        (None, _) => Ok(Vec::new()),
        (Some(Constant::F64(values)), Element::F64) => Ok(values),
        (Some(Constant::F32(values)), Element::F32) => {
            Ok(values.into_iter().map(f64::from).collect())
        }
        (Some(_), rows) => {
            Err(node.unsupported(format!("`{name}` of another type than the rows, {rows:?}")))
        }
    }
}
