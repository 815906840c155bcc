//! Losses: what a model of CatBoost was trained for, and what it predicts then.

use trained::Kind;
use trained::ops::{Choice, Classes, FastLink, Label, Link, Op};

use crate::value::{Node, Value};
use crate::{ReadError, Task};

/// What a model was trained for.
#[derive(Debug)]
pub(super) struct Loss {
    /// The name that the library gives it.
    pub(super) name: String,
    pub(super) task: Task,
    /// What makes predictions of raw scores, where they are others.
    pub(super) link: Option<Op>,
    classes: Option<Classes>,
    /// What the raw score of the second of two classes has to be above.
    bound: f64,
}

const REGRESSIONS: [&str; 14] = [
    "RMSE",
    "MAE",
    "Quantile",
    "LogLinQuantile",
    "MAPE",
    "Lq",
    "Huber",
    "Expectile",
    "LogCosh",
    "MultiRMSE",
    "MultiRMSEWithMissingValues",
    "MultiQuantile",
    "Cox",
    "SurvivalAft",
];
const RANKINGS: [&str; 11] = [
    "PairLogit",
    "PairLogitPairwise",
    "YetiRank",
    "YetiRankPairwise",
    "LambdaMart",
    "StochasticFilter",
    "StochasticRank",
    "QueryRMSE",
    "QuerySoftMax",
    "QueryCrossEntropy",
    "GroupQuantile",
];

impl Loss {
    /// Reads it from what the file says of the model.
    pub(super) fn read(info: &Node<'_>) -> Result<Self, ReadError> {
        let loss = info.get("params")?.get("loss_function")?.get("type")?;
        let name = loss.text()?;
        let sigmoid = Some(Op::Link(Link::Sigmoid { factor: 1.0 }));
        let (task, link) = match name {
            "Logloss" | "CrossEntropy" | "Focal" => (Task::Binary, sigmoid),
            "MultiClass" => (Task::Multiclass, Some(Op::FastLink(FastLink::Softmax))),
            "MultiClassOneVsAll" | "MultiLogloss" | "MultiCrossEntropy" => {
                (Task::Multiclass, sigmoid)
            }
            "Poisson" | "Tweedie" => (Task::Regression, Some(Op::FastLink(FastLink::Exp))),
            name if REGRESSIONS.contains(&name) => (Task::Regression, None),
            name if RANKINGS.contains(&name) => (Task::Ranking, None),
            name => return Err(loss.unsupported(format!("the loss {name}"), None)),
        };
        // Several labels at once are no decision for one of them.
        let decides = matches!(name, "Logloss" | "Focal" | "MultiClass" | "MultiClassOneVsAll");
        let classes = match info.find("class_params")? {
            Some(classes) if decides => read_classes(&classes)?,
            _ => None,
        };
        let bound = match info.find("binclass_probability_threshold")? {
            None => 0.0,
            Some(threshold) => {
                let probability = threshold.text()?.parse::<f64>().ok();
                let Some(probability) = probability.filter(|it| (0.0..=1.0).contains(it)) else {
                    return Err(threshold.wrong("a text that is a number from 0 to 1"));
                };
                -(1.0 / probability - 1.0).ln()
            }
        };
        Ok(Self { name: name.to_owned(), task, link, classes, bound })
    }

    /// How the model names the class that it decides for, where the file has names.
    pub(super) fn label(&self, outputs: usize) -> Result<Option<(Label, Kind)>, ReadError> {
        let Some(classes) = self.classes.clone() else { return Ok(None) };
        let (count, kind) = match &classes {
            Classes::Text(names) => (names.len(), Kind::Text),
            Classes::I64(numbers) => (numbers.len(), Kind::I64),
        };
        let expected = if self.task == Task::Binary { 2 } else { outputs };
        if count != expected {
            return Err(ReadError::Malformed {
                place: "model_info.class_params.class_names".to_owned(),
                found: format!("{count} classes"),
                expected: expected.to_string(),
            });
        }
        let choice = match self.task {
            Task::Binary => Choice::Above(self.bound),
            _ => Choice::Greatest,
        };
        Ok(Some((Label { classes, choice }, kind)))
    }
}

fn read_classes(classes: &Node<'_>) -> Result<Option<Classes>, ReadError> {
    let names = classes.get("class_names")?;
    let names = match names.value {
        Value::List(list) if list.is_empty() => return Ok(None),
        _ => names.list()?,
    };
    let places = classes.get("class_to_label")?;
    let in_order = places.f64s()?.iter().enumerate().all(|(at, place)| *place == at as f64);
    if !in_order || places.f64s()?.len() != names.len() {
        return Err(places.unsupported("a model that does not know all classes", None));
    }
    let numbers: Option<Vec<i64>> = names.iter().map(whole).collect();
    if let Some(numbers) = numbers {
        return Ok(Some(Classes::I64(numbers)));
    }
    let name = |node: &Node<'_>| match node.value {
        Value::Text(text) => Ok(text.to_string()),
        Value::Bool(true) => Ok("True".to_owned()),
        Value::Bool(false) => Ok("False".to_owned()),
        // As Python writes it: with a point, whole or not.
        Value::Digits(_) => Ok(format!("{:?}", node.f64()?)),
        _ => Err(node.wrong("the name of a class")),
    };
    Ok(Some(Classes::Text(names.iter().map(name).collect::<Result<_, _>>()?)))
}

fn whole(node: &Node<'_>) -> Option<i64> {
    match node.value {
        Value::Digits(_) => node.f64().ok().filter(|it| it.fract() == 0.0 && it.abs() < 1e15),
        _ => None,
    }
    .map(|number| number as i64)
}
