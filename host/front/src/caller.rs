//! Who asks, and what that caller may do.
//!
//! A caller comes in with every question that the front hands on, because what there is to see
//! differs: a tenant's caller sees the endpoints of that tenant, and all others are unknown to it,
//! in the very words in which a name that does not exist is.

use std::fmt;
use std::sync::{Arc, LazyLock};

/// Somebody who asks. `Clone` costs two atomic increments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// What the operator calls it: the name of its token.
    pub name: Arc<str>,
    /// Whose endpoints it sees; without a tenant, it sees all of them.
    pub tenant: Option<Arc<str>>,
    /// What it may do.
    pub scopes: Scopes,
}

/// One thing that a caller may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// To ask for answers, and to append requests.
    Infer,
    /// To see states, metrics and configuration.
    Observe,
    /// To change which models answer.
    Operate,
}

/// A set of scopes.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct Scopes(u8);

impl Caller {
    /// A caller on this machine where no tokens are in use: it may do everything.
    pub fn local() -> Self {
        static LOCAL: LazyLock<Caller> = LazyLock::new(|| Caller {
            name: "local".into(),
            tenant: None,
            scopes: Scopes::of(&Scope::ALL),
        });
        LOCAL.clone()
    }

    /// A caller from elsewhere, where no tokens are in use and the host is open: likewise.
    pub fn anybody() -> Self {
        static ANYBODY: LazyLock<Caller> =
            LazyLock::new(|| Caller { name: "anybody".into(), ..Caller::local() });
        ANYBODY.clone()
    }

    /// Whether the caller may know of an endpoint.
    pub fn sees(&self, endpoint: &str) -> bool {
        match self.tenant.as_deref() {
            None => true,
            Some(tenant) => endpoint.strip_prefix(tenant).is_some_and(|rest| rest.starts_with('/')),
        }
    }
}

impl Scope {
    /// Every scope.
    pub const ALL: [Self; 3] = [Self::Infer, Self::Observe, Self::Operate];

    /// Its name, as configuration and errors have it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Infer => "infer",
            Self::Observe => "observe",
            Self::Operate => "operate",
        }
    }

    const fn bit(self) -> u8 {
        1 << self as u8
    }
}

impl Scopes {
    /// None at all.
    pub const NONE: Self = Self(0);

    /// These.
    pub const fn of(scopes: &[Scope]) -> Self {
        let (mut bits, mut index) = (0, 0);
        while index < scopes.len() {
            bits |= scopes[index].bit();
            index += 1;
        }
        Self(bits)
    }

    /// Whether any of `scopes` is among these.
    pub const fn any_of(self, scopes: Self) -> bool {
        self.0 & scopes.0 != 0
    }

    /// Each of them, in the order of [`Scope::ALL`].
    pub fn iter(self) -> impl Iterator<Item = Scope> {
        Scope::ALL.into_iter().filter(move |scope| self.0 & scope.bit() != 0)
    }
}

impl fmt::Display for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.iter().map(|scope| format!("`{}`", scope.name())).collect();
        f.write_str(&names.join(" or "))
    }
}

impl fmt::Debug for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tenant_sees_what_stands_below_its_name_and_nothing_else() {
        let tenant = Caller { tenant: Some("acme".into()), ..Caller::local() };
        assert!(tenant.sees("acme/fraud"));
        for other in ["acme", "acmeco/fraud", "flights", "other/acme", ""] {
            assert!(!tenant.sees(other), "{other}");
            assert!(Caller::local().sees(other), "{other}");
        }
    }

    #[test]
    fn a_set_holds_what_it_was_made_of() {
        let scopes = Scopes::of(&[Scope::Operate, Scope::Infer]);
        assert_eq!(scopes.iter().collect::<Vec<_>>(), [Scope::Infer, Scope::Operate]);
        assert_eq!(scopes.to_string(), "`infer` or `operate`");
        assert!(scopes.any_of(Scopes::of(&[Scope::Observe, Scope::Operate])));
        assert!(!scopes.any_of(Scopes::of(&[Scope::Observe])));
        assert!(!scopes.any_of(Scopes::NONE));
    }
}
