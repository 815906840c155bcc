//! Objectives: what a model of XGBoost starts from, and what it makes of its sums.

use trained::ops::{Choice, Classes, Label, Link32};

use super::{Link, number, number_or};
use crate::value::Node;
use crate::{ReadError, Task, limits};

/// What a model was trained for.
#[derive(Debug)]
pub(super) struct Objective {
    /// The name that the library gives it.
    pub(super) name: String,
    pub(super) task: Task,
    pub(super) link: Link,
    /// What the sum of each output starts from. There are as many outputs.
    pub(super) base: Vec<f32>,
}

/// What a base score is given in.
#[derive(Clone, Copy)]
enum Base {
    /// In raw scores.
    Raw,
    /// In probabilities, of which the logits are taken.
    Probability,
    /// In predictions, of which the logarithms are taken.
    Exponential,
}

/// The least probability that a base score can be, and one minus the greatest.
const LEAST_PROBABILITY: f32 = 1e-6;

impl Objective {
    /// Reads it, with the base scores.
    pub(super) fn read(learner: &Node<'_>) -> Result<Self, ReadError> {
        let place = learner.get("objective")?.get("name")?;
        let name = place.text()?;
        let (mut task, base, link) = match name {
            "reg:squarederror"
            | "reg:linear"
            | "reg:squaredlogerror"
            | "reg:pseudohubererror"
            | "reg:absoluteerror"
            | "reg:quantileerror"
            | "binary:logitraw" => (Task::Regression, Base::Raw, None),
            "reg:logistic" => (Task::Regression, Base::Probability, Some(Link32::Sigmoid)),
            "binary:logistic" => (Task::Binary, Base::Probability, Some(Link32::Sigmoid)),
            "binary:hinge" => (Task::Regression, Base::Raw, Some(Link32::Hinge)),
            "count:poisson" | "reg:gamma" | "reg:tweedie" | "survival:cox" | "survival:aft" => {
                (Task::Regression, Base::Exponential, Some(Link32::Exp))
            }
            "multi:softprob" | "multi:softmax" => {
                (Task::Multiclass, Base::Raw, Some(Link32::Softmax))
            }
            "rank:ndcg" | "rank:map" | "rank:pairwise" => (Task::Ranking, Base::Raw, None),
            name => return Err(place.unsupported(format!("the objective {name}"), None)),
        };
        let base = base_scores(&learner.get("learner_model_param")?, base)?;
        // Several labels at once: a probability for each.
        if task == Task::Binary && base.len() > 1 {
            task = Task::Multiclass;
        }
        Ok(Self { name: name.to_owned(), task, link, base })
    }

    /// How the model names the class that it decides for, where the library answers with it.
    pub(super) fn label(&self) -> Option<Label> {
        let classes = Classes::I64((0..self.base.len() as i64).collect());
        (self.name == "multi:softmax").then_some(Label { classes, choice: Choice::Greatest })
    }
}

fn base_scores(param: &Node<'_>, base: Base) -> Result<Vec<f32>, ReadError> {
    let outputs = number(param, "num_class")?.max(number_or(param, "num_target", 1)?).max(1);
    limits::check(&param.place, outputs, "scores", limits::OUTPUTS)?;
    let place = param.get("base_score")?;
    let text = place.text()?;
    // Since 3.1 there is one for each output, in brackets.
    let inner = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    let numbers = inner.split(',').map(|number| number.trim().parse::<f32>());
    let Ok(mut numbers) = numbers.collect::<Result<Vec<_>, _>>() else {
        return Err(place.wrong("a text of numbers"));
    };
    if numbers.len() == 1 {
        numbers.resize(outputs, numbers[0]);
    }
    if numbers.len() != outputs {
        return Err(place.wrong(&format!("a number, or one for each of {outputs} outputs")));
    }
    Ok(numbers.into_iter().map(|number| base.raw(number)).collect())
}

impl Base {
    /// The raw score that the library starts from.
    ///
    /// Its logarithm is the one of the machine, as here: the number becomes a constant of the packed model.
    fn raw(self, number: f32) -> f32 {
        match self {
            Self::Raw => number,
            Self::Exponential => number.ln(),
            Self::Probability => {
                let probability = number.clamp(LEAST_PROBABILITY, 1.0 - LEAST_PROBABILITY);
                -(1.0 / probability - 1.0).ln()
            }
        }
    }
}
