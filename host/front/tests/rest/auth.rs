//! Who may do what, over every route.

use front::{Caller, FrontLimits, Guard, Key, Keyring, Proof, Scope, Scopes, TenantLimits, digest};

use crate::client::{Client, DOCUMENT, Received, get, post, post_with, send};
use crate::grpc::{self, framed};
use crate::rig::{Rig, start_admin};

/// A guard that knows one token, `us_token`.
pub(crate) fn guard(scopes: Scopes, tenant: Option<&str>, others: TenantLimits) -> Guard {
    let caller = Caller { name: "mine".into(), tenant: tenant.map(Into::into), scopes };
    let key = Key { caller, proof: Proof::Token(digest(b"us_token")), expires: None };
    let guard = Guard::open();
    guard.lock(Keyring { keys: vec![key], others, ..Keyring::default() });
    guard
}

fn with_token(call: &str, token: &str) -> String {
    call.replacen("\r\nhost: test", &format!("\r\nhost: test\r\nauthorization: Bearer {token}"), 1)
}

/// Every subset of the scopes.
fn scope_sets() -> Vec<Scopes> {
    let sets = (0..8_u8).map(|bits| {
        let chosen = Scope::ALL.into_iter().enumerate();
        let chosen = chosen.filter(|(index, _)| bits & (1 << index) != 0).map(|(_, scope)| scope);
        Scopes::of(&chosen.collect::<Vec<_>>())
    });
    sets.collect()
}

const NONE: &[Scope] = &[];
const ASK: &[Scope] = &[Scope::Infer];
const SEE: &[Scope] = &[Scope::Observe];
const DO: &[Scope] = &[Scope::Operate];
const KNOW: &[Scope] = &[Scope::Infer, Scope::Observe];

/// Every route of the public listener, with the scopes of which it needs one.
fn public_routes() -> Vec<(String, &'static [Scope])> {
    let ndjson = "content-type: application/x-ndjson\r\n";
    vec![
        (get("/v2/health/live"), NONE),
        (get("/v2/health/ready"), NONE),
        (get("/v2"), KNOW),
        (get("/v2/models"), KNOW),
        (post("/v2/repository/index", "{}"), KNOW),
        (get("/v2/models/stats"), SEE),
        (get("/v2/models/echo/stats"), SEE),
        (get("/v2/models/echo/versions/good/stats"), SEE),
        (post("/v2/repository/models/echo/load", "{}"), DO),
        (post("/v2/repository/models/echo/versions/good/load", "{}"), DO),
        (post("/v2/repository/models/echo/unload", "{}"), DO),
        (post("/v2/repository/models/echo/versions/good/unload", "{}"), DO),
        (get("/v2/models/echo"), KNOW),
        (get("/v2/models/echo/ready"), KNOW),
        (get("/v2/models/echo/versions/good"), KNOW),
        (get("/v2/models/echo/versions/good/ready"), KNOW),
        (post("/v2/models/echo/infer", DOCUMENT), ASK),
        (post("/v2/models/echo/versions/good/infer", DOCUMENT), ASK),
        (post_with("/v2/models/echo/records", ndjson, DOCUMENT), ASK),
        (post_with("/v2/topics/orders/records", ndjson, DOCUMENT), ASK),
    ]
}

fn admin_routes() -> Vec<(String, &'static [Scope])> {
    let model = "/admin/endpoints/echo/models/good";
    vec![
        (get("/metrics"), SEE),
        (get("/status"), SEE),
        (get("/admin/endpoints"), SEE),
        (get("/admin/endpoints/echo/models"), SEE),
        (get("/admin/endpoints/echo/history"), SEE),
        (get("/admin/endpoints/echo/policy"), SEE),
        (send("PUT", "/admin/endpoints/echo/policy", "", "[policy]"), DO),
        (send("POST", "/admin/endpoints/echo/policy/diff", "", "[policy]"), DO),
        (send("PUT", model, "", "\0asm"), DO),
        (post("/admin/endpoints/echo/pause", ""), DO),
        (post("/admin/endpoints/echo/rollback", ""), DO),
        (post(&format!("{model}/pause"), ""), DO),
        (post(&format!("{model}/rollback"), ""), DO),
    ]
}

/// Every method over gRPC. The stream of answers and the watch over the health come apart.
const METHODS: [(&str, &[Scope]); 13] = [
    ("inference.GRPCInferenceService/ServerLive", NONE),
    ("inference.GRPCInferenceService/ServerReady", NONE),
    ("grpc.health.v1.Health/Check", NONE),
    ("inference.GRPCInferenceService/ServerMetadata", KNOW),
    ("inference.GRPCInferenceService/ModelReady", KNOW),
    ("inference.GRPCInferenceService/ModelMetadata", KNOW),
    ("inference.GRPCInferenceService/RepositoryIndex", KNOW),
    ("grpc.reflection.v1.ServerReflection/ServerReflectionInfo", KNOW),
    ("grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo", KNOW),
    ("inference.GRPCInferenceService/ModelInfer", ASK),
    ("inference.GRPCInferenceService/ModelStatistics", SEE),
    ("inference.GRPCInferenceService/RepositoryModelLoad", DO),
    ("inference.GRPCInferenceService/RepositoryModelUnload", DO),
];
const STREAM: &str = "inference.GRPCInferenceService/ModelStreamInfer";
const WATCH: &str = "grpc.health.v1.Health/Watch";
/// The codes of gRPC for those who may not, and for those who are not known.
const PERMISSION_DENIED: &str = "7";
const UNAUTHENTICATED: &str = "16";

fn check(call: &str, needs: &'static [Scope], scopes: Scopes, reply: &Received) {
    let line = call.lines().next().unwrap_or_default();
    if needs.is_empty() || scopes.any_of(Scopes::of(needs)) {
        assert!(![401, 403].contains(&reply.status), "{line} with {scopes:?}: {reply:?}");
    } else {
        assert_eq!(reply.status, 403, "{line} with {scopes:?}: {reply:?}");
        let names = Scopes::of(needs).to_string();
        assert_eq!(reply.error(), format!("the token `mine` does not have the scope {names}"));
    }
}

#[tokio::test]
async fn every_route_wants_its_scope() {
    for scopes in scope_sets() {
        let guard = guard(scopes, None, TenantLimits::default());
        let rig = Rig::guarded(FrontLimits::default(), guard.clone(), None).await;
        for (call, needs) in public_routes() {
            let reply = rig.call(with_token(&call, "us_token")).await;
            check(&call, needs, scopes, &reply);
        }
        let (admin, _stop) = start_admin(guard).await;
        for (call, needs) in admin_routes() {
            let reply = Client::connect(admin).await.call(with_token(&call, "us_token")).await;
            check(&call, needs, scopes, &reply);
        }
    }
}

#[tokio::test]
async fn every_method_wants_its_scope() {
    let mine = [("authorization", "Bearer us_token")];
    for scopes in scope_sets() {
        let guard = guard(scopes, None, TenantLimits::default());
        let rig = Rig::guarded(FrontLimits::default(), guard, None).await;
        let mut caller = grpc::Caller::connect(&rig).await;
        for (method, needs) in METHODS {
            let reply = caller.call_with(method, &mine, &framed(&[b""])).await;
            let status = reply.status();
            if needs.is_empty() || scopes.any_of(Scopes::of(needs)) {
                let denied = [PERMISSION_DENIED, UNAUTHENTICATED].contains(&status);
                assert!(!denied, "{method} with {scopes:?}: {}", reply.words());
            } else {
                assert_eq!(status, PERMISSION_DENIED, "{method} with {scopes:?}");
                assert!(reply.words().contains("does not have the scope"), "{}", reply.words());
            }
        }
        if !scopes.any_of(Scopes::of(ASK)) {
            let reply = caller.call_with(STREAM, &mine, &framed(&[b""])).await;
            let said = String::from_utf8_lossy(&reply.messages[0]).into_owned();
            assert!(said.contains("does not have the scope `infer`"), "{said}");
        }
        if !scopes.any_of(Scopes::of(KNOW)) {
            let reply = caller.call_with(WATCH, &mine, &framed(&[b""])).await;
            assert_eq!(reply.status(), PERMISSION_DENIED);
        }
    }
}

#[tokio::test]
async fn whoever_is_not_known_gets_one_status_over_grpc() {
    let guard = guard(Scopes::of(&Scope::ALL), None, TenantLimits::default());
    let rig = Rig::guarded(FrontLimits::default(), guard, None).await;
    let mut caller = grpc::Caller::connect(&rig).await;
    let methods = METHODS.into_iter().chain([(STREAM, ASK), (WATCH, KNOW)]);
    for (method, needs) in methods {
        for headers in [&[][..], &[("authorization", "Bearer us_other")]] {
            let reply = caller.call_with(method, headers, &framed(&[b""])).await;
            let expected = if needs.is_empty() { "0" } else { UNAUTHENTICATED };
            assert_eq!(reply.status(), expected, "{method}: {}", reply.words());
        }
    }
}

#[tokio::test]
async fn whoever_is_not_known_gets_the_same_reply_everywhere() {
    let guard = guard(Scopes::of(&Scope::ALL), None, TenantLimits::default());
    let rig = Rig::guarded(FrontLimits::default(), guard.clone(), None).await;
    let (admin, _stop) = start_admin(guard).await;
    let mut replies = Vec::new();
    for (call, needs) in public_routes() {
        for call in [call.clone(), with_token(&call, "us_other"), with_token(&call, "")] {
            let reply = rig.call(call).await;
            if needs.is_empty() {
                assert_eq!(reply.status, 200, "{reply:?}");
            } else {
                replies.push(reply);
            }
        }
    }
    for path in ["/metrics", "/status", "/nowhere"] {
        replies.push(Client::connect(admin).await.call(get(path)).await);
    }
    replies.push(rig.call(get("/nowhere")).await);
    replies.push(rig.call(get("/v2/models/echo/infer")).await);
    for reply in &replies {
        assert_eq!(reply.status, 401, "{reply:?}");
        assert_eq!(reply.headers["www-authenticate"], "Bearer");
        assert_eq!(reply.body, replies[0].body);
    }
    assert_eq!(rig.host.calls.lock().expect("no test panics here").len(), 0);
}

#[tokio::test]
async fn only_who_may_observe_hears_why_the_server_is_not_ready() {
    let observing = guard(Scopes::of(SEE), None, TenantLimits::default());
    let (admin, _stop) = start_admin(observing).await;
    let call = get("/v2/health/ready");
    let stranger = Client::connect(admin).await.call(call.clone()).await;
    assert_eq!((stranger.status, stranger.error().as_str()), (503, "not ready"));
    let known = Client::connect(admin).await.call(with_token(&call, "us_token")).await;
    assert_eq!((known.status, known.error().as_str()), (503, "nothing is loaded"));
    let asking = guard(Scopes::of(ASK), None, TenantLimits::default());
    let (admin, _stop) = start_admin(asking).await;
    let known = Client::connect(admin).await.call(with_token(&call, "us_token")).await;
    assert_eq!(known.error(), "not ready");
}

#[tokio::test]
async fn a_tenant_with_enough_open_calls_is_told_to_come_back() {
    let limits = TenantLimits { concurrent: Some(1), ..TenantLimits::default() };
    let guard = guard(Scopes::of(ASK), Some("acme"), limits);
    let rig = Rig::guarded(FrontLimits::default(), guard, None).await;
    let mut busy = rig.connect().await;
    busy.send(with_token(&post("/v2/models/gated/infer", DOCUMENT), "us_token")).await;
    rig.host.until_waiting(1).await;
    let call = with_token(&post("/v2/models/echo/infer", DOCUMENT), "us_token");
    let refused = rig.call(&call).await;
    assert_eq!((refused.status, refused.headers["retry-after"].as_str()), (429, "1"));
    assert_eq!(refused.error(), "the tenant `acme` has its quota of 1 calls open");
    rig.host.gate.add_permits(1);
    assert_eq!(busy.receive().await.status, 200);
    assert_eq!(busy.call(&call).await.status, 200);
}

#[tokio::test]
async fn a_tenant_that_asks_too_often_hears_when_to_come_back() {
    let limits = TenantLimits { per_second: Some(1), burst: Some(2), concurrent: None };
    let guard = guard(Scopes::of(ASK), Some("acme"), limits);
    let rig = Rig::guarded(FrontLimits::default(), guard, None).await;
    let ndjson = "content-type: application/x-ndjson\r\n";
    let records = [DOCUMENT; 3].join("\n");
    let call = with_token(&post_with("/v2/models/echo/records", ndjson, &records), "us_token");
    let refused = rig.call(&call).await;
    assert_eq!(refused.status, 413);
    let expected = "found 3 requests at once, expected at most the 2 of the tenant `acme`";
    assert_eq!(refused.error(), expected);
    let call = with_token(&get("/v2/models/echo"), "us_token");
    let mut client = rig.connect().await;
    let refused = loop {
        let reply = client.call(&call).await;
        if reply.status != 200 {
            break reply;
        }
    };
    assert_eq!((refused.status, refused.headers["retry-after"].as_str()), (429, "1"));
    assert_eq!(rig.call(get("/v2/health/live")).await.status, 200);
    assert!(rig.host.records.lock().expect("no test panics here").is_empty());
}
