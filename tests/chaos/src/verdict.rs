//! What a run has come to, said for people; and where it went wrong, everything kept in files.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::io;
use std::path::Path;

use crate::world::Outcome;
use crate::{Record, Report, Schedule, check, story};

/// Of so many requests in which something is wrong the story is told.
const STORIES: usize = 5;
/// So many violations are listed.
const LISTED: usize = 20;

/// What a run has come to.
#[derive(Debug)]
pub struct Verdict {
    /// Whether everything that was promised was kept.
    pub is_well: bool,
    /// What there was and what was wrong.
    pub text: String,
}

/// Judges a run. Where something is wrong, topics, logs and the verdict are kept in `folder`.
///
/// # Errors
///
/// When the files cannot be written.
pub fn judge(schedule: &Schedule, outcome: &Outcome, folder: &Path) -> io::Result<Verdict> {
    let reports: Vec<Report> = outcome.histories.iter().map(check).collect();
    let is_well = outcome.stuck.is_empty() && reports.iter().all(|it| it.violations.is_empty());
    let mut text = String::new();
    tell(&mut text, schedule, outcome, &reports, is_well).expect("invariant: a text can grow");
    if !is_well {
        writeln!(text, "everything is in {}", folder.display())
            .expect("invariant: a text can grow");
        keep(outcome, &text, folder)?;
    }
    Ok(Verdict { is_well, text })
}

fn tell(
    text: &mut String,
    schedule: &Schedule,
    outcome: &Outcome,
    reports: &[Report],
    is_well: bool,
) -> std::fmt::Result {
    if !is_well {
        writeln!(text, "{schedule}\nwhat was done:")?;
        for (at, what) in &outcome.done {
            writeln!(text, "  {:8.3} s  {what}", at.as_secs_f64())?;
        }
    }
    for (history, report) in outcome.histories.iter().zip(reports) {
        writeln!(text, "endpoint {}\n{}", history.rules.endpoint, report.counts)?;
        if report.violations.is_empty() {
            continue;
        }
        writeln!(text, "{} violations:", report.violations.len())?;
        report.violations.iter().take(LISTED).try_for_each(|found| writeln!(text, "  {found}"))?;
        let ids: BTreeSet<&str> =
            report.violations.iter().filter_map(|found| found.id.as_deref()).collect();
        for id in ids.into_iter().take(STORIES) {
            write!(text, "the story of {id}:\n{}", story(history, id))?;
        }
    }
    writeln!(text, "deaths         {}", outcome.deaths)?;
    outcome.stuck.iter().try_for_each(|stuck| writeln!(text, "stuck: {stuck}"))
}

fn keep(outcome: &Outcome, text: &str, folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    fs::write(folder.join("verdict.txt"), text)?;
    for (name, log) in &outcome.logs {
        fs::write(folder.join(format!("{name}.log")), log)?;
    }
    for history in &outcome.histories {
        let endpoint = &history.rules.endpoint;
        let topics = [
            ("answers", &history.answers),
            ("scores", &history.scores),
            ("dead-letters", &history.dead_letters),
            ("replies", &history.replies),
        ];
        let sources = history.sources.values().map(|records| ("source", records));
        for (topic, records) in topics.into_iter().chain(sources) {
            fs::write(folder.join(format!("{endpoint}.{topic}.txt")), lines(records))?;
        }
        let calls: String = history.calls.iter().map(|call| format!("{call:?}\n")).collect();
        fs::write(folder.join(format!("{endpoint}.calls.txt")), calls)?;
        let sent: String = history.sent.iter().map(|sent| format!("{sent:?}\n")).collect();
        fs::write(folder.join(format!("{endpoint}.sent.txt")), sent)?;
        let commits: String = history.commits.iter().map(|it| format!("{it:?}\n")).collect();
        fs::write(folder.join(format!("{endpoint}.commits.txt")), commits)?;
    }
    Ok(())
}

fn lines(records: &[Record]) -> String {
    records.iter().map(|record| format!("{record}\n")).collect()
}
