//! Callers that begin with HTTP/2 at once.

use std::time::Duration;

use bytes::Bytes;
use front::{FrontLimits, ServeError};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http2::{SendRequest, handshake};
use hyper::{Request, Response, body::Incoming};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpStream;

use crate::client::DOCUMENT;
use crate::rig::{Rig, tight};

type Sender = SendRequest<Full<Bytes>>;

async fn connect(rig: &Rig) -> Sender {
    let stream = TcpStream::connect(rig.address).await.expect("the listener is there");
    let connected = handshake(TokioExecutor::new(), TokioIo::new(stream)).await;
    let (sender, connection) = connected.expect("the other side speaks HTTP/2");
    tokio::spawn(connection);
    sender
}

async fn post(sender: &mut Sender, path: &str, body: &str) -> Response<Incoming> {
    let body = Full::from(body.to_owned());
    let request = Request::post(format!("http://test{path}")).body(body);
    sender.send_request(request.expect("the path is one")).await.expect("the stream is open")
}

#[tokio::test]
async fn many_calls_share_a_connection() {
    let rig = Rig::start(FrontLimits::default()).await;
    let sender = connect(&rig).await;
    let call = || {
        let mut sender = sender.clone();
        async move { post(&mut sender, "/v2/models/gated/infer", DOCUMENT).await }
    };
    let calls: Vec<_> = (0..5).map(|_| tokio::spawn(call())).collect();
    rig.host.until_waiting(5).await;
    rig.host.gate.add_permits(5);
    for call in calls {
        let reply = call.await.unwrap();
        assert_eq!(reply.status(), 200);
        let body = reply.into_body().collect().await.unwrap().to_bytes();
        assert_eq!(body, r#"{"id":"a","model_name":"gated","outputs":[]}"#);
    }
    assert_eq!(rig.routes.open_calls(), 0);
}

#[tokio::test]
async fn a_stream_that_is_reset_leaves_nothing_behind() {
    let rig = Rig::start(FrontLimits::default()).await;
    let mut sender = connect(&rig).await;
    let mut other = sender.clone();
    let call = tokio::spawn(async move {
        post(&mut other, "/v2/models/gated/infer", DOCUMENT).await;
    });
    rig.host.until_waiting(1).await;
    call.abort();
    rig.host.until_waiting(0).await;
    assert_eq!(post(&mut sender, "/v2/models/echo/infer", DOCUMENT).await.status(), 200);
}

#[tokio::test]
async fn limits_hold_here_too() {
    let rig = Rig::start(tight()).await;
    let mut sender = connect(&rig).await;
    let large = "x".repeat(5_000);
    assert_eq!(post(&mut sender, "/v2/models/echo/infer", &large).await.status(), 413);
    assert_eq!(post(&mut sender, "/v2/models/echo/infer", DOCUMENT).await.status(), 200);
}

#[tokio::test]
async fn a_shutdown_lets_open_streams_finish() {
    let mut rig = Rig::start(FrontLimits::default()).await;
    let mut sender = connect(&rig).await;
    let call = tokio::spawn(async move {
        post(&mut sender, "/v2/models/gated/infer", DOCUMENT).await.status()
    });
    rig.host.until_waiting(1).await;
    rig.stop();
    rig.host.gate.add_permits(1);
    assert_eq!(call.await.unwrap(), 200);
    rig.end().await.unwrap();
}

#[tokio::test]
async fn a_shutdown_cuts_open_streams_and_has_their_tasks_ended() {
    let drain_time = Duration::from_millis(20);
    let rig = Rig::start(FrontLimits { drain_time, ..FrontLimits::default() }).await;
    let mut sender = connect(&rig).await;
    let request = Request::post("http://test/v2/models/gated/infer").body(Full::from(DOCUMENT));
    let call = tokio::spawn(sender.send_request(request.unwrap()));
    rig.host.until_waiting(1).await;
    let waiting = rig.host.waiting.subscribe();
    assert_eq!(rig.end().await, Err(ServeError::Cut { connections: 1, drain_time }));
    assert_eq!(*waiting.borrow(), 0, "the call was dropped");
    assert!(call.await.unwrap().is_err());
}
