//! The listener for operators.

use front::Guard;
use serde_json::json;

use crate::client::{Client, get, post, send};
use crate::rig::start_admin;

#[tokio::test]
async fn metrics_and_status_are_pages() {
    let (address, _stop) = start_admin(Guard::open()).await;
    let mut client = Client::connect(address).await;
    let metrics = client.call(get("/metrics")).await;
    assert_eq!((metrics.status, metrics.body.as_str()), (200, "# EOF\n"));
    assert!(metrics.headers["content-type"].starts_with("application/openmetrics-text;"));
    assert_eq!(client.call(get("/status")).await.json(), json!({ "endpoints": [] }));
    let unknown = client.call(get("/status?x")).await;
    let expected = json!({ "error": "query: found `x`, expected all" });
    assert_eq!((unknown.status, unknown.json()), (400, expected));
}

#[tokio::test]
async fn health_says_why_not() {
    let (address, _stop) = start_admin(Guard::open()).await;
    let mut client = Client::connect(address).await;
    let live = client.call(get("/v2/health/live")).await;
    let expected = json!({ "live": false, "error": "the server does not work any more" });
    assert_eq!((live.status, live.json()), (503, expected));
    let ready = client.call(get("/v2/health/ready")).await;
    let expected = json!({ "live": false, "ready": false, "error": "nothing is loaded" });
    assert_eq!((ready.status, ready.json()), (503, expected));
}

#[tokio::test]
async fn the_pages_cannot_be_changed() {
    let (address, _stop) = start_admin(Guard::open()).await;
    let mut client = Client::connect(address).await;
    let reply = client.call(post("/status", "{}")).await;
    assert_eq!((reply.status, reply.headers["allow"].as_str()), (405, "GET, HEAD"));
    let reply = client.call(get("/v2/models")).await;
    assert_eq!(reply.status, 404);
    let expected = "`/v2/models` is not a path of this listener, expected /metrics, /status, \
                    /v2/health/live, /v2/health/ready or one below /admin/endpoints";
    assert_eq!(reply.error(), expected);
}

#[tokio::test]
async fn an_endpoint_is_looked_at_and_changed() {
    let (address, _stop) = start_admin(Guard::open()).await;
    let mut client = Client::connect(address).await;
    let endpoints = client.call(get("/admin/endpoints")).await;
    assert_eq!(endpoints.json(), json!({ "endpoints": ["acme/fraud", "echo"] }));
    let models = client.call(get("/admin/endpoints/acme%2Ffraud/models")).await.json();
    assert_eq!(models["look"], "Models { endpoint: \"acme/fraud\" }");
    let headers = "x-understudy-operator: ada\r\ncontent-type: application/toml\r\n";
    let set = send("PUT", "/admin/endpoints/echo/policy?dry_run=true&why=a+b", headers, "k = 1");
    let change = client.call(set).await.json();
    let expected = "Change { endpoint: \"echo\", operation: SetPolicy { text: \"k = 1\" }, terms: \
                    Terms { dry_run: true, force: false, why: Some(\"a b\"), claimed: Some(\"ada\") } }";
    assert_eq!(change["change"], expected);
    let stage = send("PUT", "/admin/endpoints/echo/models/new", "", "\0asm");
    let change = client.call(stage).await.json();
    let expected = "operation: Stage { model: \"new\", wasm: b\"\\0asm\" }";
    assert!(
        change["change"].to_string().contains(&expected.replace('\\', "\\\\").replace('"', "\\\"")),
        "{change}"
    );
}

#[tokio::test]
async fn what_comes_of_a_change_is_its_status() {
    let (address, _stop) = start_admin(Guard::open()).await;
    let mut client = Client::connect(address).await;
    let mut check = async |target: &str, status: u16, error: &str| {
        let reply = client.call(send("POST", target, "", "")).await;
        assert_eq!((reply.status, reply.error().as_str()), (status, error), "{target}");
    };
    let model = "/admin/endpoints/echo/models/good";
    check(&format!("{model}/retire"), 409, "it answers").await;
    check(&format!("{model}/resume"), 500, "the disk is full").await;
    let forgotten =
        "found an empty body, expected the TOML of a policy; a comment alone stands for none";
    check("/admin/endpoints/echo/policy/diff", 400, forgotten).await;
    let unknown = "endpoint `echo` has no model `bad`; known: good";
    check("/admin/endpoints/echo/models/bad/promote", 404, unknown).await;
    let nothing = send("POST", "/admin/endpoints/echo/policy/diff", "", "# nothing");
    let reply = client.call(nothing).await;
    assert_eq!((reply.status, reply.error().as_str()), (422, "found nothing"));
    let reply = client.call(get("/admin/endpoints/nobody/history")).await;
    assert_eq!(reply.error(), "there is no endpoint `nobody`; known: acme/fraud, echo");
    let large = send("PUT", "/admin/endpoints/echo/models/new", "", &"x".repeat(5_000));
    let reply = client.call(large).await;
    assert_eq!((reply.status, reply.error().as_str()), (413, "the body is larger than 4096 bytes"));
}
