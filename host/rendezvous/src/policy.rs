//! Policies: how an endpoint chooses among the scores of a request.

use crate::Preference;

/// How an endpoint chooses among the scores of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Policy {
    /// By an order of preference that falls as the deadline nears.
    Preference(Preference),
}

impl Default for Policy {
    /// The champion, then the fallback, and no default.
    fn default() -> Self {
        Self::Preference(Preference::default())
    }
}
