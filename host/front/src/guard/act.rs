//! What there is to do, and the scope that each needs: the one table of permissions.

use crate::caller::{Scope, Scopes};

/// Something that a caller wants to do. Every route is one of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    /// To hear whether the server lives and is ready.
    Health,
    /// To hear what the server, an endpoint or a model is and takes, whether it is ready, and which
    /// there are.
    Describe,
    /// To ask an endpoint, or one model of it.
    Infer,
    /// To append requests to a stream.
    Append,
    /// To see what happens: status, metrics, statistics, policies and history.
    Observe,
    /// To change which models are loaded, and which answer.
    Operate,
}

impl Act {
    /// The scopes of which a caller needs one; none where anybody may.
    pub const fn needs(self) -> Scopes {
        match self {
            Self::Health => Scopes::NONE,
            Self::Describe => Scopes::of(&[Scope::Infer, Scope::Observe]),
            Self::Infer | Self::Append => Scopes::of(&[Scope::Infer]),
            Self::Observe => Scopes::of(&[Scope::Observe]),
            Self::Operate => Scopes::of(&[Scope::Operate]),
        }
    }
}
