//! A change on its way: what it would do, why it is wanted, and what came of it.

use serde_json::Value;

use crate::source::Change;

/// What is asked before something is changed.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Dialog {
    /// What the keys do.
    Help,
    /// A change on its way.
    Change {
        /// What is to be done.
        change: Change,
        /// How far it has come.
        stage: Stage,
        /// Why, as far as it is typed.
        why: String,
    },
}

/// How far a change has come.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Stage {
    /// Because the host is asked what it would do.
    Asking,
    /// Because the person has to say yes.
    Ready(Outcome),
    /// Because the host is doing it.
    Making,
    /// Because the host has done it.
    Done(Outcome),
    /// Because the host refused, and this is why.
    Refused(String),
}

/// What a change does.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Outcome {
    /// Models with what they were before and are afterwards.
    pub(crate) roster: Vec<[String; 3]>,
    /// The files that are written.
    pub(crate) files: Vec<String>,
    /// What is to be thought of.
    pub(crate) warnings: Vec<String>,
}

impl Outcome {
    /// Reads what the host replied.
    pub(crate) fn read(reply: &Value) -> Self {
        let list = |name: &str| reply[name].as_array().cloned().unwrap_or_default();
        let roster = list("roster")
            .into_iter()
            .map(|row| [text(&row["model"]), text(&row["before"]), text(&row["after"])]);
        Self {
            roster: roster.filter(|[_, before, after]| before != after).collect(),
            files: list("files").iter().map(|file| text(&file["path"])).collect(),
            warnings: list("warnings").iter().map(text).collect(),
        }
    }
}

/// A value as a few words: what an object holds stands side by side.
fn text(value: &Value) -> String {
    match value {
        Value::Null => "–".to_owned(),
        Value::String(text) => text.clone(),
        Value::Object(fields) => {
            let known = fields.values().filter(|value| !value.is_null());
            known.map(text).collect::<Vec<_>>().join(" ")
        }
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_stays_as_it_is_is_left_out() {
        let outcome = Outcome::read(&json!({
            "roster": [
                { "model": "gbdt", "before": "champion", "after": "challenger" },
                { "model": "logit", "before": "canary", "after": "canary" },
                { "model": "new", "before": null, "after": { "role": "champion", "place": 1 } },
            ],
            "files": [{ "path": "flights/endpoint.toml", "before": "…", "after": "…" }],
            "warnings": ["it has scored nothing yet"],
        }));
        let roster = [["gbdt", "champion", "challenger"], ["new", "–", "1 champion"]];
        assert_eq!(outcome.roster, roster.map(|row| row.map(str::to_owned)));
        assert_eq!(outcome.files, ["flights/endpoint.toml"]);
        assert_eq!(outcome.warnings, ["it has scored nothing yet"]);
        assert_eq!(Outcome::read(&json!({})), Outcome::default());
    }
}
