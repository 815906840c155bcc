//! The decision machine: one official answer per request, by its deadline.
//!
//! [`Rendezvous`] is a state machine for one partition of one endpoint. It performs no I/O, reads no
//! clock and draws no random number: time is an argument, and what it decides is polled from it.
//! What may surprise: it knows neither requests nor scores. Whoever drives it attaches what it likes
//! to a mailbox and gets it back, and hands in payloads that are never looked at.
//!
//! ```
//! use std::sync::Arc;
//! use std::time::Duration;
//!
//! use message::{Reason, Time};
//! use rendezvous::{
//!     Choice, CourseIndex, Limits, Member, Opening, Preference, Rendezvous, Roster, Verdict,
//! };
//!
//! let members = vec![Member::live("gbdt", 1), Member::live("logit", 2)];
//! let order =
//!     Preference::default().then("gbdt", Some(Duration::from_millis(30))).then("logit", None);
//! let roster = Arc::new(Roster::new(members, order.into())?);
//! let logit = roster.position("logit").expect("it was just named");
//!
//! let mut rendezvous: Rendezvous<&str, f64> = Rendezvous::new(Limits {
//!     open_mailboxes: 1_000,
//!     score_grace: Duration::from_millis(100),
//!     hash_key: 0x5eed,
//! });
//! let at = |ms: u64| Time::from_us(1_000 * ms);
//! rendezvous.handle_roster(at(0), roster);
//! let mailbox = rendezvous.handle_request(
//!     at(0),
//!     Opening {
//!         id: "a".into(),
//!         time: at(0),
//!         deadline: at(50),
//!         course: CourseIndex::default(),
//!         attachment: "the return address",
//!     },
//! )?;
//!
//! // `logit` answers early, but `gbdt` has until 30 ms.
//! rendezvous.handle_score(at(4), mailbox, logit, Verdict::Predicted(0.2));
//! assert!(rendezvous.poll_decision().is_none());
//! assert_eq!(rendezvous.poll_timeout(), Some(at(30)));
//!
//! rendezvous.handle_timeout(at(30));
//! let decision = rendezvous.poll_decision().expect("gbdt's time is over");
//! assert_eq!(decision.chosen, Choice::Score(logit, 0.2));
//! assert_eq!(decision.reason, Reason::PreferredWasSlow);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod budget;
mod decision;
pub mod ensemble;
mod machine;
mod members;
pub mod pace;
mod policy;
pub mod preference;
pub mod quarantine;
pub mod residence;
mod roster;
pub mod split;
pub mod watermark;
mod window;

pub use decision::{
    Choice, Decision, Done, Forgotten, Heard, Limits, MailboxId, Opening, Refused, Verdict,
};
pub use ensemble::{Combine, Ensemble, EnsembleIndex};
pub use machine::Rendezvous;
pub use members::MemberIndex;
pub use policy::{Branch, Policy, Route, Target};
pub use preference::{Candidate, Preference, Preferred};
pub use roster::{Choosing, Course, CourseIndex, Member, Roster, RosterError, Selected};
pub use split::{Arm, Ramp, Split};
