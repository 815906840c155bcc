//! Callers that want too much.

use front::FrontLimits;

use crate::client::{DOCUMENT, get, post, post_with};
use crate::rig::{Rig, hasty, tight};

#[tokio::test]
async fn headers_beyond_the_limit_get_an_error() {
    let rig = Rig::start(tight()).await;
    let header = format!("x: {}\r\n", "a".repeat(20_000));
    let reply = rig.call(post_with("/v2/models/echo/infer", &header, DOCUMENT)).await;
    assert_eq!(reply.status, 431);
    assert_eq!(reply.error(), "the headers of the call are too large or too many");
    let many: String = (0..200).map(|number| format!("x{number}: a\r\n")).collect();
    assert_eq!(rig.call(post_with("/v2", &many, "")).await.status, 431);
}

#[tokio::test]
async fn a_head_that_does_not_end_times_out() {
    let rig = Rig::start(hasty()).await;
    for beginning in ["P", "PRI * HTT", "GET /v2 HTTP/1.1\r\nhost:"] {
        let mut client = rig.connect().await;
        client.send(beginning).await;
        // Who begins like HTTP/2 is not told in words that it would not understand.
        let reply = client.try_receive().await;
        if beginning.starts_with("PRI ") {
            assert!(reply.is_none());
        } else {
            let reply = reply.unwrap();
            assert_eq!(reply.status, 408);
            assert_eq!(reply.error(), "the head of the call did not arrive in time");
            assert!(client.try_receive().await.is_none());
        }
    }
}

#[tokio::test]
async fn a_second_head_that_does_not_end_times_out_too() {
    let rig = Rig::start(hasty()).await;
    let mut client = rig.connect().await;
    assert_eq!(client.call(post("/v2/models/echo/infer", DOCUMENT)).await.status, 200);
    assert_eq!(client.call("GET /v2").await.status, 408);
}

#[tokio::test]
async fn a_connection_that_rests_is_closed_without_a_word() {
    let rig = Rig::start(hasty()).await;
    let mut fresh = rig.connect().await;
    assert!(fresh.try_receive().await.is_none());
    let mut used = rig.connect().await;
    assert_eq!(used.call(post("/v2/models/echo/infer", DOCUMENT)).await.status, 200);
    assert!(used.try_receive().await.is_none());
}

#[tokio::test]
async fn a_body_that_does_not_end_times_out() {
    let rig = Rig::start(hasty()).await;
    let head = "POST /v2/models/echo/infer HTTP/1.1\r\ncontent-length: 100\r\n\r\n";
    let reply = rig.call(format!("{head}{{")).await;
    assert_eq!(
        (reply.status, reply.error().as_str()),
        (408, "the body did not arrive within 50 ms")
    );
    assert_eq!(rig.routes.open_calls(), 0);
    assert_eq!(rig.routes.bodies_bytes(), 0);
}

#[tokio::test]
async fn a_body_that_says_it_is_too_large_is_not_waited_for() {
    let rig = Rig::start(tight()).await;
    let error = "the body is larger than 4096 bytes";
    let head = "POST /v2/models/echo/infer HTTP/1.1\r\n";
    for rest in
        ["content-length: 4097\r\n\r\n", "expect: 100-continue\r\ncontent-length: 4097\r\n\r\n"]
    {
        let reply = rig.call(format!("{head}{rest}")).await;
        assert_eq!((reply.status, reply.error().as_str()), (413, error));
    }
}

#[tokio::test]
async fn a_caller_who_sends_too_much_still_reads_the_error() {
    let rig = Rig::start(tight()).await;
    let body = "x".repeat(3_000_000);
    let reply = rig.call(post("/v2/models/echo/infer", &body)).await;
    assert_eq!(reply.status, 413);
}

#[tokio::test]
async fn a_chunked_body_is_cut_where_it_exceeds_the_limit() {
    let rig = Rig::start(tight()).await;
    let mut client = rig.connect().await;
    client.send("POST /v2/models/echo/infer HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n").await;
    for _ in 0..5 {
        client.send(format!("3e8\r\n{}\r\n", "x".repeat(1_000))).await;
    }
    let reply = client.receive().await;
    assert_eq!((reply.status, reply.error().as_str()), (413, "the body is larger than 4096 bytes"));
}

#[tokio::test]
async fn calls_beyond_the_limit_are_told_to_come_back() {
    let rig = Rig::start(tight()).await;
    let (mut first, mut second) = (rig.connect().await, rig.connect().await);
    first.send(post("/v2/models/gated/infer", DOCUMENT)).await;
    second.send(post("/v2/models/gated/infer", DOCUMENT)).await;
    rig.host.until_waiting(2).await;
    let mut third = rig.connect().await;
    let refused = third.call(post("/v2/models/echo/infer", DOCUMENT)).await;
    assert_eq!((refused.status, refused.error().as_str()), (503, "too many open calls"));
    assert_eq!(refused.headers["retry-after"], "1");
    assert_eq!(third.call(get("/v2/health/live")).await.status, 200);
    rig.host.gate.add_permits(2);
    assert_eq!(first.receive().await.status, 200);
    assert_eq!(second.receive().await.status, 200);
    assert_eq!(third.call(post("/v2/models/echo/infer", DOCUMENT)).await.status, 200);
}

#[tokio::test]
async fn bodies_that_are_too_large_together_are_refused() {
    let rig = Rig::start(tight()).await;
    let document = format!("{DOCUMENT}{}", " ".repeat(3_900));
    let mut first = rig.connect().await;
    first.send(post("/v2/models/gated/infer", &document)).await;
    rig.host.until_waiting(1).await;
    let refused = rig.call(post("/v2/models/echo/infer", &document)).await;
    assert_eq!(refused.status, 503);
    assert_eq!(refused.error(), "the bodies of the open calls are too large together");
    rig.host.gate.add_permits(1);
    assert_eq!(first.receive().await.status, 200);
    assert_eq!(rig.call(post("/v2/models/echo/infer", &document)).await.status, 200);
}

#[tokio::test]
async fn connections_beyond_the_limit_wait_for_a_place() {
    let rig = Rig::start(FrontLimits { connections_max: 1, ..FrontLimits::default() }).await;
    let mut first = rig.connect().await;
    assert_eq!(first.call(get("/v2")).await.status, 200);
    let mut second = rig.connect().await;
    second.send(get("/v3")).await;
    for _ in 0..20 {
        assert_eq!(first.call(get("/v2")).await.status, 200);
    }
    assert!(rig.host.statuses.lock().unwrap().iter().all(|status| *status == 200));
    drop(first);
    assert_eq!(second.receive().await.status, 404);
}
