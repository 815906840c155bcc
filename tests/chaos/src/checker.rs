//! Whether what was promised was kept, told from a history.
//!
//! Each part looks at one kind of records and knows what the parts before it have found. Nothing ends a check early: whoever
//! looks for a cause wants everything that is wrong.

mod answers;
mod commits;
mod counts;
mod letters;
mod order;
mod requests;
mod scores;
#[cfg(test)]
mod tests;
mod told;

use crate::{History, Kind, Violation};
use answers::Answers;
pub use counts::Counts;
use requests::Requests;

/// What a check has found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Report {
    /// Everything that must not have happened.
    pub violations: Vec<Violation>,
    /// How much there was of everything.
    pub counts: Counts,
}

/// Looks at everything that happened.
pub fn check(history: &History) -> Report {
    let mut report = Report::default();
    let requests = Requests::read(history, &mut report);
    let answers = Answers::read(history, &requests, &mut report);
    answers.check_requests(&requests, &mut report);
    scores::check(history, &requests, &answers, &mut report);
    letters::check(history, &requests, &mut report);
    told::check(history, &requests, &answers, &mut report);
    order::check(history, &requests, &answers, &mut report);
    commits::check(history, &requests, &answers, &mut report);
    report
}

impl Report {
    fn found(&mut self, kind: Kind, message: String) {
        self.violations.push(Violation { kind, id: None, message });
    }

    fn found_of(&mut self, id: &str, kind: Kind, message: String) {
        self.violations.push(Violation { kind, id: Some(id.to_owned()), message });
    }
}
