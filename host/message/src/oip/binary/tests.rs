//! Documents with tensors behind them, mixed with tensors inside of them.

use super::*;
use crate::{Contents, Tensor};

const MIXED: &str = r#"{"inputs":[
    {"name":"a","shape":[2],"datatype":"INT16","parameters":{"binary_data_size":4}},
    {"name":"b","shape":[1],"datatype":"FP32","data":[0.5]},
    {"name":"c","parameters":{"binary_data_size":7,"unit":"km"},"shape":[2],"datatype":"BYTES"}]}"#;

fn decode(document: &str, tail: &[u8]) -> Result<InferRequest, String> {
    let body = [document.as_bytes(), tail].concat();
    decode_binary_request(&body, document.len()).map_err(|error| error.to_string())
}

#[track_caller]
fn check(document: &str, tail: &[u8], expected: &str) {
    assert_eq!(decode(document, tail).unwrap_err(), expected);
}

#[test]
fn tensors_are_taken_from_behind_the_document_in_order() {
    let tail = [&[1, 0, 255, 255][..], &[1, 0, 0, 0, b'x'], &[0, 0, 0, 0]].concat();
    let document = MIXED.replace(":7,", ":9,");
    let request = decode(&document, &tail).unwrap();
    let mut c = Tensor::new("c", [2], Contents::Texts(vec!["x".into(), String::new()]));
    c.parameters.insert("unit".into(), Parameter::Text("km".into()));
    let expected = [
        Tensor::new("a", [2], Contents::S16s(vec![1, -1])),
        Tensor::new("b", [1], Contents::F32s(vec![0.5])),
        c,
    ];
    assert_eq!(request.inputs, expected);
}

#[test]
fn what_stands_behind_the_document_has_to_fit() {
    let long = "inputs[2].parameters.binary_data_size: found 7, expected at most the 5 bytes left behind the document";
    check(MIXED, &[0; 9], long);
    let wrong = "inputs[0].parameters.binary_data_size: found 3 bytes, expected 4 for INT16 [2]";
    check(&MIXED.replace(":4", ":3"), &[0; 16], wrong);
    let rest = "document: found 2 bytes behind the last tensor, expected none";
    check(&MIXED.replace(":7", ":8"), &[0; 14], rest);
    let negative =
        "inputs[0].parameters.binary_data_size: found -1, expected a whole number of bytes from 0";
    check(&MIXED.replace(":4", ":-1"), &[], negative);
    let both =
        MIXED.replace("\"data\":[0.5]", "\"data\":[0.5],\"parameters\":{\"binary_data_size\":4}");
    check(
        &both,
        &[0; 15],
        "inputs[1].data: found elements beside binary_data_size, expected one of them",
    );
    let cut = decode_binary_request(b"{}", 3).unwrap_err().to_string();
    assert_eq!(cut, "document: found 2 bytes, expected 3 by inference-header-content-length");
}

#[test]
fn without_anything_behind_it_a_document_means_what_it_always_meant() {
    let error = super::super::decode_request(MIXED.as_bytes()).unwrap_err().to_string();
    assert_eq!(error, "inputs[0].data: found nothing, expected a list");
}

#[test]
fn an_output_is_binary_where_it_or_else_the_request_says_so() {
    let wants = |parameters: &str, outputs: &str| {
        let document = format!(r#"{{"parameters":{parameters},"inputs":[],"outputs":{outputs}}}"#);
        let outputs = BinaryOutputs::of(&decode(&document, &[]).unwrap());
        (outputs.contains("y"), !outputs.is_empty())
    };
    let y = |value: &str| format!(r#"[{{"name":"y","parameters":{{"binary_data":{value}}}}}]"#);
    assert_eq!(wants("{}", "[]"), (false, false));
    assert_eq!(wants(r#"{"binary_data_output":true}"#, "[]"), (true, true));
    assert_eq!(wants(r#"{"binary_data_output":true}"#, &y("false")), (false, true));
    assert_eq!(wants("{}", &y("true")), (true, true));
    assert_eq!(wants("{}", r#"[{"name":"z","parameters":{"binary_data":true}}]"#), (false, true));
}

#[test]
fn a_response_has_some_outputs_behind_it_and_some_inside() {
    let response = InferResponse {
        model_name: "m".into(),
        outputs: vec![
            Tensor::new("y", [2], Contents::U8s(vec![1, 2])),
            Tensor::new("z", [1], Contents::Blobs(vec![vec![0xff]])),
        ],
        ..InferResponse::default()
    };
    let BinaryDocument { bytes, document_bytes } =
        encode_binary_response(&response, |name| name == "z");
    let document = str::from_utf8(&bytes[..document_bytes]).unwrap();
    let expected = concat!(
        r#"{"model_name":"m","outputs":[{"name":"y","shape":[2],"datatype":"UINT8","data":[1,2]},"#,
        r#"{"name":"z","shape":[1],"datatype":"BYTES","parameters":{"binary_data_size":5}}]}"#
    );
    assert_eq!(document, expected);
    assert_eq!(bytes[document_bytes..], [1, 0, 0, 0, 0xff]);
    assert_eq!(decode_binary_response(&bytes, document_bytes).unwrap(), response);
}
