//! TreeEnsembleClassifier and TreeEnsembleRegressor.

use trained::ops::onnx::{By, Constant, Decide, Onnx, Scores, Second, Transform};

use super::forest::{Aggregate, Weights, sums};

use super::ml::{labels, single, transform};
use crate::onnx::lower::{Lowering, Rows, Value};
use crate::onnx::proto::Node;
use crate::onnx::tensor::Element;
use crate::{ReadError, limits};

pub(super) fn regressor(node: &Node, graph: &mut Lowering) -> Result<Value, ReadError> {
    let targets = node.int("n_targets", 1).max(1) as usize;
    limits::check(&node.place(), targets, "scores", limits::OUTPUTS)?;
    let aggregate = match &node.text("aggregate_function", "SUM")?[..] {
        "SUM" => Aggregate::Sum,
        "AVERAGE" => Aggregate::Average,
        "MIN" => Aggregate::Min,
        "MAX" => Aggregate::Max,
        other => return Err(node.unsupported(format!("the aggregate_function `{other}`"))),
    };
    let rows = input(node, graph)?;
    let base = node.doubles("base_values")?;
    let weights = Weights::read(node, "target")?;
    let sums = sums(node, graph, &rows, targets, aggregate, &weights)?;
    let base = if base.len() == targets { base } else { Vec::new() };
    let transform = match (transform(node)?, targets) {
        // A single score has no other link in onnxruntime.
        (Transform::Probit, _) => Transform::Probit,
        (_, 1) => Transform::None,
        (transform, _) => transform,
    };
    let op = Scores { base, second: Second::Nothing, transform };
    Ok(graph.add(Onnx::Scores(op), vec![sums.slot], Element::F32, vec![targets]))
}

pub(super) fn classifier(node: &Node, graph: &mut Lowering) -> Result<Vec<Value>, ReadError> {
    let (labels, element) = labels(node, "classlabels_int64s")?;
    let classes = labels.len();
    let rows = input(node, graph)?;
    let base = node.doubles("base_values")?;
    let weights = Weights::read(node, "class")?;
    let sums = sums(node, graph, &rows, classes, Aggregate::Sum, &weights)?;
    let transform = transform(node)?;
    if transform == Transform::Probit && classes == 2 {
        return Err(node.unsupported("PROBIT of two classes"));
    }
    let scored: Vec<bool> = (0..classes as i64).map(|class| weights.ids.contains(&class)).collect();
    let rule = match classes {
        0 | 1 => {
            return Err(node.unsupported(format!("TreeEnsembleClassifier of {classes} classes")));
        }
        2 => two(node, &base, &weights, &scored)?,
        // The label is that of the greatest score with its base value.
        _ => Rule {
            scores: Scores {
                base: fitting(node, base, classes)?,
                second: Second::Nothing,
                transform: Transform::None,
            },
            first_only: false,
            by: By::Greatest,
        },
    };
    if classes > 2 && rule.scores.base.is_empty() && scored.contains(&false) {
        return Err(
            node.unsupported("TreeEnsembleClassifier with a class that no leaf has a weight for")
        );
    }
    finish(graph, &sums, rule, transform, labels, element)
}

/// How the scores of a classifier become those that decide, and what decides.
struct Rule {
    /// From sums to scores, without a link.
    scores: Scores,
    /// Whether only the first sum counts.
    first_only: bool,
    by: By,
}

fn finish(
    graph: &mut Lowering,
    sums: &Rows,
    rule: Rule,
    transform: Transform,
    labels: Constant,
    element: Element,
) -> Result<Vec<Value>, ReadError> {
    let from = match rule.first_only {
        true => graph.step(
            trained::ops::Op::Select(trained::ops::Select { columns: vec![0] }),
            vec![sums.slot],
        ),
        false => sums.slot,
    };
    let dims = vec![labels.len()];
    let label =
        match (rule.by, rule.scores.base.is_empty() || rule.scores.second != Second::Nothing) {
            // What decides is a sum with its base value, which nothing else is made of before the link.
            (by @ By::Above { .. }, _) => {
                let plain = Scores {
                    transform: Transform::None,
                    second: plain(rule.scores.second),
                    ..rule.scores.clone()
                };
                let decided = graph.step(trained::ops::Op::Onnx(Onnx::Scores(plain)), vec![from]);
                graph.add(Onnx::Decide(Decide { labels, by }), vec![decided], element, Vec::new())
            }
            (by, true) => {
                graph.add(Onnx::Decide(Decide { labels, by }), vec![from], element, Vec::new())
            }
            (by, false) => {
                let decided = graph
                    .step(trained::ops::Op::Onnx(Onnx::Scores(rule.scores.clone())), vec![from]);
                graph.add(Onnx::Decide(Decide { labels, by }), vec![decided], element, Vec::new())
            }
        };
    // Of one score with its opposite there is one link.
    let transform = match (rule.scores.second, transform) {
        (Second::Opposite, Transform::Logistic) => Transform::Logistic,
        (Second::Opposite | Second::Complement, _) => Transform::None,
        (_, transform) => transform,
    };
    let scores = Onnx::Scores(Scores { transform, ..rule.scores });
    Ok(vec![label, graph.add(scores, vec![from], Element::F32, dims)])
}

fn plain(second: Second) -> Second {
    match second {
        Second::Complement | Second::Opposite => Second::Nothing,
        other => other,
    }
}

/// Two classes, as onnxruntime has them: by which of them have weights, by how many base values there are, and by the signs of weights.
fn two(node: &Node, base: &[f64], weights: &Weights, scored: &[bool]) -> Result<Rule, ReadError> {
    let one_id = scored.iter().filter(|scored| **scored).count() == 1;
    let positive = weights.values.iter().all(|value| *value >= 0.0);
    let bound = if one_id && positive { 0.5 } else { 0.0 };
    let (first_only, second, base, score) = match (base.len(), scored) {
        (_, [false, false]) => return Err(node.malformed("no weights", "some")),
        (2, [_, true]) => (false, Second::OppositeOfFirst, base.to_vec(), 1),
        // The second class has no score of its own, only its base value; the first decides.
        (2, _) => (false, Second::Nothing, base.to_vec(), 0),
        (0 | 1, [true, false]) => {
            // Without a rule for one score the second is left as it is; with weights of both signs it is the opposite.
            (
                true,
                if one_id && positive { Second::Complement } else { Second::Opposite },
                base.to_vec(),
                0,
            )
        }
        (1, _) => (false, Second::Nothing, vec![base[0], 0.0], 1),
        (0, _) => (false, Second::Nothing, Vec::new(), 1),
        (count, _) => return Err(node.unsupported(format!("{count} base values for two classes"))),
    };
    Ok(Rule {
        scores: Scores { base, second, transform: Transform::None },
        first_only,
        by: By::Above { score, bound },
    })
}

fn fitting(node: &Node, base: Vec<f64>, classes: usize) -> Result<Vec<f64>, ReadError> {
    match base.len() {
        0 => Ok(base),
        count if count == classes => Ok(base),
        count => Err(node.unsupported(format!("{count} base values for {classes} classes"))),
    }
}

/// The columns: of double precision where the graph has them so, else of single precision.
pub(super) fn input(node: &Node, graph: &mut Lowering) -> Result<Rows, ReadError> {
    let rows = graph.table(node, 0)?;
    if rows.element == Element::F64 { Ok(rows) } else { single(node, graph) }
}
