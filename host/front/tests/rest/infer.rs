//! Calls that succeed.

use front::FrontLimits;
use serde_json::json;

use crate::client::{DOCUMENT, get, post, post_with};
use crate::rig::Rig;

const TRACE: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

#[tokio::test]
async fn an_endpoint_answers_and_the_id_comes_back() {
    let rig = Rig::start(FrontLimits::default()).await;
    let reply = rig.call(post("/v2/models/echo/infer", DOCUMENT)).await;
    assert_eq!(reply.status, 200);
    assert_eq!(reply.json(), json!({ "model_name": "echo", "id": "a", "outputs": [] }));
}

#[tokio::test]
async fn the_host_gets_the_document_and_what_the_headers_say() {
    let rig = Rig::start(FrontLimits::default()).await;
    let headers = format!("idempotency-key: once\r\ntraceparent: {TRACE}\r\n");
    let reply = rig.call(post_with("/v2/models/echo/infer", &headers, DOCUMENT)).await;
    assert_eq!(reply.status, 200);
    let calls = rig.host.calls.lock().unwrap();
    assert_eq!(calls[0].body, DOCUMENT);
    assert_eq!(calls[0].document.inputs[0].name, "x");
    assert_eq!(calls[0].idempotency_key.as_deref(), Some("once"));
    assert_eq!(calls[0].traceparent.as_deref(), Some(TRACE));
    assert!(calls[0].received > message::Time::EPOCH);
}

#[tokio::test]
async fn an_endpoint_of_a_tenant_has_two_paths() {
    let rig = Rig::start(FrontLimits::default()).await;
    let mut client = rig.connect().await;
    for path in ["/v2/models/acme/fraud/infer", "/v2/models/acme%2Ffraud/infer?x=1"] {
        let reply = client.call(post(path, DOCUMENT)).await;
        assert_eq!(reply.json()["model_name"], "acme/fraud");
    }
}

#[tokio::test]
async fn one_model_can_be_asked_alone() {
    let rig = Rig::start(FrontLimits::default()).await;
    let reply = rig.call(post("/v2/models/echo/versions/good/infer", DOCUMENT)).await;
    assert_eq!(reply.json(), json!({ "model_name": "echo", "model_version": "good" }));
}

#[tokio::test]
async fn a_chunked_body_is_joined() {
    let rig = Rig::start(FrontLimits::default()).await;
    let mut client = rig.connect().await;
    client.send("POST /v2/models/echo/infer HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n").await;
    for piece in [&DOCUMENT[..10], &DOCUMENT[10..11], &DOCUMENT[11..]] {
        client.send(format!("{:x}\r\n{piece}\r\n", piece.len())).await;
    }
    assert_eq!(client.call("0\r\n\r\n").await.status, 200);
    assert_eq!(rig.host.calls.lock().unwrap()[0].body, DOCUMENT);
}

#[tokio::test]
async fn a_large_document_is_decoded_too() {
    let rig = Rig::start(FrontLimits::default()).await;
    let data = vec!["1.5"; 300_000].join(",");
    let document = format!(
        r#"{{"inputs":[{{"name":"x","shape":[300000],"datatype":"FP32","data":[{data}]}}]}}"#
    );
    let reply = rig.call(post("/v2/models/echo/infer", &document)).await;
    assert_eq!(reply.status, 200);
    assert_eq!(rig.host.calls.lock().unwrap()[0].document.inputs[0].contents.len(), 300_000);
    assert_eq!(rig.routes.bodies_bytes(), 0);
}

#[tokio::test]
async fn records_are_appended_as_they_came() {
    let rig = Rig::start(FrontLimits::default()).await;
    let mut client = rig.connect().await;
    let headers = "content-type: application/x-ndjson\r\n";
    let body = format!("{DOCUMENT}\n{DOCUMENT}\n");
    for first_offset in [0, 2] {
        let reply = client.call(post_with("/v2/models/echo/records", headers, &body)).await;
        let part = json!({ "partition": 0, "first_offset": first_offset, "count": 2 });
        let expected = json!({ "first_offset": first_offset, "count": 2, "partitions": [part] });
        assert_eq!(reply.json(), expected);
    }
    assert_eq!(*rig.host.records.lock().unwrap(), [DOCUMENT; 4]);
}

#[tokio::test]
async fn endpoints_models_and_the_server_describe_themselves() {
    let rig = Rig::start(FrontLimits::default()).await;
    let mut client = rig.connect().await;
    let described = client.call(get("/v2/models/echo")).await.json();
    let inputs = json!([{ "name": "x", "datatype": "FP32", "shape": [2, -1] }]);
    assert_eq!(described["inputs"], inputs);
    assert_eq!(described["versions"], json!(["good"]));
    assert_eq!(described["platform"], "understudy_component");
    assert_eq!(described["properties"], json!({ "role": "champion" }));
    assert_eq!(client.call(get("/v2/models/echo/versions/good")).await.json()["name"], "good");
    let server = client.call(get("/v2")).await.json();
    let extensions = json!(["schedule_policy"]);
    assert_eq!(
        server,
        json!({ "name": "understudy", "version": "0.1.0", "extensions": extensions })
    );
    let models = client.call(get("/v2/models")).await.json();
    assert_eq!(models, json!({ "models": [{ "name": "acme/fraud" }, { "name": "echo" }] }));
}

#[tokio::test]
async fn readiness_comes_with_its_reason() {
    let rig = Rig::start(FrontLimits::default()).await;
    let mut client = rig.connect().await;
    let ready = client.call(get("/v2/models/echo/ready")).await;
    assert_eq!((ready.status, ready.json()), (200, json!({ "name": "echo", "ready": true })));
    let warming = client.call(get("/v2/models/warming/ready")).await;
    let expected = json!({ "name": "warming", "ready": false, "error": "it warms up" });
    assert_eq!((warming.status, warming.json()), (503, expected));
    let live = client.call(get("/v2/health/live")).await;
    assert_eq!((live.status, live.json()), (200, json!({ "live": true })));
    let server = client.call(get("/v2/health/ready")).await;
    assert_eq!((server.status, server.json()), (200, json!({ "live": true, "ready": true })));
}
