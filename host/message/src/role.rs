//! The part that a model plays at an endpoint.

use std::fmt;

/// The part that a model plays at an endpoint. A model without one is *staged*: it scores
/// everything and answers nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// The model that answers unless a policy says otherwise.
    Champion,
    /// A model that wants to be champion.
    Challenger,
    /// A steady baseline, which shows when the inputs drift. It answers only where a policy names it.
    Canary,
    /// Records what the models saw, and answers nothing.
    Decoy,
    /// The model of last resort. It is never quarantined away.
    Fallback,
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 5] =
        [Self::Champion, Self::Challenger, Self::Canary, Self::Decoy, Self::Fallback];

    /// The name in files, records and metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Champion => "champion",
            Self::Challenger => "challenger",
            Self::Canary => "canary",
            Self::Decoy => "decoy",
            Self::Fallback => "fallback",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
