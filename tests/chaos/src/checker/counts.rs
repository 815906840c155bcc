//! How much there was of everything.

use std::collections::BTreeMap;
use std::fmt;

/// How much there was of everything.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Counts {
    /// Records that are requests.
    pub requests: u64,
    /// The different ids among them.
    pub ids: u64,
    /// Records that were written to be no requests.
    pub garbage: u64,
    /// Official answers.
    pub answers: u64,
    /// The same by who answered and why.
    pub by_reason: BTreeMap<String, u64>,
    /// Answers that count and say once more what the official one says.
    pub repeated: u64,
    /// Answers that do not count.
    pub void: u64,
    /// Official answers behind one to a later request of the same key, by the same owner.
    pub overtaken: u64,
    /// How often somebody took over a partition.
    pub fences: u64,
    /// Scores.
    pub scores: u64,
    /// Official answers whose score was lost with the host that made it.
    pub scores_lost: u64,
    /// Dead letters.
    pub dead_letters: u64,
    /// Answers that went to another host.
    pub replies: u64,
    /// Those among them that are not the official answer.
    pub replies_void: u64,
    /// Calls by what was told: a status, or nothing.
    pub calls: BTreeMap<String, u64>,
    /// How often one looked at a commit.
    pub commits: u64,
    /// The longest time in which nothing was answered, in ms.
    pub longest_gap_ms: u64,
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |them: &BTreeMap<String, u64>| {
            let each = them.iter().map(|(name, count)| format!("{count} {name}"));
            each.collect::<Vec<_>>().join(", ")
        };
        writeln!(
            f,
            "requests       {} ({} ids), {} of garbage",
            self.requests, self.ids, self.garbage
        )?;
        writeln!(f, "answers        {} ({})", self.answers, list(&self.by_reason))?;
        writeln!(
            f,
            "               {} repeated, {} void, {} overtaken by later ones of their key",
            self.repeated, self.void, self.overtaken
        )?;
        writeln!(f, "taken over     {} times", self.fences)?;
        writeln!(f, "scores         {}, {} lost with a host", self.scores, self.scores_lost)?;
        writeln!(f, "dead letters   {}", self.dead_letters)?;
        writeln!(f, "replies        {}, {} of them void", self.replies, self.replies_void)?;
        writeln!(f, "calls          {}", list(&self.calls))?;
        writeln!(f, "commits        looked at {} times", self.commits)?;
        write!(f, "longest gap    {} ms without an answer", self.longest_gap_ms)
    }
}
