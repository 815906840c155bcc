//! The extensions of the protocol: tensors in binary, statistics, and the repository of models.

use bytes::Bytes;
use front::{FrontLimits, RepositoryChange};
use message::Contents;
use message::oip::Encoding;
use serde_json::json;

use crate::client::{get, post, post_with};
use crate::rig::Rig;

const HEAD: &str = r#"{"inputs":[{"name":"x","shape":[2],"datatype":"UINT8","parameters":{"binary_data_size":2}}]"#;

#[tokio::test]
async fn tensors_behind_the_document_reach_the_host_as_they_came() {
    let rig = Rig::start(FrontLimits::default()).await;
    let document = format!("{HEAD}}}");
    let headers = format!(
        "content-type: application/octet-stream\r\ninference-header-content-length: {}\r\n",
        document.len()
    );
    let body = format!("{document}AB");
    let reply = rig.call(post_with("/v2/models/echo/infer", &headers, &body)).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    assert_eq!(reply.headers["content-type"], "application/json");
    let calls = rig.host.calls.lock().unwrap();
    assert_eq!(calls[0].body, body);
    assert_eq!(calls[0].encoding, Encoding::Binary { document_bytes: document.len() });
    assert_eq!(calls[0].document.inputs[0].contents, Contents::U8s(b"AB".to_vec()));
}

#[tokio::test]
async fn outputs_stand_behind_the_document_where_the_caller_wants_them_there() {
    let rig = Rig::start(FrontLimits::default()).await;
    let document = format!(r#"{HEAD},"parameters":{{"binary_data_output":true}}}}"#);
    let headers = format!("inference-header-content-length: {}\r\n", document.len());
    let body = format!("{document}AB");
    let reply = rig.call(post_with("/v2/models/echo/infer", &headers, &body)).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    assert_eq!(reply.headers["content-type"], "application/octet-stream");
    let length: usize = reply.headers["inference-header-content-length"].parse().unwrap();
    let (document, tail) = reply.body.split_at(length);
    assert_eq!(tail, "AB");
    let document: serde_json::Value = serde_json::from_str(document).unwrap();
    assert_eq!(document["outputs"][0]["parameters"], json!({ "binary_data_size": 2 }));
}

#[tokio::test]
async fn a_document_that_is_shorter_or_longer_than_it_says_is_refused() {
    let rig = Rig::start(FrontLimits::default()).await;
    for (length, error) in [
        ("5", "line 1, column 2: found a string that is not well formed, expected"),
        ("9999", "document: found 94 bytes, expected 9999 by inference-header-content-length"),
        ("x", "inference-header-content-length: expected the length of the document"),
    ] {
        let headers = format!("inference-header-content-length: {length}\r\n");
        let body = format!("{HEAD}}}AB");
        let reply = rig.call(post_with("/v2/models/echo/infer", &headers, &body)).await;
        assert_eq!(reply.status, 400, "{length}");
        assert!(reply.error().starts_with(error), "{}", reply.error());
    }
    assert!(rig.host.calls.lock().unwrap().is_empty());
}

#[tokio::test]
async fn statistics_are_those_of_all_models_or_of_some() {
    let rig = Rig::start(FrontLimits::default()).await;
    let none = json!({ "count": 0, "ns": 0 });
    let expected = json!({ "model_stats": [{
        "name": "echo", "version": "good", "last_inference": 7,
        "inference_count": 3, "execution_count": 2,
        "inference_stats": {
            "success": { "count": 2, "ns": 20 }, "fail": { "count": 1, "ns": 10 },
            "queue": { "count": 3, "ns": 5 }, "compute_infer": { "count": 3, "ns": 25 },
            "compute_input": none, "compute_output": none, "cache_hit": none, "cache_miss": none,
        },
        "batch_stats": [{
            "batch_size": 2, "compute_infer": { "count": 1, "ns": 9 },
            "compute_input": none, "compute_output": none,
        }],
        "memory_usage": [{ "type": "CPU", "id": 0, "byte_size": 64 }],
    }] });
    for path in ["stats", "echo/stats", "echo/versions/good/stats"] {
        let reply = rig.call(get(format!("/v2/models/{path}").as_str())).await;
        assert_eq!((reply.status, reply.json()), (200, expected.clone()), "{path}");
    }
    assert_eq!(rig.call(get("/v2/models/nobody/stats")).await.status, 404);
}

#[tokio::test]
async fn the_repository_lists_what_it_has_or_only_what_is_ready() {
    let rig = Rig::start(FrontLimits::default()).await;
    let good = json!({ "name": "echo", "version": "good", "state": "READY", "reason": "" });
    let reason = "its file was refused";
    let broken =
        json!({ "name": "echo", "version": "broken", "state": "UNAVAILABLE", "reason": reason });
    let both = json!([good, broken]);
    for (body, expected) in [("", &both), ("{}", &both), (r#"{"ready":true}"#, &json!([good]))] {
        let reply = rig.call(post("/v2/repository/index", body)).await;
        assert_eq!((reply.status, &reply.json()), (200, expected), "{body}");
    }
    let reply = rig.call(post("/v2/repository/index", r#"{"ready":1}"#)).await;
    assert_eq!(reply.error(), "ready: found 1, expected true or false");
    let odd = post("/v2/repository/models/echo/load", r#"{"parameters":[1]}"#);
    let reply = rig.call(odd).await;
    assert_eq!(reply.error(), "parameters: found a list, expected an object");
    let reply = rig.call(post("/v2/repository/index", "[]")).await;
    assert_eq!(reply.error(), "document: found a list, expected an object");
    assert_eq!(rig.call(get("/v2/repository/index")).await.status, 405);
}

#[tokio::test]
async fn a_model_or_all_of_an_endpoint_is_loaded_and_unloaded() {
    let rig = Rig::start(FrontLimits::default()).await;
    let file = r#"{"parameters":{"config":"{}","file:1/model.wasm":"AGFzbQ=="}}"#;
    for (path, body) in [
        ("echo/load", ""),
        ("echo/versions/good/load", file),
        ("echo/versions/good/unload", r#"{"parameters":{"unload_dependents":true}}"#),
    ] {
        let reply = rig.call(post(&format!("/v2/repository/models/{path}"), body)).await;
        assert_eq!((reply.status, reply.json()), (200, json!({})), "{path}");
    }
    let good = || Some("good".to_owned());
    let component = Some(Bytes::from_static(b"\0asm"));
    let expected = [
        (None, RepositoryChange::Load { component: None }),
        (good(), RepositoryChange::Load { component }),
        (good(), RepositoryChange::Unload),
    ];
    assert_eq!(*rig.host.changes.lock().unwrap(), expected);
    let bad = r#"{"parameters":{"file:1/model.wasm":"%"}}"#;
    let reply = rig.call(post("/v2/repository/models/echo/load", bad)).await;
    let error = "parameters.file:1/model.wasm: found no base64, expected a file in base64";
    assert_eq!(reply.error(), error);
}
