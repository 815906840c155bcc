//! What must hold between tokens, which their types alone cannot say.

use std::collections::BTreeSet;

use super::{AccessConfig, Quota, TOKENS_LIMIT, TokenConfig};
use crate::document::{Document, KeyPath};
use crate::problem::Problem;

/// Finds the first thing in `own` that cannot be, on top of what stands `beneath`.
pub(super) fn check(
    own: &AccessConfig,
    beneath: &AccessConfig,
    document: &Document,
) -> Result<(), Problem> {
    let mut names: BTreeSet<_> = beneath.tokens.iter().map(|token| &*token.name).collect();
    let mut proofs: BTreeSet<_> = beneath.tokens.iter().map(proofs_of).collect();
    for (index, token) in own.tokens.iter().enumerate() {
        let at = |key: &str| KeyPath::new("token").index(index).key(key);
        if beneath.tokens.len() + index >= TOKENS_LIMIT {
            let found = format!("more than {TOKENS_LIMIT} tokens");
            let problem = document.problem_at(&KeyPath::new("token").index(index), found);
            return Err(problem.expected("fewer: every call is compared with each"));
        }
        if !names.insert(&token.name) {
            let found = format!("{:?} a second time", token.name);
            return Err(document.problem_at(&at("name"), found).expected("another name"));
        }
        one_proof(token, &at, document)?;
        if !proofs.insert(proofs_of(token)) {
            let key = if token.hash.is_some() { "hash" } else { "certificate" };
            let problem = document.problem_at(&at(key), "what another token has already");
            return Err(problem.expected("a token for each"));
        }
        some_scopes(token, &at, document)?;
    }
    tenants(own, beneath, document)?;
    let here = KeyPath::new("quota");
    if own.quota != Quota::default() && beneath.quota != Quota::default() {
        let problem = document.problem_at(&here, "a quota, which understudy.toml has as well");
        return Err(problem.expected("it in one of them"));
    }
    burst_has_rate(own.quota, &here, document)
}

fn tenants(own: &AccessConfig, beneath: &AccessConfig, document: &Document) -> Result<(), Problem> {
    let mut names: BTreeSet<_> = beneath.tenants.iter().map(|tenant| &*tenant.name).collect();
    for (index, tenant) in own.tenants.iter().enumerate() {
        let here = KeyPath::new("tenant").index(index);
        if !names.insert(&tenant.name) {
            let found = format!("{:?} a second time", tenant.name);
            return Err(document.problem_at(&here.key("name"), found).expected("each tenant once"));
        }
        let (requests_per_second, burst) = (tenant.requests_per_second, tenant.burst);
        burst_has_rate(Quota { requests_per_second, burst, concurrent: None }, &here, document)?;
    }
    Ok(())
}

fn proofs_of(token: &TokenConfig) -> (Option<[u8; 32]>, Option<[u8; 32]>) {
    (token.hash, token.certificate)
}

fn one_proof(
    token: &TokenConfig,
    at: &dyn Fn(&str) -> KeyPath,
    document: &Document,
) -> Result<(), Problem> {
    let (key, found) = match (token.hash, token.certificate) {
        (Some(_), Some(_)) => ("certificate", "it beside a \"hash\""),
        (None, None) => ("hash", "neither \"hash\" nor \"certificate\""),
        _ => return Ok(()),
    };
    Err(document.problem_at(&at(key), found).expected("one of \"hash\", \"certificate\""))
}

fn some_scopes(
    token: &TokenConfig,
    at: &dyn Fn(&str) -> KeyPath,
    document: &Document,
) -> Result<(), Problem> {
    if token.scopes.is_empty() {
        let problem = document.problem_at(&at("scopes"), "an empty array");
        return Err(problem.expected("some of \"infer\", \"observe\", \"operate\""));
    }
    Ok(())
}

fn burst_has_rate(quota: Quota, here: &KeyPath, document: &Document) -> Result<(), Problem> {
    if quota.burst.is_none() || quota.requests_per_second.is_some() {
        return Ok(());
    }
    let problem = document.problem_at(&here.clone().key("burst"), "a burst of no rate");
    Err(problem.expected("\"requests_per_second\" beside it"))
}
