//! Operators of `ai.onnx.ml`, but for trees.

use trained::ops::onnx::{
    By, Cast, Combination, Combine, Constant, Decide, Dense, Function, Impute, Keys, Map,
    Normalize, OneHot, Onnx, Operand, Scale, Scores, Second, Transform,
};

use super::{ensemble, pieces, svm, trees, unknown};
use crate::onnx::lower::{Lowering, Rows, Value};
use crate::onnx::proto::Node;
use crate::onnx::tensor::Element;
use crate::{ReadError, limits};

pub(super) fn lower(node: &Node, graph: &mut Lowering) -> Result<Vec<Value>, ReadError> {
    let value = match &node.op_type[..] {
        "ArrayFeatureExtractor" => pieces::array_feature_extractor(node, graph)?,
        "Binarizer" => {
            let rows = single(node, graph)?;
            let threshold = node.float("threshold", 0.0);
            graph.map(Onnx::Function(Function::Above { threshold }), &rows, Element::F32)
        }
        "CategoryMapper" => category_mapper(node, graph)?,
        "FeatureVectorizer" => pieces::feature_vectorizer(node, graph)?,
        "Imputer" => imputer(node, graph)?,
        "LabelEncoder" => label_encoder(node, graph)?,
        "LinearClassifier" => return linear_classifier(node, graph),
        "LinearRegressor" => linear_regressor(node, graph)?,
        "Normalizer" => normalizer(node, graph)?,
        "OneHotEncoder" => one_hot_encoder(node, graph)?,
        "SVMClassifier" => return svm::classifier(node, graph),
        "SVMRegressor" => svm::regressor(node, graph)?,
        "Scaler" => scaler(node, graph)?,
        "TreeEnsemble" => ensemble::lower(node, graph)?,
        "TreeEnsembleClassifier" => return trees::classifier(node, graph),
        "TreeEnsembleRegressor" => trees::regressor(node, graph)?,
        // A list of maps, from labels to the scores: the scores are what is given, and labels have an output of their own.
        "ZipMap" => Value::Rows(graph.rows(node, 0)?),
        _ => return Err(unknown(node)),
    };
    Ok(vec![value])
}

/// The first input as a table of single precision, as onnxruntime makes it where an operator has no other form.
pub(super) fn single(node: &Node, graph: &mut Lowering) -> Result<Rows, ReadError> {
    nth_single(node, graph, 0)
}

/// An input as a table of single precision.
pub(super) fn nth_single(
    node: &Node,
    graph: &mut Lowering,
    number: usize,
) -> Result<Rows, ReadError> {
    let rows = graph.table(node, number)?;
    match rows.element {
        Element::F32 => Ok(rows),
        Element::I64 | Element::I32 | Element::F64 => {
            match graph.map(Onnx::Cast(Cast::F32), &rows, Element::F32) {
                Value::Rows(rows) => Ok(rows),
                _ => unreachable!("invariant: a step gives rows"),
            }
        }
        other => Err(node.unsupported(format!("{} of {other:?}", node.operator()))),
    }
}

/// The link that an operator names.
pub(super) fn transform(node: &Node) -> Result<Transform, ReadError> {
    Ok(match &node.text("post_transform", "NONE")?[..] {
        "NONE" => Transform::None,
        "LOGISTIC" => Transform::Logistic,
        "SOFTMAX" => Transform::Softmax,
        "SOFTMAX_ZERO" => Transform::SoftmaxZero,
        "PROBIT" => Transform::Probit,
        other => return Err(node.unsupported(format!("the post_transform `{other}`"))),
    })
}

/// The labels of a classifier, whole numbers or texts.
pub(super) fn labels(node: &Node, whole: &str) -> Result<(Constant, Element), ReadError> {
    let texts = node.texts("classlabels_strings")?;
    Ok(match texts.is_empty() {
        true => (Constant::I64(node.ints(whole).to_vec()), Element::I64),
        false => (Constant::Text(texts), Element::Text),
    })
}

/// One value for each column, from as many or from one for all.
fn for_each<T: Copy>(
    node: &Node,
    name: &str,
    values: &[T],
    width: usize,
) -> Result<Vec<T>, ReadError> {
    match values {
        [value] => Ok(vec![*value; width]),
        values if values.len() == width => Ok(values.to_vec()),
        _ => {
            Err(node
                .malformed(format!("{} values of `{name}`", values.len()), format!("1 or {width}")))
        }
    }
}

fn scaler(node: &Node, graph: &mut Lowering) -> Result<Value, ReadError> {
    let width = graph.table(node, 0)?.width();
    let offset = for_each(node, "offset", node.floats("offset"), width)?;
    let scale = for_each(node, "scale", node.floats("scale"), width)?;
    let rows = graph.table(node, 0)?;
    if rows.element != Element::F64 {
        let rows = single(node, graph)?;
        return Ok(graph.map(Onnx::Scale(Scale { offset, scale }), &rows, Element::F32));
    }
    let by = |combination, values: Vec<f32>| {
        let right = Constant::F64(values.into_iter().map(f64::from).collect());
        let operand = |constant| Operand { constant, spread: None };
        Onnx::Combine(Combine {
            combination,
            left: operand(None),
            right: operand(Some(right)),
            width: width as u32,
        })
    };
    let steps = [by(Combination::Sub, offset), by(Combination::Mul, scale), Onnx::Cast(Cast::F32)];
    let mut slot = rows.slot;
    for step in steps {
        slot = graph.step(trained::ops::Op::Onnx(step), vec![slot]);
    }
    Ok(Value::Rows(Rows { slot, element: Element::F32, ..rows }))
}

fn imputer(node: &Node, graph: &mut Lowering) -> Result<Value, ReadError> {
    let rows = graph.table(node, 0)?;
    // Where the counts differ, onnxruntime takes the first value for all columns.
    fn filled<T: Copy>(values: &[T], width: usize) -> Vec<T> {
        if values.len() == width { values.to_vec() } else { vec![values[0]; width] }
    }
    let op = match (
        node.floats("imputed_value_floats"),
        node.ints("imputed_value_int64s"),
        rows.element,
    ) {
        (values @ [_, ..], [], Element::F32) => Impute::F32 {
            replaced: node.float("replaced_value_float", 0.0),
            values: filled(values, rows.width()),
        },
        ([], values @ [_, ..], Element::I64) => Impute::I64 {
            replaced: node.int("replaced_value_int64", 0),
            values: filled(values, rows.width()),
        },
        (_, _, element) => {
            return Err(node.unsupported(format!("Imputer of {element:?} with these values")));
        }
    };
    let element = rows.element;
    Ok(graph.map(Onnx::Impute(op), &rows, element))
}

fn normalizer(node: &Node, graph: &mut Lowering) -> Result<Value, ReadError> {
    let norm = match &node.text("norm", "MAX")?[..] {
        "MAX" => Normalize::Max,
        "L1" => Normalize::L1,
        "L2" => Normalize::L2,
        other => return Err(node.unsupported(format!("the norm `{other}`"))),
    };
    if graph.table(node, 0)?.element == Element::F64 {
        return Err(node.unsupported("Normalizer of DOUBLE"));
    }
    let rows = single(node, graph)?;
    Ok(graph.map(Onnx::Normalize(norm), &rows, Element::F32))
}

fn one_hot_encoder(node: &Node, graph: &mut Lowering) -> Result<Value, ReadError> {
    let rows = graph.rows(node, 0)?;
    let (whole, texts) = (node.ints("cats_int64s"), node.texts("cats_strings")?);
    if node.int("zeros", 1) == 0 {
        return Err(node.unsupported("OneHotEncoder without zeros for unknown categories"));
    }
    let (keys, count) = match (whole, rows.element == Element::Text) {
        (whole @ [_, ..], false) => (Keys::of_whole(whole.iter().copied()), whole.len()),
        ([], true) if !texts.is_empty() => {
            let count = texts.len();
            (Keys::of_texts(texts), count)
        }
        _ => {
            return Err(node.malformed(
                format!("{:?} with other categories", rows.element),
                "categories of its type",
            ));
        }
    };
    let dims = [&rows.dims[..], &[count]].concat();
    let op = Onnx::OneHot(OneHot { keys, count: count as u32 });
    match graph.map(op, &rows, Element::F32) {
        Value::Rows(result) => Ok(Value::Rows(Rows { dims, ..result })),
        _ => unreachable!("invariant: a step gives rows"),
    }
}

fn category_mapper(node: &Node, graph: &mut Lowering) -> Result<Value, ReadError> {
    let rows = graph.rows(node, 0)?;
    let (texts, whole) = (node.texts("cats_strings")?, node.ints("cats_int64s").to_vec());
    if texts.len() != whole.len() {
        return Err(
            node.malformed(format!("{} texts for {} numbers", texts.len(), whole.len()), "as many")
        );
    }
    if rows.element == Element::Text {
        let values = [whole, vec![node.int("default_int64", -1)]].concat();
        let op = Map { keys: Keys::of_texts(texts), values: Constant::I64(values) };
        return Ok(graph.map(Onnx::Map(op), &rows, Element::I64));
    }
    let values = [texts, vec![node.text("default_string", "_Unused")?]].concat();
    let op = Map { keys: Keys::of_whole(whole), values: Constant::Text(values) };
    Ok(graph.map(Onnx::Map(op), &rows, Element::Text))
}

fn label_encoder(node: &Node, graph: &mut Lowering) -> Result<Value, ReadError> {
    let rows = graph.rows(node, 0)?;
    let classes = node.texts("classes_strings")?;
    let (keys, values, element) = if classes.is_empty() {
        let (values, element) = encoder_values(node)?;
        (encoder_keys(node)?, values, element)
    } else if rows.element == Element::Text {
        let numbers = (0..classes.len() as i64).chain([node.int("default_int64", -1)]).collect();
        (Keys::of_texts(classes), Constant::I64(numbers), Element::I64)
    } else {
        let keys = Keys::of_whole(0..classes.len() as i64);
        (
            keys,
            Constant::Text([classes, vec![node.text("default_string", "_Unused")?]].concat()),
            Element::Text,
        )
    };
    let fits = match &keys {
        Keys::Text(_) => rows.element == Element::Text,
        Keys::I64(_) => matches!(rows.element, Element::I64 | Element::I32),
        Keys::F32(_) => rows.element == Element::F32,
    };
    if !fits {
        return Err(node
            .unsupported(format!("LabelEncoder of {:?} with keys of another type", rows.element)));
    }
    Ok(graph.map(Onnx::Map(Map { keys, values }), &rows, element))
}

fn encoder_keys(node: &Node) -> Result<Keys, ReadError> {
    let texts = node.texts("keys_strings")?;
    if !texts.is_empty() {
        return Ok(Keys::of_texts(texts));
    }
    if let whole @ [_, ..] = node.ints("keys_int64s") {
        return Ok(Keys::of_whole(whole.iter().copied()));
    }
    if let numbers @ [_, ..] = node.floats("keys_floats") {
        return Ok(Keys::of_single(numbers.iter().copied()));
    }
    match node.tensor("keys_tensor")?.map(|tensor| tensor.values) {
        Some(Constant::Text(texts)) => Ok(Keys::of_texts(texts)),
        Some(Constant::I64(whole)) => Ok(Keys::of_whole(whole)),
        Some(Constant::F32(numbers)) => Ok(Keys::of_single(numbers)),
        Some(Constant::F64(_)) => Err(node.unsupported("keys of DOUBLE")),
        None => Err(node.malformed("no keys", "one or more")),
    }
}

/// The values, with the one for what is no key behind them.
fn encoder_values(node: &Node) -> Result<(Constant, Element), ReadError> {
    let other = node.tensor("default_tensor")?.map(|tensor| tensor.values);
    let tensor = node.tensor("values_tensor")?.map(|tensor| tensor.values);
    let texts = node.texts("values_strings")?;
    let (whole, numbers) =
        (node.ints("values_int64s").to_vec(), node.floats("values_floats").to_vec());
    let values = match tensor {
        Some(tensor) => tensor,
        None if !texts.is_empty() => Constant::Text(texts),
        None if !whole.is_empty() => Constant::I64(whole),
        None => Constant::F32(numbers),
    };
    Ok(match (values, other) {
        (Constant::Text(values), Some(Constant::Text(other))) => {
            (Constant::Text([values, other].concat()), Element::Text)
        }
        (Constant::Text(values), _) => (
            Constant::Text([values, vec![node.text("default_string", "_Unused")?]].concat()),
            Element::Text,
        ),
        (Constant::I64(values), Some(Constant::I64(other))) => {
            (Constant::I64([values, other].concat()), Element::I64)
        }
        (Constant::I64(values), _) => {
            (Constant::I64([values, vec![node.int("default_int64", -1)]].concat()), Element::I64)
        }
        (Constant::F32(values), Some(Constant::F32(other))) => {
            (Constant::F32([values, other].concat()), Element::F32)
        }
        (Constant::F32(values), _) => (
            Constant::F32([values, vec![node.float("default_float", -0.0)]].concat()),
            Element::F32,
        ),
        (Constant::F64(_), _) => return Err(node.unsupported("values of DOUBLE")),
    })
}

fn linear_regressor(node: &Node, graph: &mut Lowering) -> Result<Value, ReadError> {
    let rows = single(node, graph)?;
    let targets = node.int("targets", 1).max(1) as usize;
    limits::check(&node.place(), targets, "scores", limits::OUTPUTS)?;
    let bias = Some(node.floats("intercepts").to_vec()).filter(|bias| bias.len() == targets);
    let scores = dense(node, graph, &rows, targets, bias)?;
    match (transform(node)?, targets) {
        (Transform::None, _) => Ok(Value::Rows(scores)),
        // A single score has no other link in onnxruntime.
        (transform, 1) if transform != Transform::Probit => Ok(Value::Rows(scores)),
        (transform, _) => {
            let op = Scores { base: Vec::new(), second: Second::Nothing, transform };
            Ok(graph.map(Onnx::Scores(op), &scores, Element::F32))
        }
    }
}

fn linear_classifier(node: &Node, graph: &mut Lowering) -> Result<Vec<Value>, ReadError> {
    let rows = single(node, graph)?;
    let bias = node.floats("intercepts").to_vec();
    let classes = bias.len();
    if classes == 0 {
        return Err(node.unsupported("LinearClassifier without intercepts"));
    }
    let scores = dense(node, graph, &rows, classes, Some(bias))?;
    let (labels, element) = labels(node, "classlabels_ints")?;
    let (by, second) = match (classes, labels.len()) {
        // Onnxruntime takes one score for the second of two classes as it is, and leaves out the link.
        (1, 2) => (By::Above { score: 0, bound: 0.0 }, Second::Complement),
        (classes, count) if classes == count => (By::Greatest, Second::Nothing),
        (classes, count) => {
            return Err(node.malformed(format!("{count} labels"), format!("{classes}")));
        }
    };
    let op = Scores { base: Vec::new(), second, transform: transform(node)? };
    let label =
        graph.add(Onnx::Decide(Decide { labels, by }), vec![scores.slot], element, Vec::new());
    let dims = vec![if second == Second::Complement { 2 } else { classes }];
    let scores = graph.add(Onnx::Scores(op), vec![scores.slot], Element::F32, dims);
    Ok(vec![label, scores])
}

fn dense(
    node: &Node,
    graph: &mut Lowering,
    rows: &Rows,
    outputs: usize,
    bias: Option<Vec<f32>>,
) -> Result<Rows, ReadError> {
    let coefficients = node.floats("coefficients");
    if coefficients.len() != outputs * rows.width() {
        return Err(node.malformed(
            format!("{} coefficients", coefficients.len()),
            format!("{} for {outputs} outputs of {} columns", outputs * rows.width(), rows.width()),
        ));
    }
    let op = Onnx::Dense(Dense::transposed(outputs, coefficients, bias));
    match graph.add(op, vec![rows.slot], Element::F32, vec![outputs]) {
        Value::Rows(rows) => Ok(rows),
        _ => unreachable!("invariant: a step gives rows"),
    }
}
