//! Calls that fail: each cause with its status, its headers and its words.

use front::FrontLimits;

use crate::client::{DOCUMENT, Received, get, post, post_with};
use crate::fake_host::NOTHING;
use crate::rig::Rig;

async fn reply_to(call: impl AsRef<[u8]>) -> Received {
    Rig::start(FrontLimits::default()).await.call(call).await
}

async fn check(call: impl AsRef<[u8]>, status: u16, error: &str) {
    let reply = reply_to(call).await;
    assert_eq!((reply.status, reply.error().as_str()), (status, error));
}

/// Checks a call whose words come from the decoder.
async fn check_document(document: &str, part: &str) {
    let rig = Rig::start(FrontLimits::default()).await;
    let reply = rig.call(post("/v2/models/echo/infer", document)).await;
    assert_eq!(reply.status, 400, "{document}");
    assert!(reply.error().contains(part), "{}", reply.error());
    assert!(rig.host.calls.lock().expect("no test panics here").is_empty(), "the host was asked");
}

#[tokio::test]
async fn a_malformed_request_names_the_place() {
    check_document("", "").await;
    check_document("{", "line 1").await;
    check_document(&DOCUMENT.replace("[1]}", "[\"one\"]}"), "inputs[0].data[0]").await;
    check_document(&DOCUMENT.replace("FP32", "FP31"), "inputs[0].datatype").await;
    check_document(r#"{"inputs":[],"input":1}"#, "input").await;
}

#[tokio::test]
async fn a_malformed_record_names_its_line() {
    let body = format!("{DOCUMENT}\n{{}}\n");
    let rig = Rig::start(FrontLimits::default()).await;
    let headers = "content-type: application/x-ndjson\r\n";
    let reply = rig.call(post_with("/v2/models/echo/records", headers, &body)).await;
    assert_eq!(reply.status, 400);
    assert!(reply.error().starts_with("line 2: "), "{}", reply.error());
    assert!(rig.host.records.lock().unwrap().is_empty());
}

#[tokio::test]
async fn unknown_names_come_with_the_known_ones() {
    let endpoint = "there is no endpoint `fligths`; known: acme/fraud, echo";
    check(post("/v2/models/fligths/infer", DOCUMENT), 404, endpoint).await;
    check(get("/v2/models/fligths"), 404, endpoint).await;
    check(get("/v2/models/fligths/ready"), 404, endpoint).await;
    let model = "endpoint `echo` has no model `bad`; known: good";
    check(post("/v2/models/echo/versions/bad/infer", DOCUMENT), 404, model).await;
    check(get("/v2/models/echo/versions/bad"), 404, model).await;
}

#[tokio::test]
async fn an_unknown_path_says_where_the_paths_are() {
    let error =
        "`/v1/models` is not a path of this server, expected one that GET /v2/models leads to";
    check(get("/v1/models"), 404, error).await;
    check(get("/v2/models/%FF"), 400, "the path is not UTF-8 where it is percent-encoded").await;
}

#[tokio::test]
async fn a_wrong_method_gets_the_right_ones() {
    let reply = reply_to(get("/v2/models/echo/infer")).await;
    assert_eq!((reply.status, reply.headers["allow"].as_str()), (405, "POST"));
    assert_eq!(reply.error(), "found the method GET, expected POST");
    let reply = reply_to(post("/v2/models/echo", DOCUMENT)).await;
    assert_eq!((reply.status, reply.headers["allow"].as_str()), (405, "GET, HEAD"));
    assert_eq!(reply.error(), "found the method POST, expected GET, HEAD");
}

#[tokio::test]
async fn bodies_that_are_not_plain_json_are_refused() {
    let post = |headers| post_with("/v2/models/echo/infer", headers, DOCUMENT);
    let error = "content-type: found `text/csv`, expected application/json";
    check(post("content-type: text/csv\r\n"), 415, error).await;
    let error = "content-encoding: found `gzip`, expected a body that is not encoded";
    check(post("content-encoding: gzip\r\n"), 415, error).await;
    let error = "content-type: found `application/octet-stream`, expected application/json";
    check(post("content-type: application/octet-stream\r\n"), 415, error).await;
    let error = "content-type: found `application/json`, expected application/x-ndjson";
    let json = "content-type: application/json\r\n";
    check(post_with("/v2/models/echo/records", json, DOCUMENT), 415, error).await;
    let error = "idempotency-key: expected 1 to 255 printable ASCII characters";
    check(post("idempotency-key: \r\n"), 400, error).await;
}

const NO_ANSWER: &str = "the stream did not bring the answer in time; the request may have been \
    accepted, and its answer is then on the answers topic: with the header idempotency-key it can \
    be asked for again";

#[tokio::test]
async fn every_error_of_the_host_has_its_status() {
    let cases = [
        ("busy", 503, "too many requests wait already"),
        ("full", 507, "there is no room to record the request"),
        ("poisoned", 503, "requests cannot be recorded at the moment"),
        ("away", 503, "the stream cannot be reached at the moment; the request was not accepted"),
        ("silent", 503, NO_ANSWER),
        ("stopping", 503, "the server is about to stop"),
        ("warming", 503, "not ready: it warms up"),
        ("internal", 500, "the server failed; its log says how"),
        ("strict", 400, "inputs[0].name: found `x`, expected `y`"),
        ("echo/versions/coy", 400, "the model refused (abstain): not today"),
        ("echo/versions/broken", 500, "the model broke (cpu): the budget of 20 ms was used up"),
    ];
    for (name, status, error) in cases {
        check(post(&format!("/v2/models/{name}/infer"), DOCUMENT), status, error).await;
    }
}

#[tokio::test]
async fn an_error_that_passes_says_when_to_come_back() {
    let busy = reply_to(post("/v2/models/busy/infer", DOCUMENT)).await;
    assert_eq!(busy.headers["retry-after"], "7");
    let stopping = reply_to(post("/v2/models/stopping/infer", DOCUMENT)).await;
    assert_eq!(stopping.headers["retry-after"], "1");
    let away = reply_to(post("/v2/models/away/infer", DOCUMENT)).await;
    assert_eq!(away.headers["retry-after"], "7");
    // It may have been accepted: to send it again without a key would ask twice.
    let silent = reply_to(post("/v2/models/silent/infer", DOCUMENT)).await;
    assert!(!silent.headers.contains_key("retry-after"));
}

#[tokio::test]
async fn when_nothing_came_the_document_of_the_host_says_so() {
    let reply = reply_to(post("/v2/models/nothing/infer", DOCUMENT)).await;
    assert_eq!((reply.status, reply.body.as_str()), (504, NOTHING));
}

#[tokio::test]
async fn what_is_not_http_gets_an_error_that_says_so() {
    let error = "the head of the call is not HTTP/1.1 or HTTP/2";
    check("HELLO\r\n\r\n", 400, error).await;
    check("GET /v2 HTTP/3.7\r\n\r\n", 400, error).await;
    check(b"GET /v2/\xff HTTP/1.1\r\n\r\n", 400, error).await;
    check("GET /v2 HTTP/1.1\r\nbad header\r\n\r\n", 400, error).await;
}

#[tokio::test]
async fn a_broken_chunk_is_told() {
    let head = "POST /v2/models/echo/infer HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n";
    check(format!("{head}zz\r\n"), 400, "the body ended early or its framing is broken").await;
}

#[tokio::test]
async fn the_host_learns_every_status() {
    let rig = Rig::start(FrontLimits::default()).await;
    let mut client = rig.connect().await;
    client.call(get("/v2")).await;
    client.call(get("/v3")).await;
    client.call(post("/v2/models/full/infer", DOCUMENT)).await;
    assert_eq!(*rig.host.statuses.lock().unwrap(), [200, 404, 507]);
}
