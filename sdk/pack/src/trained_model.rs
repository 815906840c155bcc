//! What a reader gives: a pipeline, and what is known of the model besides.

use serde::Serialize;
use trained::{Kind, Pipeline};

use crate::Format;

/// A trained model as it was read.
#[derive(Debug, Clone, PartialEq)]
pub struct Trained {
    /// What it does.
    pub pipeline: Pipeline,
    /// What it is for.
    pub task: Task,
    /// The format of its file, which names the library.
    pub format: Format,
    /// The version of the library, or of its format, where the file says it.
    pub library_version: Option<String>,
    /// What it is, in some words: `100 trees, binary`.
    pub summary: String,
    /// The columns that it was trained on, in order.
    pub columns: Vec<TrainedColumn>,
}

/// What a model is for. The names and shapes of its outputs follow from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Task {
    /// One probability.
    Binary,
    /// A probability for each class.
    Multiclass,
    /// A number, or several.
    Regression,
    /// A score to sort by.
    Ranking,
    /// Other values than predictions: what a pipeline without a model at its end gives.
    Transform,
}

impl Task {
    /// What the first output is called.
    pub fn output(self) -> &'static str {
        match self {
            Self::Binary => "probability",
            Self::Multiclass => "probabilities",
            Self::Regression => "prediction",
            Self::Ranking => "score",
            Self::Transform => "features",
        }
    }
}

/// A column that a model was trained on.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TrainedColumn {
    /// Its name; `features[3]` where it has none.
    pub name: String,
    /// The type of its tensor, as the protocol names it.
    #[serde(serialize_with = "protocol")]
    pub kind: Kind,
    /// What is known of its values.
    #[serde(flatten)]
    pub domain: Domain,
}

/// What a file says of the values of a column.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Domain {
    /// The least and the greatest number that training saw.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub range: Option<(f64, f64)>,
    /// The categories that training saw, as texts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub categories: Option<Vec<String>>,
}

fn protocol<S: serde::Serializer>(kind: &Kind, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(kind.protocol())
}
