//! The listener for operators.

use front::Guard;
use serde_json::json;

use crate::client::{Client, get, post};
use crate::rig::start_admin;

#[tokio::test]
async fn metrics_and_status_are_pages() {
    let (address, _stop) = start_admin(Guard::open()).await;
    let mut client = Client::connect(address).await;
    let metrics = client.call(get("/metrics")).await;
    assert_eq!((metrics.status, metrics.body.as_str()), (200, "# EOF\n"));
    assert!(metrics.headers["content-type"].starts_with("application/openmetrics-text;"));
    assert_eq!(client.call(get("/status?x")).await.json(), json!({ "endpoints": [] }));
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
async fn nothing_can_be_changed_here() {
    let (address, _stop) = start_admin(Guard::open()).await;
    let mut client = Client::connect(address).await;
    let reply = client.call(post("/status", "{}")).await;
    assert_eq!((reply.status, reply.headers["allow"].as_str()), (405, "GET, HEAD"));
    let reply = client.call(get("/v2/models")).await;
    assert_eq!(reply.status, 404);
    let expected = "`/v2/models` is not a path of this listener, expected /metrics, /status, \
                    /v2/health/live or /v2/health/ready";
    assert_eq!(reply.error(), expected);
}
