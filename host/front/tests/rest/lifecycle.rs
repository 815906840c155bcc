//! Connections from their first call to the end of the listener.

use std::time::Duration;

use front::{FrontLimits, ServeError};
use tokio::net::TcpStream;

use crate::client::{DOCUMENT, get, post};
use crate::rig::Rig;

#[tokio::test]
async fn pipelined_calls_are_answered_in_order() {
    let rig = Rig::start(FrontLimits::default()).await;
    let mut client = rig.connect().await;
    let documents: Vec<_> =
        (0..10).map(|id| DOCUMENT.replace(r#""a""#, &format!(r#""{id}""#))).collect();
    let calls: String =
        documents.iter().map(|document| post("/v2/models/echo/infer", document)).collect();
    client.send(calls).await;
    for id in 0..10 {
        assert_eq!(client.receive().await.json()["id"], id.to_string());
    }
}

#[tokio::test]
async fn a_connection_goes_on_after_an_error() {
    let rig = Rig::start(FrontLimits::default()).await;
    let mut client = rig.connect().await;
    assert_eq!(client.call(post("/v2/models/echo/infer", "[]")).await.status, 400);
    assert_eq!(client.call(post("/v2/models/echo", DOCUMENT)).await.status, 405);
    assert_eq!(client.call(post("/v2/models/echo/infer", DOCUMENT)).await.status, 200);
}

#[tokio::test]
async fn a_head_is_all_that_head_gets() {
    let rig = Rig::start(FrontLimits::default()).await;
    let mut client = rig.connect().await;
    client.send("HEAD /v2/health/live HTTP/1.1\r\n\r\nGET /v2/health/live HTTP/1.0\r\n\r\n").await;
    let replies = client.rest().await;
    assert_eq!(replies.matches("200 OK").count(), 2, "{replies}");
    assert_eq!(replies.matches("content-length: 13").count(), 2, "{replies}");
    assert_eq!(replies.matches(r#"{"live":true}"#).count(), 1, "{replies}");
}

#[tokio::test]
async fn a_caller_who_hangs_up_leaves_nothing_behind() {
    let rig = Rig::start(FrontLimits::default()).await;
    let mut client = rig.connect().await;
    client.send(post("/v2/models/gated/infer", DOCUMENT)).await;
    rig.host.until_waiting(1).await;
    assert_eq!(rig.routes.open_calls(), 1);
    drop(client);
    rig.host.until_waiting(0).await;
    assert_eq!(rig.call(get("/v2")).await.status, 200);
    assert_eq!((rig.routes.open_calls(), rig.routes.bodies_bytes()), (0, 0));
    rig.end().await.unwrap();
}

#[tokio::test]
async fn a_shutdown_lets_open_calls_finish_and_takes_no_new_ones() {
    let mut rig = Rig::start(FrontLimits::default()).await;
    let (mut busy, mut idle) = (rig.connect().await, rig.connect().await);
    assert_eq!(idle.call(get("/v2")).await.status, 200);
    busy.send(post("/v2/models/gated/infer", DOCUMENT)).await;
    rig.host.until_waiting(1).await;
    rig.stop();
    assert!(idle.try_receive().await.is_none(), "an idle connection is closed");
    assert!(TcpStream::connect(rig.address).await.is_err(), "the listener is closed");
    rig.host.gate.add_permits(1);
    assert_eq!(busy.receive().await.status, 200);
    assert!(busy.try_receive().await.is_none());
    rig.end().await.unwrap();
}

#[tokio::test]
async fn a_shutdown_cuts_what_does_not_finish() {
    let drain_time = Duration::from_millis(20);
    let rig = Rig::start(FrontLimits { drain_time, ..FrontLimits::default() }).await;
    let mut client = rig.connect().await;
    client.send(post("/v2/models/gated/infer", DOCUMENT)).await;
    rig.host.until_waiting(1).await;
    let waiting = rig.host.waiting.subscribe();
    assert_eq!(rig.end().await, Err(ServeError::Cut { connections: 1, drain_time }));
    assert_eq!(*waiting.borrow(), 0, "the call was dropped");
    assert!(client.try_receive().await.is_none());
}
