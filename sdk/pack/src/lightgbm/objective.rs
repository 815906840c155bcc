//! Objectives: what a model is for, and its link.

use trained::ops::Link;

use crate::{ReadError, Task};

/// An objective as the header names it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Objective<'a> {
    pub(super) name: &'a str,
    pub(super) task: Task,
    pub(super) link: Option<Link>,
}

impl<'a> Objective<'a> {
    /// Reads `binary sigmoid:1`. A model without an objective was trained with one of the user's own, and gives its scores as they are.
    pub(super) fn parse(line: Option<&'a str>) -> Result<Self, ReadError> {
        let Some(line) = line else {
            return Ok(Self {
                name: "an objective of one's own",
                task: Task::Regression,
                link: None,
            });
        };
        let mut words = line.split_whitespace();
        let name = words.next().unwrap_or_default();
        let options: Vec<_> = words.collect();
        let sigmoid = || {
            let factor = options.iter().find_map(|option| option.strip_prefix("sigmoid:"));
            let factor = factor.unwrap_or("1");
            factor.parse().map(|factor| Link::Sigmoid { factor }).map_err(|_| {
                ReadError::Malformed {
                    place: "the header, key `objective`".to_owned(),
                    found: format!("sigmoid:{factor}"),
                    expected: "a number".to_owned(),
                }
            })
        };
        let (task, link) = match name {
            "binary" => (Task::Binary, Some(sigmoid()?)),
            "multiclassova" => (Task::Multiclass, Some(sigmoid()?)),
            "multiclass" => (Task::Multiclass, Some(Link::Softmax)),
            "cross_entropy" => (Task::Binary, Some(Link::Sigmoid { factor: 1.0 })),
            "cross_entropy_lambda" => (Task::Regression, Some(Link::LogOnePlusExp)),
            "poisson" | "gamma" | "tweedie" => (Task::Regression, Some(Link::Exp)),
            "regression" | "regression_l1" | "quantile" | "mape" if options.contains(&"sqrt") => {
                (Task::Regression, Some(Link::SignedSquare))
            }
            "regression" | "regression_l1" | "huber" | "fair" | "quantile" | "mape" => {
                (Task::Regression, None)
            }
            "lambdarank" | "rank_xendcg" => (Task::Ranking, None),
            _ => {
                return Err(ReadError::Unsupported {
                    place: "the header, key `objective`".to_owned(),
                    what: format!("the objective `{name}`"),
                    hint: None,
                });
            }
        };
        Ok(Self { name, task, link })
    }
}
