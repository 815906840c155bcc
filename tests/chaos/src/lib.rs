//! Hosts and brokers that are killed, stopped and cut off from each other, and a check of what became of every request.
//!
//! What would surprise: the check runs nothing. It is a function of the [`History`], of what the topics hold at the end and of
//! what everybody was told; so it is itself tested, with histories in which something is wrong.

pub mod checker;
mod history;
mod random;
mod record;
mod schedule;
mod story;
mod verdict;
mod violation;
pub mod world;

pub use checker::{Counts, Report, check};
pub use history::{Call, CommitSample, Expected, History, Rules, Sent, Told};
pub use random::Random;
pub use record::{Place, Record};
pub use schedule::{Fault, Scale, Schedule, Step};
pub use story::story;
pub use verdict::{Verdict, judge};
pub use violation::{Kind, Violation};
