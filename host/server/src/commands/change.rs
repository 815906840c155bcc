//! What all commands have in common that change an endpoint.

use std::io::IsTerminal;
use std::process::ExitCode;

use anyhow::{Result, bail};
use clap::Args;
use serde_json::Value;

use super::diff;
use super::output::{print, print_line};
use super::reach::{Reach, encoded, path_of};
use super::status::text;
use super::table::Table;

/// How a change is made.
#[derive(Debug, Args)]
pub(super) struct Terms {
    /// Show what would change, and change nothing.
    #[arg(long)]
    dry_run: bool,
    /// Do it although something speaks against it.
    #[arg(long)]
    force: bool,
    /// Why, for the history.
    #[arg(long, value_name = "TEXT")]
    why: Option<String>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    host: Reach,
}

/// A change as the host is asked for it.
pub(super) struct Request<'a> {
    pub(super) method: &'a str,
    pub(super) endpoint: &'a str,
    /// What stands behind the endpoint in the path.
    pub(super) segments: &'a [&'a str],
    pub(super) content_type: &'a str,
    pub(super) body: &'a [u8],
}

impl<'a> Request<'a> {
    /// A change that needs no body.
    pub(super) const fn post(endpoint: &'a str, segments: &'a [&'a str]) -> Self {
        Self { method: "POST", endpoint, segments, content_type: "application/json", body: b"" }
    }
}

impl Terms {
    /// Makes a change, and prints what came of it. Exit status 1 if it is, or would be, refused.
    pub(super) fn make(&self, request: &Request<'_>) -> Result<ExitCode> {
        let mut path = path_of(request.endpoint, request.segments);
        let mut query = Vec::new();
        if self.dry_run {
            query.push("dry_run=true".to_owned());
        }
        if self.force {
            query.push("force=true".to_owned());
        }
        query.extend(self.why.as_ref().map(|why| format!("why={}", encoded(why))));
        if !query.is_empty() {
            path += &format!("?{}", query.join("&"));
        }
        let Request { method, content_type, body, .. } = request;
        let document = self.host.change(method, &path, content_type, body)?;
        let error = document["error"].as_str();
        if self.json {
            print_line(serde_json::to_string_pretty(&document)?)?;
        } else if let (Some(error), false) = (error, self.dry_run) {
            bail!("{error}");
        } else {
            let colour = std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
            print(page_of(&document, colour))?;
        }
        Ok(if error.is_some() { ExitCode::FAILURE } else { ExitCode::SUCCESS })
    }
}

/// What came of a change, for people.
fn page_of(document: &Value, colour: bool) -> String {
    let mut page = headline(document);
    for warning in document["warnings"].as_array().into_iter().flatten() {
        page += &format!("note: {}\n", text(warning));
    }
    if let Some(error) = document["error"].as_str() {
        page += &format!("refused: {error}\n");
    }
    if let Some(note) = document["note"].as_str() {
        page += &format!("but: {note}\n");
    }
    let files = document["files"].as_array().map(Vec::as_slice).unwrap_or_default();
    if files.is_empty() {
        return page;
    }
    page += &format!("\n{}\n", roster(document));
    for file in files {
        page += &file_page(file, colour);
    }
    page
}

fn headline(document: &Value) -> String {
    let model = document["model"].as_str().map(|model| format!(" {model}")).unwrap_or_default();
    let waits = document["waits_for"].as_array().into_iter().flatten().map(text);
    let waits: Vec<String> = waits.collect();
    let outcome = match text(&document["outcome"]).as_str() {
        "written" if waits.is_empty() => {
            "written; the host has not taken it up yet, see `understudy status`".to_owned()
        }
        "written" => format!("written; it takes hold when {} runs", waits.join(" and ")),
        outcome => outcome.to_owned(),
    };
    let event = text(&document["event"]);
    format!("{event}{model} at {}: {outcome}\n", text(&document["endpoint"]))
}

fn roster(document: &Value) -> Table {
    let mut table = Table::new(&["model", "state", "role", "place", "revision"]);
    for row in document["roster"].as_array().into_iter().flatten() {
        let (before, after) = (&row["before"], &row["after"]);
        let changed = |of: &dyn Fn(&Value) -> String| match (of(before), of(after)) {
            (before, after) if before == after => before,
            (before, after) => format!("{before} -> {after}"),
        };
        let state = |side: &Value| if side["paused"] == true { ", paused" } else { "" };
        let paused = match (state(before), state(after)) {
            ("", ", paused") => " -> paused",
            (", paused", "") => " -> resumed",
            _ => "",
        };
        table.row([
            text(&row["model"]),
            format!("{}{paused}", text(&row["state"])),
            changed(&|side| if side.is_null() { "gone".into() } else { text(&side["role"]) }),
            changed(&places),
            changed(&|side| text(&side["revision"])),
        ]);
    }
    table
}

fn places(side: &Value) -> String {
    let places: Vec<String> = side["places"].as_array().into_iter().flatten().map(text).collect();
    if places.is_empty() { "-".to_owned() } else { places.join("; ") }
}

fn file_page(file: &Value, colour: bool) -> String {
    let path = text(&file["path"]);
    let digest = |side: &str| {
        let digest = file[side].as_str();
        digest.map_or("nothing".to_owned(), |digest| digest.get(..12).unwrap_or(digest).to_owned())
    };
    if !path.ends_with(".toml") {
        let (before, after) = (digest("before_digest"), digest("after_digest"));
        return format!("{path}: {before} -> {after}\n");
    }
    let side = |side: &str| file[side].as_str().unwrap_or_default();
    let lines = diff::lines(side("before"), side("after"));
    format!("{path}\n{}", diff::page(&lines, colour))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_change_reads_as_headline_roster_and_files() {
        let side = |role: &str, places: &[&str]| json!({ "role": role, "places": places, "revision": "abc", "paused": false });
        let document = json!({
            "endpoint": "e", "event": "promote", "model": "b", "outcome": "taken up",
            "warnings": ["b was the fallback"], "objections": [],
            "roster": [
                { "model": "a", "state": "live", "before": side("champion", &["order 1"]),
                  "after": side("challenger", &["order 2"]) },
                { "model": "b", "state": "live", "before": side("staged", &[]),
                  "after": side("champion", &["order 1"]) },
            ],
            "files": [{ "path": "endpoint.toml", "before": "x = 1\ny = 2\n", "after": "x = 1\ny = 3\n" }],
        });
        let expected = "promote b at e: taken up\nnote: b was the fallback\n\n\
            model  state  role                    place               revision\n\
            a      live   champion -> challenger  order 1 -> order 2  abc\n\
            b      live   staged -> champion      - -> order 1        abc\n\n\
            endpoint.toml\n   x = 1\n  -y = 2\n  +y = 3\n";
        assert_eq!(page_of(&document, false), expected);
    }

    #[test]
    fn what_waits_says_for_whom() {
        let document = json!({
            "endpoint": "e", "event": "policy-set", "outcome": "written", "waits_for": ["b"],
            "files": [],
        });
        let page = page_of(&document, false);
        assert_eq!(page, "policy-set at e: written; it takes hold when b runs\n");
    }
}
