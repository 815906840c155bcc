//! What a run has come to, said for people; and where it went wrong, everything kept in files.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::io;
use std::path::Path;

use crate::world::Outcome;
use crate::{Kind, Record, Report, Schedule, check, story};

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
        let mut kinds: BTreeMap<Kind, usize> = BTreeMap::new();
        report.violations.iter().for_each(|found| *kinds.entry(found.kind).or_default() += 1);
        writeln!(text, "{} violations {kinds:?}:", report.violations.len())?;
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
        let calls: String = history.calls.iter().map(|call| format!("{call}\n")).collect();
        fs::write(folder.join(format!("{endpoint}.calls.txt")), calls)?;
        let sent: String = history.sent.iter().map(|sent| format!("{sent}\n")).collect();
        fs::write(folder.join(format!("{endpoint}.sent.txt")), sent)?;
        let commits: String = history.commits.iter().map(|it| format!("{it:?}\n")).collect();
        fs::write(folder.join(format!("{endpoint}.commits.txt")), commits)?;
    }
    Ok(())
}

fn lines(records: &[Record]) -> String {
    records.iter().map(|record| format!("{record}\n")).collect()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::{History, Rules, Sent};

    fn outcome(lost: bool) -> Outcome {
        let id = Some("z".to_owned());
        let (source, value) = ("orders".to_owned(), b"z".to_vec());
        let sent = Sent { source, id, value, acknowledged: Some((0, 7)) };
        let rules = Rules {
            endpoint: "e".to_owned(),
            models: BTreeMap::new(),
            default: 0.0,
            partitions: 1,
            exactly_once: false,
            keeps_order: true,
        };
        let history = History {
            rules,
            sources: BTreeMap::new(),
            answers: Vec::new(),
            scores: Vec::new(),
            dead_letters: Vec::new(),
            replies: Vec::new(),
            sent: if lost { vec![sent] } else { Vec::new() },
            calls: Vec::new(),
            commits: Vec::new(),
        };
        Outcome {
            histories: vec![history],
            done: vec![(Duration::from_millis(1500), "kill host 0".to_owned())],
            stuck: Vec::new(),
            deaths: 1,
            logs: vec![("host-0-1".to_owned(), "killed".to_owned())],
        }
    }

    #[test]
    fn what_went_wrong_is_told_and_everything_kept() {
        let folder = std::env::temp_dir().join(format!("chaos-verdict-{}", std::process::id()));
        let schedule = Schedule { seed: 12, steps: Vec::new() };
        let verdict = judge(&schedule, &outcome(true), &folder).unwrap();
        let kept = fs::read_to_string(folder.join("verdict.txt")).unwrap();
        let log = fs::read_to_string(folder.join("host-0-1.log")).unwrap();
        let sent = fs::read_to_string(folder.join("e.sent.txt")).unwrap();
        fs::remove_dir_all(&folder).unwrap();
        assert!(!verdict.is_well);
        assert_eq!(kept, verdict.text);
        assert_eq!(log, "killed");
        assert!(sent.contains("orders"), "{sent}");
        for words in ["SEED=12", "1.500 s  kill host 0", "Lost (z)", "the story of z"] {
            assert!(kept.contains(words), "no {words} in {kept}");
        }
    }

    #[test]
    fn nothing_is_kept_where_all_is_well_and_being_stuck_is_not() {
        let folder = std::env::temp_dir().join(format!("chaos-well-{}", std::process::id()));
        let schedule = Schedule { seed: 12, steps: Vec::new() };
        let verdict = judge(&schedule, &outcome(false), &folder).unwrap();
        assert!(verdict.is_well && !folder.exists(), "{}", verdict.text);
        let mut stuck = outcome(false);
        stuck.stuck.push("found no answers".to_owned());
        let verdict = judge(&schedule, &stuck, &folder).unwrap();
        fs::remove_dir_all(&folder).unwrap();
        assert!(!verdict.is_well && verdict.text.contains("stuck: found no answers"));
    }
}
