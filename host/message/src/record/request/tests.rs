//! What a request on a topic is, with and without headers.

use super::*;
use crate::oip::Encoding;
use crate::record::header;

const DOCUMENT: &str = r#"{"id":"mine","parameters":{"priority":1},"inputs":[
    {"name":"carrier","shape":[1],"datatype":"BYTES","data":["HA"]},
    {"name":"hour","shape":[1],"datatype":"INT32","data":[-7]}],"outputs":[{"name":"delayed"}]}"#;

const NO_HEADERS: [(&str, &[u8]); 0] = [];

fn arrival() -> Arrival<'static> {
    Arrival {
        fallback_id: &"3-14",
        received: Time::from_us(1_000),
        deadline: Duration::from_micros(50),
        key_input: Some("carrier"),
    }
}

fn with_parameters(parameters: &str) -> Result<RequestEnvelope, RequestRecordError> {
    let document = format!(r#"{{"parameters":{parameters},"inputs":[]}}"#);
    decode_request_record(NO_HEADERS, document.as_bytes(), &arrival())
}

#[test]
fn a_bare_document_is_a_request() {
    let envelope = decode_request_record(NO_HEADERS, DOCUMENT.as_bytes(), &arrival()).unwrap();
    let RequestEnvelope { request, return_to, traceparent, priority } = envelope;
    assert_eq!((return_to, traceparent, priority), (None, None, 1));
    assert_eq!(request.id.as_str(), "mine");
    assert_eq!(request.caller_id.as_deref(), Some("mine"));
    assert_eq!(request.time, Time::from_us(1_000));
    assert_eq!(request.deadline, Time::from_us(1_050));
    assert_eq!(request.key.as_deref(), Some("HA"));
    assert_eq!(request.outputs, ["delayed"]);
    assert_eq!(request.inputs.len(), 2);
    assert_eq!(request.parameters["priority"], Parameter::Int(1));
}

#[test]
fn headers_go_before_the_document() {
    let pairs: [(&str, &[u8]); 6] = [
        (header::ID, b"theirs"),
        (header::TENANT, b"acme"),
        (header::RETURN_TO, b"replies"),
        (header::TRACEPARENT, b"00-4bf9-00f0-01"),
        (header::TIME_US, b"990"),
        (header::DEADLINE_US, b"1200"),
    ];
    let envelope = decode_request_record(pairs, DOCUMENT.as_bytes(), &arrival()).unwrap();
    assert_eq!(envelope.request.id.as_str(), "theirs");
    assert_eq!(envelope.request.caller_id.as_deref(), Some("mine"));
    assert_eq!(envelope.request.time, Time::from_us(990));
    assert_eq!(envelope.request.deadline, Time::from_us(1_200));
    assert_eq!(envelope.request.tenant.as_deref(), Some("acme"));
    assert_eq!(envelope.return_to.as_deref(), Some("replies"));
    assert_eq!(envelope.traceparent.as_deref(), Some("00-4bf9-00f0-01"));
}

#[test]
fn the_headers_say_how_the_value_is_encoded() {
    let document = decode_request_as(DOCUMENT.as_bytes(), Encoding::Json).unwrap();
    let expected = decode_request_record(NO_HEADERS, DOCUMENT.as_bytes(), &arrival());
    let binary = crate::oip::encode_binary_request(&document);
    let length = binary.document_bytes.to_string();
    let pairs: [(&str, &[u8]); 2] = [
        (header::CONTENT_TYPE, header::BINARY.as_bytes()),
        (header::INFERENCE_HEADER_CONTENT_LENGTH, length.as_bytes()),
    ];
    assert_eq!(decode_request_record(pairs, &binary.bytes, &arrival()), expected);
    let request = crate::oip::ProtobufRequest { request: document, ..Default::default() };
    let message = crate::oip::encode_protobuf_request(&request);
    let pairs: [(&str, &[u8]); 1] = [(header::CONTENT_TYPE, header::PROTOBUF.as_bytes())];
    assert_eq!(decode_request_record(pairs, &message, &arrival()), expected);
    let error = decode_request_record(pairs, DOCUMENT.as_bytes(), &arrival()).unwrap_err();
    assert!(error.to_string().starts_with("document: found "), "{error}");
}

#[test]
fn without_any_id_the_place_in_the_topic_is_the_id() {
    let request = with_parameters("{}").unwrap().request;
    assert_eq!((request.id.as_str(), request.caller_id), ("3-14", None));
}

#[test]
fn a_clock_that_is_ahead_gains_nothing() {
    let pairs: [(&str, &[u8]); 1] = [(header::TIME_US, b"999999")];
    let request = decode_request_record(pairs, DOCUMENT.as_bytes(), &arrival()).unwrap().request;
    assert_eq!((request.time, request.deadline), (Time::from_us(1_000), Time::from_us(1_050)));
}

#[test]
fn a_timeout_shortens_the_deadline_and_never_extends_it() {
    for (timeout, deadline) in
        [("20", 1_020), ("0", 1_050), ("80", 1_050), ("9223372036854775808", 1_050)]
    {
        let request = with_parameters(&format!(r#"{{"timeout":{timeout}}}"#)).unwrap().request;
        assert_eq!(request.deadline, Time::from_us(deadline), "{timeout}");
    }
}

#[test]
fn a_wrong_timeout_priority_or_id_is_refused() {
    let check = |parameters: &str, expected: &str| {
        assert_eq!(with_parameters(parameters).unwrap_err().to_string(), expected);
    };
    check(
        r#"{"timeout":"20"}"#,
        "parameters.timeout: found a string, expected a whole number from 0",
    );
    check(r#"{"timeout":-1}"#, "parameters.timeout: found -1, expected a whole number from 0");
    check(r#"{"priority":1.5}"#, "parameters.priority: found 1.5, expected a whole number from 0");
    check(
        r#"{"priority":true}"#,
        "parameters.priority: found true, expected a whole number from 0",
    );
    for length in [0, 257] {
        let id = "i".repeat(length);
        let pairs = [(header::ID, id.as_bytes())];
        let error = decode_request_record(pairs, DOCUMENT.as_bytes(), &arrival()).unwrap_err();
        assert_eq!(error.to_string(), format!("id: found {length} bytes, expected 1 to 256"));
    }
}

#[test]
fn the_key_is_the_first_element_as_a_text() {
    let key = |name| {
        let arrival = Arrival { key_input: name, ..arrival() };
        decode_request_record(NO_HEADERS, DOCUMENT.as_bytes(), &arrival).unwrap().request.key
    };
    assert_eq!(key(Some("hour")).as_deref(), Some("-7"));
    assert_eq!(key(Some("tail")), None);
    assert_eq!(key(None), None);
    assert_eq!(first_as_text(&Contents::Bools(vec![true, false])).as_deref(), Some("true"));
    assert_eq!(first_as_text(&Contents::F16s(vec![0x3e00])).as_deref(), Some("1.5"));
    assert_eq!(first_as_text(&Contents::Blobs(vec![vec![0, 255]])).as_deref(), Some("AP8="));
    assert_eq!(first_as_text(&Contents::F64s(vec![])), None);
}
