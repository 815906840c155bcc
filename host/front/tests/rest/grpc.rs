//! The protocol over gRPC: frames, statuses and limits.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::{BufMut, Bytes, BytesMut};
use front::{FrontLimits, RepositoryChange};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http2::{SendRequest, handshake};
use hyper::{HeaderMap, Request};
use hyper_util::rt::{TokioExecutor, TokioIo};
use message::oip::{
    Encoding, ProtobufRequest, decode_protobuf_response, decode_request, encode_protobuf_request,
};
use tokio::net::TcpStream;

use crate::client::DOCUMENT;
use crate::rig::{Rig, tight};

const SERVICE: &str = "inference.GRPCInferenceService";

pub(crate) struct Caller(SendRequest<Full<Bytes>>);

/// What came back: the messages, and the status with its words wherever it stood.
pub(crate) struct Received {
    pub(crate) messages: Vec<Bytes>,
    ends: HeaderMap,
}

impl Received {
    pub(crate) fn status(&self) -> &str {
        self.ends["grpc-status"].to_str().expect("a status of ASCII")
    }

    pub(crate) fn words(&self) -> &str {
        self.ends.get("grpc-message").map_or("", |words| words.to_str().expect("words of ASCII"))
    }
}

impl Caller {
    pub(crate) async fn connect(rig: &Rig) -> Self {
        Self::connect_to(rig.grpc().await).await
    }

    async fn connect_to(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).await.expect("the listener is there");
        let connected = handshake(TokioExecutor::new(), TokioIo::new(stream)).await;
        let (sender, connection) = connected.expect("the other side speaks HTTP/2");
        tokio::spawn(connection);
        Self(sender)
    }

    async fn call(&mut self, method: &str, message: &[u8]) -> Received {
        self.call_with(&format!("{SERVICE}/{method}"), &[], &framed(&[message])).await
    }

    pub(crate) async fn call_with(
        &mut self,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Received {
        let request = request(path, headers, body);
        let reply = self.0.send_request(request).await.expect("the stream is open");
        assert_eq!(reply.status(), 200);
        let head = reply.headers().clone();
        let body = reply.into_body().collect().await.expect("a whole body");
        let ends = body.trailers().cloned().unwrap_or(head);
        Received { messages: unframed(body.to_bytes()), ends }
    }
}

fn request(path: &str, headers: &[(&str, &str)], body: &[u8]) -> Request<Full<Bytes>> {
    let mut request = Request::post(format!("http://test/{path}"))
        .header("content-type", "application/grpc")
        .header("te", "trailers");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(Full::from(Bytes::copy_from_slice(body))).expect("a request")
}

pub(crate) fn framed(messages: &[&[u8]]) -> Vec<u8> {
    let mut body = BytesMut::new();
    for message in messages {
        body.put_u8(0);
        body.put_u32(u32::try_from(message.len()).expect("a short message"));
        body.put_slice(message);
    }
    body.to_vec()
}

fn unframed(mut body: Bytes) -> Vec<Bytes> {
    let mut messages = Vec::new();
    while !body.is_empty() {
        let length = u32::from_be_bytes(body[1..5].try_into().expect("four bytes")) as usize;
        messages.push(body.slice(5..5 + length));
        body = body.slice(5 + length..);
    }
    messages
}

fn question(endpoint: &str, model: &str) -> Vec<u8> {
    encode_protobuf_request(&ProtobufRequest {
        model_name: endpoint.to_owned(),
        model_version: model.to_owned(),
        request: decode_request(DOCUMENT.as_bytes()).expect("the document is one"),
    })
}

/// A message whose first fields are these texts.
fn texts(texts: &[&str]) -> Vec<u8> {
    let mut message = Vec::new();
    for (index, text) in texts.iter().enumerate() {
        message.extend([(index as u8 + 1) << 3 | 2, text.len() as u8]);
        message.extend(text.as_bytes());
    }
    message
}

#[tokio::test]
async fn an_endpoint_answers_with_its_tensors() {
    let rig = Rig::start(FrontLimits::default()).await;
    let mut caller = Caller::connect(&rig).await;
    let message = question("echo", "");
    let headers = [("grpc-timeout", "50m"), ("idempotency-key", "once")];
    let body = framed(&[&message]);
    let received = caller.call_with(&format!("{SERVICE}/ModelInfer"), &headers, &body).await;
    assert_eq!((received.status(), received.words()), ("0", ""));
    let response = decode_protobuf_response(&received.messages[0]).unwrap();
    assert_eq!((&*response.model_name, response.id.as_deref()), ("echo", Some("a")));
    assert_eq!(response.outputs, decode_request(DOCUMENT.as_bytes()).unwrap().inputs);
    let calls = rig.host.calls.lock().unwrap();
    assert_eq!(calls[0].body, message);
    assert_eq!(calls[0].encoding, Encoding::Protobuf);
    assert_eq!(calls[0].timeout, Some(Duration::from_millis(50)));
    assert_eq!(calls[0].idempotency_key.as_deref(), Some("once"));
}

#[tokio::test]
async fn what_goes_wrong_has_a_status_and_the_words_of_rest() {
    let rig = Rig::start(FrontLimits::default()).await;
    let mut caller = Caller::connect(&rig).await;
    let unknown = "there is no endpoint `nobody`; known: acme/fraud, echo";
    let cases = [
        ("nobody", "", "5", unknown),
        ("echo", "bad", "5", "endpoint `echo` has no model `bad`; known: good"),
        ("echo", "coy", "3", "the model refused (abstain): not today"),
        ("echo", "broken", "13", "the model broke (cpu): the budget of 20 ms was used up"),
        ("strict", "", "3", "inputs[0].name: found `x`, expected `y`"),
        ("busy", "", "8", "too many requests wait already"),
        ("full", "", "8", "there is no room to record the request"),
        ("warming", "", "14", "not ready: it warms up"),
        ("stopping", "", "14", "the server is about to stop"),
        ("nothing", "", "4", "nothing came"),
        ("internal", "", "13", "the server failed; its log says how"),
    ];
    for (endpoint, model, status, words) in cases {
        let received = caller.call("ModelInfer", &question(endpoint, model)).await;
        assert_eq!((received.status(), received.words()), (status, words), "{endpoint}");
        assert!(received.messages.is_empty());
    }
    let busy = caller.call("ModelInfer", &question("busy", "")).await;
    assert_eq!(busy.ends["grpc-retry-pushback-ms"], "7000");
    let statuses = rig.host.statuses.lock().unwrap();
    assert_eq!(statuses.len(), cases.len() + 1);
    assert_eq!(statuses[0], 404);
}

#[tokio::test]
async fn a_malformed_call_is_told_what_is_wrong() {
    let rig = Rig::start(FrontLimits::default()).await;
    let mut caller = Caller::connect(&rig).await;
    let infer = format!("{SERVICE}/ModelInfer");
    let received = caller.call("ModelInfer", b"\x2a\x02\x0a\x00").await;
    let words = "inputs[0].name: found nothing, expected a string";
    assert_eq!((received.status(), received.words()), ("3", words));
    let compressed = caller.call_with(&infer, &[], &[1, 0, 0, 0, 0]).await;
    assert_eq!(compressed.status(), "12");
    let broken = caller.call_with(&infer, &[], &[0, 0, 0, 0, 9, 1]).await;
    assert_eq!(
        (broken.status(), broken.words()),
        ("3", "the body ended early or its framing is broken")
    );
    let timeout = caller.call_with(&infer, &[("grpc-timeout", "soon")], &framed(&[b""])).await;
    assert_eq!(timeout.status(), "3");
    assert!(timeout.words().starts_with("grpc-timeout: "), "{}", timeout.words());
    let unknown = caller.call("ModelConfig", b"").await;
    assert_eq!(unknown.status(), "12");
    let other = caller.call_with("other.Service/Method", &[], &framed(&[b""])).await;
    assert_eq!(other.status(), "12");
    assert!(rig.host.calls.lock().unwrap().is_empty());
}

#[tokio::test]
async fn the_limits_of_rest_hold_here_too_and_are_shared() {
    let rig = Rig::start(tight()).await;
    let mut caller = Caller::connect(&rig).await;
    let large = caller.call("ModelInfer", &[0; 5_000]).await;
    assert_eq!((large.status(), large.words()), ("8", "the body is larger than 4096 bytes"));
    let other = caller.0.clone();
    let open: Vec<_> = (0..2)
        .map(|_| {
            let mut caller = Caller(other.clone());
            tokio::spawn(async move { caller.call("ModelInfer", &question("gated", "")).await })
        })
        .collect();
    rig.host.until_waiting(2).await;
    assert_eq!(rig.routes.open_calls(), 2);
    let third = caller.call("ModelInfer", &question("echo", "")).await;
    assert_eq!((third.status(), third.words()), ("8", "too many open calls"));
    rig.host.gate.add_permits(2);
    for call in open {
        assert_eq!(call.await.unwrap().status(), "0");
    }
}

#[tokio::test]
async fn a_stream_answers_each_question_with_its_id() {
    let rig = Rig::start(FrontLimits::default()).await;
    let mut caller = Caller::connect(&rig).await;
    let body = framed(&[&question("echo", ""), &question("nobody", ""), b"\xff"]);
    let received = caller.call_with(&format!("{SERVICE}/ModelStreamInfer"), &[], &body).await;
    assert_eq!(received.status(), "0");
    assert_eq!(received.messages.len(), 3);
    let text = |message: &Bytes| String::from_utf8_lossy(message).into_owned();
    let said: Vec<_> = received.messages.iter().map(text).collect();
    let count = |part: &str| said.iter().filter(|said| said.contains(part)).count();
    assert_eq!(count("there is no endpoint `nobody`"), 1);
    assert_eq!(count("document: found a number that does not end"), 1);
    assert_eq!(count("\u{1a}\u{1}a"), 2, "{said:?}");
    let cut = caller.call_with(&format!("{SERVICE}/ModelStreamInfer"), &[], &body[..7]).await;
    assert_eq!(cut.status(), "3");
}

#[tokio::test]
async fn what_a_caller_who_hangs_up_had_asked_is_dropped() {
    let rig = Rig::start(FrontLimits::default()).await;
    let caller = Caller::connect(&rig).await;
    for method in ["ModelInfer", "ModelStreamInfer"] {
        let mut other = Caller(caller.0.clone());
        let call = tokio::spawn(async move {
            other.call(method, &question("gated", "")).await;
        });
        rig.host.until_waiting(1).await;
        call.abort();
        rig.host.until_waiting(0).await;
    }
}

#[tokio::test]
async fn the_server_and_its_endpoints_say_what_they_are() {
    let rig = Rig::start(FrontLimits::default()).await;
    let mut caller = Caller::connect(&rig).await;
    let yes = [8, 1];
    assert_eq!(caller.call("ServerLive", b"").await.messages, [yes.as_slice()]);
    assert_eq!(caller.call("ServerReady", b"").await.messages, [yes.as_slice()]);
    assert_eq!(caller.call("ModelReady", &texts(&["echo"])).await.messages, [yes.as_slice()]);
    assert_eq!(caller.call("ModelReady", &texts(&["warming"])).await.messages, [Bytes::new()]);
    assert_eq!(caller.call("ModelReady", &texts(&["nobody"])).await.status(), "5");
    let metadata = caller.call("ModelMetadata", &texts(&["echo", "good"])).await;
    let text = String::from_utf8_lossy(&metadata.messages[0]).into_owned();
    assert!(text.contains("understudy_component") && text.contains("FP32"), "{text:?}");
    let statistics = caller.call("ModelStatistics", &texts(&["echo"])).await;
    assert!(
        statistics.messages[0].starts_with(b"\x0a"),
        "{statistics:?}",
        statistics = statistics.messages
    );
    let index = caller.call("RepositoryIndex", b"").await;
    let all = String::from_utf8_lossy(&index.messages[0]).into_owned();
    assert!(all.contains("UNAVAILABLE") && all.contains("READY"), "{all:?}");
    let ready = caller.call("RepositoryIndex", &[16, 1]).await;
    assert!(!String::from_utf8_lossy(&ready.messages[0]).contains("UNAVAILABLE"));
}

#[tokio::test]
async fn models_are_loaded_and_unloaded_by_either_name() {
    let rig = Rig::start(FrontLimits::default()).await;
    let mut caller = Caller::connect(&rig).await;
    let named_second = texts(&["", "echo"]);
    assert_eq!(caller.call("RepositoryModelUnload", &named_second).await.status(), "0");
    assert_eq!(caller.call("RepositoryModelLoad", &texts(&["echo"])).await.status(), "0");
    let unknown = caller.call("RepositoryModelLoad", &texts(&["", "nobody"])).await;
    assert_eq!(unknown.status(), "5");
    let changes = Arc::clone(&rig.host);
    let changes = changes.changes.lock().unwrap();
    let load = RepositoryChange::Load { component: None };
    assert_eq!(*changes, [(None, RepositoryChange::Unload), (None, load)]);
}

#[tokio::test]
async fn the_health_service_knows_the_server_and_its_endpoints() {
    let rig = Rig::start(FrontLimits::default()).await;
    let mut caller = Caller::connect(&rig).await;
    let path = "grpc.health.v1.Health/Check";
    for (service, status, message) in [
        ("", "0", &[8, 1][..]),
        (SERVICE, "0", &[8, 1]),
        ("echo", "0", &[8, 1]),
        ("warming", "0", &[8, 2]),
        ("nobody", "5", &[]),
    ] {
        let body = framed(&[&texts(&[service])]);
        let received = caller.call_with(path, &[], &body).await;
        assert_eq!(received.status(), status, "{service}");
        assert_eq!(received.messages.first().map_or(&[][..], |it| it), message, "{service}");
    }
}

#[tokio::test]
async fn reflection_lists_every_service_in_both_versions() {
    let rig = Rig::start(FrontLimits::default()).await;
    let mut caller = Caller::connect(&rig).await;
    for version in ["v1", "v1alpha"] {
        let path = format!("grpc.reflection.{version}.ServerReflection/ServerReflectionInfo");
        // `list_services` is the field 7.
        let received = caller.call_with(&path, &[], &framed(&[b"\x3a\x01*"])).await;
        assert_eq!(received.status(), "0");
        let text = String::from_utf8_lossy(&received.messages[0]).into_owned();
        for service in [SERVICE, "grpc.health.v1.Health"] {
            assert!(text.contains(service), "{version}: {text:?}");
        }
    }
}

#[tokio::test]
async fn what_is_not_grpc_is_told_so() {
    let rig = Rig::start(FrontLimits::default()).await;
    let mut client = crate::client::Client::connect(rig.grpc().await).await;
    let reply = client.call(crate::client::get("/v2/models")).await;
    let error = "content-type: found ``, expected application/grpc";
    assert_eq!((reply.status, &*reply.error()), (415, error));
}

#[tokio::test]
async fn a_stream_that_would_go_on_ends_with_the_listener() {
    let rig = Rig::start(FrontLimits::default()).await;
    let (address, stop, served) = rig.serve_grpc().await;
    let mut caller = Caller::connect_to(address).await;
    let path = "grpc.health.v1.Health/Watch";
    let request = request(path, &[], &framed(&[&texts(&["echo"])]));
    let mut body = caller.0.send_request(request).await.unwrap().into_body();
    let first = body.frame().await.unwrap().unwrap().into_data().unwrap();
    assert_eq!(unframed(first), [&[8, 1][..]]);
    drop(stop);
    let rest = body.collect().await.unwrap();
    assert_eq!(rest.trailers().unwrap()["grpc-status"], "14");
    assert_eq!(unframed(rest.to_bytes()), [&[8, 2][..]]);
    served.await.unwrap().unwrap();
}
