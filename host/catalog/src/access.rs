//! Who may use the host, and how much of it: `[[token]]`, `[[tenant]]` and `[quota]`.
//!
//! They stand in `understudy.toml`, or in a file of their own that it names, or in both. Neither
//! ever holds a token, only the SHA-256 of one: whoever reads the file cannot call the host.

mod rules;
mod write;

use std::path::Path;

use message::Time;
use schemars::JsonSchema;
use serde::de::{self, Unexpected, Visitor};
use serde::{Deserialize, Deserializer};

use crate::document::Document;
use crate::problem::Problem;
use crate::units::{self, Digest, Instant, Label};

pub use write::{add_token, token_table};

/// The most tokens that a host knows: every call is compared with each of them.
pub const TOKENS_LIMIT: usize = 1_000;

/// Who may use the host, and how much of it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(title = "tokens.toml")]
pub struct AccessConfig {
    /// Those who may call.
    #[serde(rename = "token")]
    pub tokens: Vec<TokenConfig>,
    /// How much of the host single tenants may have.
    #[serde(rename = "tenant")]
    pub tenants: Vec<TenantConfig>,
    /// How much of the host every tenant may have that is not listed, and what is left out of those
    /// that are.
    pub quota: Quota,
}

/// One way in: a token, or a certificate that the caller shows.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TokenConfig {
    /// What the log and errors call it.
    #[serde(deserialize_with = "units::text::<Label, _>")]
    #[schemars(with = "Label")]
    pub name: String,
    /// The SHA-256 of the token, as `understudy token new` prints it: `sha256:` and 64 hexadecimal
    /// digits.
    #[serde(default, deserialize_with = "units::optional::<Digest, _>")]
    #[schemars(with = "Option<Digest>")]
    pub hash: Option<[u8; 32]>,
    /// The SHA-256 of the client certificate that stands for a token, in the same form.
    #[serde(default, deserialize_with = "units::optional::<Digest, _>")]
    #[schemars(with = "Option<Digest>")]
    pub certificate: Option<[u8; 32]>,
    /// What it may do; at least one.
    pub scopes: Vec<Scope>,
    /// Whose endpoints it sees: those below the folder of this tenant. Without it, all of them.
    #[serde(default, deserialize_with = "units::optional::<Label, _>")]
    #[schemars(with = "Option<Label>")]
    pub tenant: Option<String>,
    /// When it is over.
    #[serde(default, deserialize_with = "expiry")]
    #[schemars(with = "Option<Instant>")]
    pub expires: Option<Time>,
}

/// One thing that a token may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, JsonSchema)]
#[schemars(rename_all = "lowercase")]
pub enum Scope {
    /// To ask for answers, and to append requests.
    Infer,
    /// To see states, metrics and configuration.
    Observe,
    /// To change which models answer.
    Operate,
}

/// How much of the host one tenant may have.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TenantConfig {
    /// The tenant: the folder above its endpoints.
    #[serde(deserialize_with = "units::text::<Label, _>")]
    #[schemars(with = "Label")]
    pub name: String,
    /// Requests a second on average, of all its tokens together.
    #[serde(default, deserialize_with = "units::optional_count")]
    #[schemars(range(min = 1))]
    pub requests_per_second: Option<usize>,
    /// Requests at once. Without it, as many as in a second.
    #[serde(default, deserialize_with = "units::optional_count")]
    #[schemars(range(min = 1))]
    pub burst: Option<usize>,
    /// Calls that are open at the same time.
    #[serde(default, deserialize_with = "units::optional_count")]
    #[schemars(range(min = 1))]
    pub concurrent: Option<usize>,
}

/// How much of the host a tenant may have. What is left out is without limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Quota {
    /// Requests a second on average.
    #[serde(deserialize_with = "units::optional_count")]
    #[schemars(range(min = 1))]
    pub requests_per_second: Option<usize>,
    /// Requests at once. Without it, as many as in a second.
    #[serde(deserialize_with = "units::optional_count")]
    #[schemars(range(min = 1))]
    pub burst: Option<usize>,
    /// Calls that are open at the same time.
    #[serde(deserialize_with = "units::optional_count")]
    #[schemars(range(min = 1))]
    pub concurrent: Option<usize>,
}

impl AccessConfig {
    /// Reads the text of a file of tokens, which adds to what `understudy.toml` says. `file` is
    /// named in problems only.
    ///
    /// # Errors
    /// The first problem of the text, with its place.
    pub fn parse(file: &Path, text: &str, beneath: &Self) -> Result<Self, Problem> {
        let document = Document::parse(file, text)?;
        let own: Self = document.read()?;
        rules::check(&own, beneath, &document)?;
        let join = |tokens: &[TokenConfig], own: Vec<TokenConfig>| [tokens, &own].concat();
        Ok(Self {
            tokens: join(&beneath.tokens, own.tokens),
            tenants: [&beneath.tenants[..], &own.tenants].concat(),
            quota: if own.quota == Quota::default() { beneath.quota } else { own.quota },
        })
    }

    /// Checks what stands in a document already read.
    pub(crate) fn check(&self, document: &Document) -> Result<(), Problem> {
        rules::check(self, &Self::default(), document)
    }

    /// How much of the host a tenant may have.
    pub fn quota_of(&self, tenant: &str) -> Quota {
        let listed = self.tenants.iter().find(|listed| listed.name == tenant);
        let Some(listed) = listed else { return self.quota };
        let burst = match listed.requests_per_second {
            // A burst of the default belongs to the rate of the default.
            Some(_) => listed.burst,
            None => listed.burst.or(self.quota.burst),
        };
        Quota {
            requests_per_second: listed.requests_per_second.or(self.quota.requests_per_second),
            burst,
            concurrent: listed.concurrent.or(self.quota.concurrent),
        }
    }
}

impl Scope {
    /// Every scope.
    pub const ALL: [Self; 3] = [Self::Infer, Self::Observe, Self::Operate];

    /// Its name in files.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Infer => "infer",
            Self::Observe => "observe",
            Self::Operate => "operate",
        }
    }
}

impl<'de> Deserialize<'de> for Scope {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_str(ScopeVisitor)
    }
}

struct ScopeVisitor;

impl Visitor<'_> for ScopeVisitor {
    type Value = Scope;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("one of \"infer\", \"observe\", \"operate\"")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Scope, E> {
        let scope = Scope::ALL.into_iter().find(|scope| scope.name() == text);
        scope.ok_or_else(|| E::invalid_value(Unexpected::Str(text), &self))
    }
}

fn expiry<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Time>, D::Error> {
    units::instant(from).map(Some)
}

#[cfg(test)]
mod tests;
