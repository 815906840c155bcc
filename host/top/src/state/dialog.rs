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
    /// What is to be thought of, and what speaks against it.
    pub(crate) warnings: Vec<String>,
    /// How far it has come, where that is not as far as it goes.
    pub(crate) rest: Option<String>,
}

impl Outcome {
    /// Reads what the host replied, or why it would refuse.
    pub(crate) fn read(reply: &Value) -> Result<Self, String> {
        if let Some(error) = reply["error"].as_str() {
            return Err(error.to_owned());
        }
        let list = |name: &str| reply[name].as_array().cloned().unwrap_or_default();
        let roster = list("roster").into_iter().map(|row| {
            let (before, after) = (&row["before"], &row["after"]);
            [text(&row["model"]), side(before, after), side(after, before)]
        });
        let warnings = list("warnings").into_iter().chain(list("objections"));
        Ok(Self {
            roster: roster.filter(|[_, before, after]| before != after).collect(),
            files: list("files").iter().map(|file| text(&file["path"])).collect(),
            warnings: warnings.map(|warning| text(&warning)).collect(),
            rest: rest(reply),
        })
    }
}

/// What a model is on one side of a change: its role, and whatever differs on the other side.
fn side(side: &Value, other: &Value) -> String {
    if side.is_null() {
        return "not there".to_owned();
    }
    if !side.is_object() {
        return text(side);
    }
    let mut words = vec![text(&side["role"])];
    if side["places"] != other["places"] {
        let places = side["places"].as_array().into_iter().flatten().map(text);
        let places: Vec<String> = places.collect();
        words.push(if places.is_empty() { "answers nothing".into() } else { places.join(" and ") });
    }
    if side["revision"] != other["revision"] && !other.is_null() {
        words.push(text(&side["revision"]));
    }
    match (&side["paused"], &other["paused"]) {
        (Value::Bool(true), _) => words.push("paused".to_owned()),
        (_, Value::Bool(true)) => words.push("asked".to_owned()),
        _ => {}
    }
    words.join(", ")
}

fn rest(reply: &Value) -> Option<String> {
    let awaited = reply["waits_for"].as_array().into_iter().flatten().map(text);
    let awaited: Vec<String> = awaited.collect();
    match reply["outcome"].as_str()? {
        "written" if awaited.is_empty() => {
            Some("The files are written; the host has not taken them up yet.".to_owned())
        }
        "written" => {
            let run = if awaited.len() == 1 { "runs" } else { "run" };
            let awaited = awaited.join(" and ");
            Some(format!("The files are written; this takes hold when {awaited} {run}."))
        }
        "nothing to change" => Some("It is so already.".to_owned()),
        _ => None,
    }
}

fn text(value: &Value) -> String {
    match value {
        Value::Null => "–".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn each_side_says_what_differs_on_the_other() {
        let side = |role: &str, places: &[&str], revision: &str, paused: bool| json!({ "role": role, "places": places, "revision": revision, "paused": paused });
        let outcome = Outcome::read(&json!({
            "outcome": "dry run",
            "roster": [
                { "model": "a", "before": side("champion", &["order 1"], "1", false),
                  "after": side("challenger", &["order 2"], "1", false) },
                { "model": "b", "before": side("staged", &[], "1", true),
                  "after": side("staged", &[], "1", false) },
                { "model": "c", "before": side("canary", &[], "1", false),
                  "after": side("canary", &[], "1", false) },
                { "model": "d", "before": null, "after": side("staged", &[], "2", false) },
                { "model": "e", "before": side("staged", &[], "2", false),
                  "after": side("staged", &[], "3", false) },
                { "model": "f", "before": side("fallback", &["order 3"], "1", false),
                  "after": null },
            ],
            "files": [{ "path": "endpoint.toml", "before": "…", "after": "…" }],
            "warnings": ["a was the champion"],
            "objections": ["b has scored nothing yet"],
        }));
        let outcome = outcome.unwrap();
        let roster = [
            ["a", "champion, order 1", "challenger, order 2"],
            ["b", "staged, paused", "staged, asked"],
            ["d", "not there", "staged, answers nothing"],
            ["e", "staged, 2", "staged, 3"],
            ["f", "fallback, order 3", "not there"],
        ];
        assert_eq!(outcome.roster, roster.map(|row| row.map(str::to_owned)));
        assert_eq!(outcome.files, ["endpoint.toml"]);
        assert_eq!(outcome.warnings, ["a was the champion", "b has scored nothing yet"]);
        assert_eq!(outcome.rest, None);
    }

    #[test]
    fn what_would_be_refused_is_no_outcome() {
        let refused = json!({ "outcome": "refused", "error": "it is not live" });
        assert_eq!(Outcome::read(&refused), Err("it is not live".to_owned()));
        assert_eq!(Outcome::read(&json!({})), Ok(Outcome::default()));
        let rest = |reply| Outcome::read(&reply).unwrap().rest.unwrap();
        assert_eq!(rest(json!({ "outcome": "nothing to change" })), "It is so already.");
        let written = rest(json!({ "outcome": "written", "waits_for": ["b", "c"] }));
        assert!(written.ends_with("when b and c run."), "{written}");
    }
}
