//! SVMClassifier and SVMRegressor.

use trained::ops::onnx::{
    By, Coupling, Decide, Kernel, Kernels, Machine, Machines, Onnx, Scores, Second, Transform,
};

use super::ml::{labels, single};
use crate::ReadError;
use crate::onnx::lower::{Lowering, Rows, Value};
use crate::onnx::proto::Node;
use crate::onnx::tensor::Element;

pub(super) fn regressor(node: &Node, graph: &mut Lowering) -> Result<Value, ReadError> {
    plain(node)?;
    if node.int("one_class", 0) != 0 {
        return Err(node.unsupported("SVMRegressor with one_class"));
    }
    let rows = graph.table(node, 0)?;
    if rows.element != Element::F32 {
        return Err(node.unsupported(format!("SVMRegressor of {:?}", rows.element)));
    }
    let count = node.int("n_supports", 0);
    let coefficients = node.floats("coefficients").to_vec();
    let near = match count {
        // Without vectors the coefficients are those of the columns.
        0 => rows,
        _ => kernels(node, graph, &rows, count)?,
    };
    let [rho, ..] = node.floats("rho")[..] else { return Err(node.malformed("no rho", "one")) };
    if coefficients.len() != near.width() {
        return Err(node.malformed(
            format!("{} coefficients", coefficients.len()),
            format!("{}", near.width()),
        ));
    }
    let runs = vec![(0, 0, coefficients.len() as u32)];
    let op = Machines { coefficients, machines: vec![Machine { runs, rho }] };
    Ok(graph.add(Onnx::Machines(op), vec![near.slot], Element::F32, vec![1]))
}

pub(super) fn classifier(node: &Node, graph: &mut Lowering) -> Result<Vec<Value>, ReadError> {
    plain(node)?;
    let (labels, element) = labels(node, "classlabels_ints")?;
    let classes = labels.len();
    let of_class = vectors_of_classes(node, classes)?;
    let rows = single(node, graph)?;
    let near = kernels(node, graph, &rows, of_class.iter().sum())?;
    let machines = machines(node, &of_class, near.width())?;
    let pairs = machines.machines.len();
    let op = Onnx::Machines(machines);
    let Value::Rows(scores) = graph.add(op, vec![near.slot], Element::F32, vec![pairs]) else {
        unreachable!("invariant: a step gives rows");
    };
    let decide = Onnx::Decide(Decide { labels, by: By::Votes });
    let label = graph.add(decide, vec![scores.slot], element, Vec::new());
    let (a, b) = (node.floats("prob_a").to_vec(), node.floats("prob_b").to_vec());
    let scores = match (a.len() == pairs && b.len() == pairs, a.len() + b.len(), classes) {
        (true, ..) => {
            let op = Coupling { classes: classes as u32, a, b };
            graph.add(Onnx::Coupling(op), vec![scores.slot], Element::F32, vec![classes])
        }
        (_, 0, 2) => {
            let (second, transform) = (Second::Opposite, Transform::None);
            let op = Scores { base: Vec::new(), second, transform };
            graph.add(Onnx::Scores(op), vec![scores.slot], Element::F32, vec![2])
        }
        (_, 0, _) => Value::Rows(scores),
        _ => {
            return Err(node.malformed(
                format!("{} and {} of `prob_a` and `prob_b`", a.len(), b.len()),
                format!("{pairs} of each, or none"),
            ));
        }
    };
    Ok(vec![label, scores])
}

/// Onnxruntime leaves out links, or has some of its own for two classes; converters write none.
fn plain(node: &Node) -> Result<(), ReadError> {
    match &node.text("post_transform", "NONE")?[..] {
        "NONE" => Ok(()),
        other => {
            Err(node.unsupported(format!("{} with the post_transform `{other}`", node.op_type)))
        }
    }
}

fn vectors_of_classes(node: &Node, classes: usize) -> Result<Vec<i64>, ReadError> {
    let of_class = node.ints("vectors_per_class");
    if of_class.iter().sum::<i64>() == 0 {
        return Err(node.unsupported("SVMClassifier without support vectors"));
    }
    if classes < 2 || of_class.len() != classes || of_class.iter().any(|count| *count < 0) {
        return Err(node.malformed(
            format!("vectors of {} classes", of_class.len()),
            format!("those of {classes}, and two or more"),
        ));
    }
    Ok(of_class.to_vec())
}

fn kernels(node: &Node, graph: &mut Lowering, rows: &Rows, count: i64) -> Result<Rows, ReadError> {
    let vectors = node.floats("support_vectors");
    let width = rows.width();
    if usize::try_from(count).ok().and_then(|count| count.checked_mul(width)) != Some(vectors.len())
    {
        return Err(node.malformed(
            format!("{} values of support vectors", vectors.len()),
            format!("{count} vectors of {width} columns"),
        ));
    }
    let (gamma, coef0, degree) = match node.floats("kernel_params") {
        [] => (0.0, 0.0, 0.0),
        [gamma, coef0, degree] => (*gamma, *coef0, *degree),
        other => {
            return Err(node.malformed(format!("{} kernel_params", other.len()), "three, or none"));
        }
    };
    let kernel = match &node.text("kernel_type", "LINEAR")?[..] {
        "LINEAR" => Kernel::Linear,
        "POLY" => Kernel::Poly { gamma, coef0, degree },
        "RBF" => Kernel::Rbf { gamma },
        "SIGMOID" => Kernel::Sigmoid { gamma, coef0 },
        other => return Err(node.unsupported(format!("the kernel_type `{other}`"))),
    };
    let op = Kernels::new(kernel, vectors, width);
    let dims = vec![op.count as usize];
    match graph.add(Onnx::Kernels(op), vec![rows.slot], Element::F32, dims) {
        Value::Rows(rows) => Ok(rows),
        _ => unreachable!("invariant: a step gives rows"),
    }
}

/// A machine for each pair of classes. Coefficients have a row for each class but one: those of a vector against the other classes.
fn machines(node: &Node, of_class: &[i64], vectors: usize) -> Result<Machines, ReadError> {
    let classes = of_class.len();
    let (coefficients, rho) = (node.floats("coefficients").to_vec(), node.floats("rho"));
    let pairs = classes * (classes - 1) / 2;
    if coefficients.len() != (classes - 1) * vectors || rho.len() != pairs {
        return Err(node.malformed(
            format!("{} coefficients and {} of `rho`", coefficients.len(), rho.len()),
            format!("{} and {pairs}", (classes - 1) * vectors),
        ));
    }
    let starts: Vec<usize> =
        (0..classes).map(|class| of_class[..class].iter().sum::<i64>() as usize).collect();
    let run = |row: usize, class: usize| {
        let first = starts[class];
        ((row * vectors + first) as u32, first as u32, of_class[class] as u32)
    };
    let pairs = (0..classes).flat_map(|one| (one + 1..classes).map(move |other| (one, other)));
    let machines = pairs.zip(rho).map(|((one, other), rho)| Machine {
        runs: vec![run(other - 1, one), run(one, other)],
        rho: *rho,
    });
    Ok(Machines { machines: machines.collect(), coefficients })
}
