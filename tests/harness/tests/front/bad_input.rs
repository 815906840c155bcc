//! Bad input gets an error that says where and what, and leaves no trace in the topics.

use harness::{Host, Response, guest, infer_body};

use crate::{host, recorded};

const INFER: &str = "/v2/models/e/infer";

#[test]
fn a_malformed_document_gets_the_place_and_what_was_expected() {
    let (_models, host) = host();
    let good = infer_body("1", 3.0);
    let cases = [
        ("{".to_owned(), "line 1, column 2: found the end"),
        (
            good.replace("\"data\":[3.0]", "\"data\":[\"three\"]"),
            "inputs[0].data[0]: found a string, expected a number of FP64",
        ),
        (good.replace("FP64", "FP63"), "inputs[0].datatype: found"),
        (good.replace("[1]", "[2]"), "inputs[0].data: found 1 element, expected 2 by the shape"),
        (good.replace(",\"shape\":[1]", ""), "inputs[0].shape: found nothing"),
        (good.replace("\"inputs\"", "\"input\""), "input"),
        ("[]".to_owned(), "document: found a list, expected"),
    ];
    for (document, error) in cases {
        assert_ne!(document, good, "{error}: the case changes nothing");
        let response = host.client().post(INFER, &document).unwrap();
        assert_error(&response, 400, error);
    }
    assert_answers_as_ever(&host);
}

#[test]
fn another_datatype_or_shape_than_the_champion_reads_gets_both() {
    let (_models, host) = host();
    let good = infer_body("1", 3.0);
    let cases = [
        (good.replace("FP64", "FP32"), "inputs[0] (\"x\"): found FP32 [1], expected FP64 [1]"),
        (
            good.replace("\"shape\":[1]", "\"shape\":[1,1]"),
            "inputs[0] (\"x\"): found FP64 [1, 1], expected FP64 [1]",
        ),
        (good.replace("\"x\"", "\"z\""), "inputs: found no \"x\", expected FP64 [1]"),
    ];
    for (document, error) in cases {
        assert_error(&host.client().post(INFER, &document).unwrap(), 400, error);
    }
    assert_answers_as_ever(&host);
}

#[test]
fn parameters_that_schedule_are_whole_numbers() {
    let (_models, host) = host();
    let with = |timeout: &str| {
        let parameters = format!("\"parameters\":{{\"timeout\":{timeout}}},\"inputs\"");
        infer_body("1", 3.0).replace("\"inputs\"", &parameters)
    };
    for timeout in ["\"soon\"", "-1", "1.5", "true"] {
        let response = host.client().post(INFER, with(timeout)).unwrap();
        assert_error(&response, 400, "parameters.timeout: found");
    }
    assert_answers_as_ever(&host);
}

#[test]
fn an_unknown_endpoint_or_model_gets_the_known_names() {
    let (models, host) = host();
    models.install("f", "other", guest("identity"));
    host.wait_until_settled("f");
    let body = infer_body("1", 3.0);
    let mut client = host.client();
    let endpoint = "there is no endpoint `flihgts`; known: e, f";
    assert_error(&client.post("/v2/models/flihgts/infer", &body).unwrap(), 404, endpoint);
    assert_error(&client.get("/v2/models/flihgts").unwrap(), 404, endpoint);
    assert_error(&client.get("/v2/models/flihgts/ready").unwrap(), 404, endpoint);
    let model = "endpoint `e` has no model `champoin`; known: champion";
    assert_error(&client.infer_model("e", "champoin", 3.0).unwrap(), 404, model);
    assert_error(&client.get("/v2/models/e/versions/champoin/ready").unwrap(), 404, model);
    assert_error(&client.get("/v3/models").unwrap(), 404, "`/v3/models` is not a path");
    assert_answers_as_ever(&host);
}

#[test]
fn a_call_in_another_form_is_told_which_is_right() {
    let (_models, host) = host();
    let body = infer_body("1", 3.0);
    let send = |method: &str, headers: &[(&str, &str)], body: &[u8]| {
        host.client().send(method, INFER, headers, body).unwrap()
    };
    let json = ("content-type", "application/json");
    let response = send("PUT", &[json], body.as_bytes());
    assert_error(&response, 405, "found the method PUT, expected POST");
    assert_eq!(response.header("allow"), Some("POST"));
    let response = send("POST", &[("content-type", "text/plain")], body.as_bytes());
    assert_error(&response, 415, "content-type: found `text/plain`, expected application/json");
    let response = send("POST", &[json, ("content-encoding", "gzip")], body.as_bytes());
    assert_error(&response, 415, "content-encoding: found `gzip`");
    let binary = ("inference-header-content-length", "5");
    let response = send("POST", &[json, binary], body.as_bytes());
    assert_error(&response, 400, "column 6: found the end of the document");
    let response = send("POST", &[json, ("idempotency-key", "")], body.as_bytes());
    assert_error(&response, 400, "idempotency-key: expected 1 to 255");
    let response = send("POST", &[json], &vec![b' '; (16 << 20) + 1]);
    assert_error(&response, 413, "the body is larger than 16777216 bytes");
    assert_answers_as_ever(&host);
}

#[test]
fn one_bad_record_among_good_ones_keeps_all_of_them_out() {
    let (_models, host) = host();
    let good = infer_body("record", 3.0);
    let lines = format!("{good}\n{}\n{good}\n", good.replace("FP64", "FP63"));
    let headers = [("content-type", "application/x-ndjson")];
    let response =
        host.client().send("POST", "/v2/models/e/records", &headers, lines.as_bytes()).unwrap();
    assert_error(&response, 400, "line 2: inputs[0].datatype: found");
    assert_answers_as_ever(&host);
}

#[track_caller]
fn assert_error(response: &Response, status: u16, error: &str) {
    let found = response.error().unwrap_or_default();
    assert_eq!(response.status, status, "{found}");
    assert!(found.contains(error), "found `{found}`, expected `{error}`");
    assert_eq!(response.header("content-type"), Some("application/json"));
}

/// Asserts that nothing of what came before was recorded, and that a good call is.
#[track_caller]
fn assert_answers_as_ever(host: &Host) {
    assert_eq!(recorded(host), (0, 0));
    let response = host.client().infer("e", 3.0).unwrap();
    assert_eq!((response.status, response.y()), (200, Some(6.0)), "{}", response.text());
    assert_eq!(recorded(host), (1, 1));
}
