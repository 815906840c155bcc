//! Who is let in, and who is not.

use std::collections::BTreeMap;

use hyper::header::{AUTHORIZATION, HeaderValue};
use message::Time;
use parking_lot::Mutex;

use super::*;
use crate::caller::Scope;

fn key(name: &str, proof: Proof, scopes: &[Scope], tenant: Option<&str>) -> Key {
    let caller =
        Caller { name: name.into(), tenant: tenant.map(Into::into), scopes: Scopes::of(scopes) };
    Key { caller, proof, expires: None }
}

fn token(name: &str, scopes: &[Scope], tenant: Option<&str>) -> Key {
    key(name, Proof::Token(digest(format!("us_{name}").as_bytes())), scopes, tenant)
}

fn guard(keys: Vec<Key>, limits: TenantLimits) -> Guard {
    let guard = Guard::open();
    guard.lock(Keyring { keys, tenants: BTreeMap::new(), others: limits });
    guard
}

fn bearer(token: &str) -> HeaderMap {
    let value = HeaderValue::from_str(&format!("Bearer {token}")).unwrap();
    HeaderMap::from_iter([(AUTHORIZATION, value)])
}

fn peer(certificate: Option<[u8; 32]>) -> Peer {
    Peer { address: ([127, 0, 0, 1], 1).into(), certificate }
}

fn name_of(guard: &Guard, headers: &HeaderMap, certificate: Option<[u8; 32]>) -> Option<String> {
    guard.identify(headers, &peer(certificate)).ok().map(|caller| caller.name.to_string())
}

#[test]
fn without_tokens_everybody_may_do_everything_but_pages_in_browsers_change_nothing() {
    let guard = Guard::open();
    let caller = guard.identify(&HeaderMap::new(), &peer(None)).unwrap();
    assert_eq!(caller, Caller::local());
    let elsewhere = Peer { address: ([192, 0, 2, 1], 1).into(), certificate: None };
    let other = guard.identify(&HeaderMap::new(), &elsewhere).unwrap();
    assert_eq!((&*other.name, other.scopes), ("anybody", caller.scopes));
    let page = HeaderMap::from_iter([(ORIGIN, HeaderValue::from_static("http://example.com"))]);
    for act in [Act::Health, Act::Describe, Act::Infer, Act::Append, Act::Observe] {
        assert!(guard.admit(&caller, &page, act).is_ok(), "{act:?}");
    }
    assert_eq!(guard.admit(&caller, &page, Act::Operate).unwrap_err(), Denied::Browser);
    assert!(guard.admit(&caller, &HeaderMap::new(), Act::Operate).is_ok());
}

#[test]
fn each_is_known_by_its_own_token() {
    let keys = ["a", "b", "c"].map(|name| token(name, &[Scope::Infer], None));
    let guard = guard(keys.to_vec(), TenantLimits::default());
    for name in ["a", "b", "c"] {
        let found = name_of(&guard, &bearer(&format!("us_{name}")), None);
        assert_eq!(found.as_deref(), Some(name));
    }
    for wrong in ["us_d", "us_", "us_ab", "a", "sha256:"] {
        assert_eq!(name_of(&guard, &bearer(wrong), None), None, "{wrong}");
    }
    assert_eq!(name_of(&guard, &HeaderMap::new(), None), None);
}

#[test]
fn a_certificate_counts_where_no_token_is_shown() {
    let keys = vec![
        key("robot", Proof::Certificate([7; 32]), &[Scope::Infer], None),
        token("a", &[Scope::Infer], None),
    ];
    let guard = guard(keys, TenantLimits::default());
    assert_eq!(name_of(&guard, &HeaderMap::new(), Some([7; 32])).as_deref(), Some("robot"));
    assert_eq!(name_of(&guard, &HeaderMap::new(), Some([8; 32])), None);
    assert_eq!(name_of(&guard, &bearer("us_a"), Some([7; 32])).as_deref(), Some("a"));
    assert_eq!(name_of(&guard, &bearer("us_x"), Some([7; 32])), None);
}

#[test]
fn nobody_learns_why_a_token_is_not_known() {
    let over = Key { expires: Some(Time::from_us(1)), ..token("old", &[Scope::Infer], None) };
    let guard = guard(vec![over], TenantLimits::default());
    let expired = guard.identify(&bearer("us_old"), &peer(None)).unwrap_err();
    let unknown = guard.identify(&bearer("us_new"), &peer(None)).unwrap_err();
    assert_eq!((expired.why(), unknown.why()), ("expired", "unknown"));
    assert_eq!(expired.to_string(), unknown.to_string());
}

#[test]
fn a_guard_that_has_known_a_token_stays_locked() {
    let guard = guard(vec![token("a", &Scope::ALL, None)], TenantLimits::default());
    guard.lock(Keyring::default());
    assert!(guard.is_locked());
    assert_eq!(name_of(&guard, &HeaderMap::new(), None), None);
    assert_eq!(name_of(&guard, &bearer("us_a"), None), None);
}

#[test]
fn a_missing_scope_is_named() {
    let guard = guard(vec![token("a", &[Scope::Infer], None)], TenantLimits::default());
    let caller = guard.identify(&bearer("us_a"), &peer(None)).unwrap();
    let denied = guard.admit(&caller, &HeaderMap::new(), Act::Operate).unwrap_err();
    assert_eq!(denied.to_string(), "the token `a` does not have the scope `operate`");
    assert!(guard.admit(&caller, &HeaderMap::new(), Act::Describe).is_ok());
}

#[test]
fn all_tokens_of_a_tenant_have_one_quota_together() {
    let keys = ["a", "b"].map(|name| token(name, &[Scope::Infer], Some("acme")));
    let limits = TenantLimits { per_second: Some(1), burst: Some(3), concurrent: Some(2) };
    let mut all = keys.to_vec();
    all.push(token("free", &[Scope::Infer], None));
    let guard = guard(all.clone(), limits);
    let enter = |name: &str| {
        let caller = guard.identify(&bearer(&format!("us_{name}")), &peer(None)).unwrap();
        guard.admit(&caller, &HeaderMap::new(), Act::Infer)
    };
    let first = enter("a").unwrap();
    let _second = enter("b").unwrap();
    assert_eq!(enter("a").unwrap_err().why(), "concurrency");
    drop(first);
    let third = enter("b").unwrap();
    drop(third);
    let denied = enter("a").unwrap_err();
    assert_eq!(denied.why(), "rate");
    assert!(denied.retry_after().unwrap() <= Duration::from_secs(1));
    // The same limits anew are no reason to forget.
    guard.lock(Keyring { keys: all, tenants: BTreeMap::new(), others: limits });
    assert_eq!(enter("a").unwrap_err().why(), "rate");
    assert!((0..100).all(|_| enter("free").is_ok()));
}

#[test]
fn records_count_one_by_one() {
    let limits = TenantLimits { per_second: Some(1), burst: Some(10), concurrent: None };
    let guard = guard(vec![token("a", &[Scope::Infer], Some("acme"))], limits);
    let caller = guard.identify(&bearer("us_a"), &peer(None)).unwrap();
    let _entry = guard.admit(&caller, &HeaderMap::new(), Act::Append).unwrap();
    assert_eq!(guard.admit_all(&caller, 11).unwrap_err().why(), "burst");
    assert_eq!(guard.admit_all(&caller, 10), Ok(()));
    assert_eq!(guard.admit_all(&caller, 3).unwrap_err().why(), "rate");
}

#[test]
fn whoever_is_denied_is_noted_once() {
    let noted = Arc::new(Mutex::new(Vec::new()));
    let guard = Guard::new({
        let noted = Arc::clone(&noted);
        move |caller: Option<&Caller>, denied: &Denied| {
            noted.lock().push((caller.map(|caller| caller.name.to_string()), denied.why()));
        }
    });
    let keys = vec![token("a", &[Scope::Infer], None)];
    guard.lock(Keyring { keys, ..Keyring::default() });
    assert!(guard.identify(&HeaderMap::new(), &peer(None)).is_err());
    assert!(guard.recognise(&HeaderMap::new(), &peer(None)).is_none());
    let caller = guard.identify(&bearer("us_a"), &peer(None)).unwrap();
    assert!(guard.admit(&caller, &HeaderMap::new(), Act::Observe).is_err());
    assert_eq!(*noted.lock(), [(None, "unknown"), (Some("a".to_owned()), "scope")]);
}
