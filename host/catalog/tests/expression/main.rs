//! Expressions over requests: what they mean, what is refused, and what nothing can make them do.
#![expect(clippy::unwrap_used, reason = "what prepares a test may fail it")]

mod bounds;
mod chance;
mod meaning;
mod refusal;
mod request;
