//! What is read, and in which words everything else is refused.

use crate::oip::{InferRequest, RequestedOutput, decode_request, decode_response};
use crate::{Contents, Parameter, Parameters, Tensor};

/// Reads one tensor.
fn tensor(tensor: &str) -> Result<Tensor, String> {
    let document = format!(r#"{{"inputs":[{tensor}]}}"#);
    let request = decode_request(document.as_bytes()).map_err(|error| error.to_string())?;
    Ok(request.inputs.into_iter().next().expect("one tensor went in"))
}

fn check(found: &str, expected: &str) {
    assert_eq!(tensor(found).unwrap_err(), format!("inputs[0]{expected}"));
}

fn check_data(datatype: &str, shape: &str, data: &str, expected: &str) {
    let document =
        format!(r#"{{"name":"x","datatype":"{datatype}","shape":{shape},"data":{data}}}"#);
    check(&document, expected);
}

fn check_document(found: &str, expected: &str) {
    assert_eq!(decode_request(found.as_bytes()).unwrap_err().to_string(), expected, "{found}");
}

#[test]
fn a_whole_request_is_read() {
    let document = r#" { "id": "42", "parameters": {"timeout": 5000, "trace": true, "p": 0.5,
        "huge": 18446744073709551615, "who": "me"},
        "inputs": [
            {"name": "distance", "shape": [2], "datatype": "FP32", "data": [1, -2.5e1]},
            {"data": [["a", "\u00e9\n"]], "name": "carrier", "shape": [1, 2], "datatype": "BYTES"}
        ],
        "outputs": [{"name": "delayed", "parameters": {"binary_data": false}}] } "#;
    let expected = InferRequest {
        id: Some("42".into()),
        parameters: Parameters::from([
            ("timeout".into(), Parameter::Int(5000)),
            ("trace".into(), Parameter::Bool(true)),
            ("p".into(), Parameter::Float(0.5)),
            ("huge".into(), Parameter::Uint(u64::MAX)),
            ("who".into(), Parameter::Text("me".into())),
        ]),
        inputs: vec![
            Tensor::new("distance", [2], Contents::F32s(vec![1.0, -25.0])),
            Tensor::new("carrier", [1, 2], Contents::Texts(vec!["a".into(), "é\n".into()])),
        ],
        outputs: vec![RequestedOutput {
            name: "delayed".into(),
            parameters: Parameters::from([("binary_data".into(), Parameter::Bool(false))]),
        }],
    };
    assert_eq!(decode_request(document.as_bytes()).unwrap(), expected);
}

#[test]
fn the_fields_of_a_tensor_come_in_any_order() {
    let fields = [
        r#""name":"x""#,
        r#""shape":[1]"#,
        r#""datatype":"BYTES""#,
        r#""parameters":{"content_type":"base64","unit":"km"}"#,
        r#""data":["AP8="]"#,
    ];
    let expected = Tensor {
        parameters: Parameters::from([("unit".into(), Parameter::Text("km".into()))]),
        ..Tensor::new("x", [1], Contents::Blobs(vec![vec![0, 255]]))
    };
    for first in 0..fields.len() {
        for step in 1..fields.len() {
            let order = (0..fields.len()).map(|nth| fields[(first + nth * step) % fields.len()]);
            let document = format!("{{{}}}", order.collect::<Vec<_>>().join(","));
            assert_eq!(tensor(&document), Ok(expected.clone()), "{document}");
        }
    }
}

#[test]
fn a_scalar_and_an_empty_tensor_are_tensors() {
    let scalar = tensor(r#"{"name":"x","shape":[],"datatype":"UINT8","data":[7]}"#);
    assert_eq!(scalar, Ok(Tensor::new("x", [], Contents::U8s(vec![7]))));
    for data in ["[]", "[[],[]]"] {
        let empty =
            tensor(&format!(r#"{{"name":"x","shape":[2,0],"datatype":"FP64","data":{data}}}"#));
        assert_eq!(empty, Ok(Tensor::new("x", [2, 0], Contents::F64s(vec![]))));
    }
}

#[test]
fn floats_that_are_not_finite_are_texts() {
    let read = |datatype: &str| {
        let data = r#"["NaN","Infinity","-Infinity"]"#;
        tensor(&format!(r#"{{"name":"x","shape":[3],"datatype":"{datatype}","data":{data}}}"#))
    };
    let Contents::F32s(them) = read("FP32").unwrap().contents else { panic!("not FP32") };
    assert!(them[0].is_nan());
    assert_eq!(them[1..], [f32::INFINITY, f32::NEG_INFINITY]);
    assert_eq!(read("FP16").unwrap().contents, Contents::F16s(vec![0x7e00, 0x7c00, 0xfc00]));
    check_data("FP32", "[1]", r#"["inf"]"#, ".data[0]: found a string, expected a number of FP32");
    check_data(
        "INT8",
        "[1]",
        r#"["NaN"]"#,
        ".data[0]: found a string, expected an integer of INT8",
    );
}

#[test]
fn halves_are_rounded_to_the_nearest_and_their_ties_to_even() {
    let read = |datatype: &str, data: &str| {
        tensor(&format!(r#"{{"name":"x","shape":[3],"datatype":"{datatype}","data":{data}}}"#))
            .map(|tensor| tensor.contents)
    };
    assert_eq!(
        read("FP16", "[2049, 2051, 65519.99]"),
        Ok(Contents::F16s(vec![0x6800, 0x6802, 0x7bff]))
    );
    assert_eq!(read("BF16", "[257, 259, 0.1]"), Ok(Contents::Bf16s(vec![0x4380, 0x4382, 0x3dcd])));
}

#[test]
fn a_wrong_element_is_named_by_its_path() {
    check_data(
        "FP32",
        "[1, 4]",
        r#"[[1, 2, 3, "4"]]"#,
        ".data[0][3]: found a string, expected a number of FP32",
    );
    check_data("BOOL", "[1]", "[1]", ".data[0]: found 1, expected true or false of BOOL");
    check_data("UINT8", "[2]", "[1, 256]", ".data[1]: found 256, expected an integer of UINT8");
    check_data("UINT16", "[1]", "[-1]", ".data[0]: found -1, expected an integer of UINT16");
    check_data("INT8", "[1]", "[-129]", ".data[0]: found -129, expected an integer of INT8");
    check_data("INT64", "[1]", "[1.0]", ".data[0]: found 1.0, expected an integer of INT64");
    check_data("UINT64", "[1]", "[1e2]", ".data[0]: found 1e2, expected an integer of UINT64");
    check_data("FP32", "[1]", "[1e39]", ".data[0]: found 1e39, expected a number of FP32");
    check_data("FP64", "[1]", "[1e999]", ".data[0]: found 1e999, expected a number of FP64");
    check_data("FP16", "[1]", "[65520]", ".data[0]: found 65520, expected a number of FP16");
    check_data("FP64", "[1]", "[null]", ".data[0]: found null, expected a number of FP64");
    check_data("FP64", "[1]", "[true]", ".data[0]: found true, expected a number of FP64");
    check_data("FP64", "[1]", "[{}]", ".data[0]: found an object, expected a number of FP64");
    check_data("BYTES", "[1]", "[1]", ".data[0]: found 1, expected a string of BYTES");
    check(
        r#"{"name":"x","datatype":"BYTES","shape":[1],"parameters":{"content_type":"base64"},
            "data":["?"]}"#,
        ".data[0]: found a string, expected a string of BYTES in base64",
    );
}

#[test]
fn data_and_shape_have_to_agree() {
    check_data(
        "INT8",
        "[2, 3]",
        "[1, 2, 3, 4, 5]",
        ".data: found 5 elements, expected 6 by the shape",
    );
    check_data("INT8", "[2]", "[1]", ".data: found 1 element, expected 2 by the shape");
    check_data(
        "INT8",
        "[1]",
        "[1, 2]",
        ".data[1]: found an element too many, expected 1 by the shape",
    );
    check_data(
        "INT8",
        "[2, 2]",
        "[[1, 2], [3]]",
        ".data[1]: found 1 element, expected 2 by the shape",
    );
    check_data(
        "INT8",
        "[1, 2]",
        "[[1, 2], [3, 4]]",
        ".data[1]: found an element too many, expected 1 by the shape",
    );
    check_data("INT8", "[2, 1]", "[[1], 2]", ".data[1]: found 2, expected a list");
    check_data("INT8", "[2, 1]", "[1, [2]]", ".data[1]: found a list, expected an integer of INT8");
    check_data("INT8", "[2]", "[[1, 2]]", ".data[0]: found a list, expected an integer of INT8");
    check_data("INT8", "[1]", "1", ".data: found 1, expected a list");
    check_data(
        "INT8",
        "[4294967295, 4294967295, 4294967295]",
        "[1]",
        ".data: found the shape [4294967295, 4294967295, 4294967295], \
         expected one whose elements can be counted",
    );
}

#[test]
fn a_small_document_does_not_allocate_what_its_shape_claims() {
    // So many elements can be counted, but no allocator would even consider them.
    check_data(
        "FP64",
        "[4294967295, 4294967295]",
        "[]",
        ".data: found 0 elements, expected 18446744065119617025 by the shape",
    );
}

#[test]
fn a_wrong_shape_is_refused() {
    let length = "a length from 0 to 4294967295";
    check_data("INT8", "[-1]", "[]", &format!(".shape[0]: found -1, expected {length}"));
    check_data(
        "INT8",
        "[1, 4294967296]",
        "[]",
        &format!(".shape[1]: found 4294967296, expected {length}"),
    );
    check_data("INT8", "[1.5]", "[]", &format!(".shape[0]: found 1.5, expected {length}"));
    check_data("INT8", "3", "[]", ".shape: found 3, expected a list of lengths");
    let shape = format!("{:?}", [1; 33]);
    check_data("INT8", &shape, "[1]", ".shape[32]: found one more dimension, expected at most 32");
}

#[test]
fn what_is_missing_repeated_or_unknown_is_named() {
    check("{}", ".name: found nothing, expected a string");
    check(r#"{"name":"x"}"#, ".shape: found nothing, expected a list of lengths");
    check(
        r#"{"name":"x","shape":[]}"#,
        ".datatype: found nothing, expected a datatype such as FP32 or BYTES",
    );
    check(r#"{"name":"x","shape":[],"datatype":"INT8"}"#, ".data: found nothing, expected a list");
    check(r#"{"name":"x","name":"x"}"#, ".name: found this field again, expected it once");
    check(
        r#"{"name":"x","shape":[],"datatype":"INT8","data":[1],"data":[1]}"#,
        ".data: found this field again, expected it once",
    );
    check(
        r#"{"dtype":"INT8"}"#,
        ".dtype: found an unknown field, expected name, shape, datatype, parameters or data",
    );
    check(
        r#"{"datatype":"FP8"}"#,
        ".datatype: found `FP8`, expected a datatype such as FP32 or BYTES",
    );
    check(
        r#"{"parameters":{"a":1,"a":1}}"#,
        ".parameters.a: found this parameter again, expected it once",
    );
    check(
        r#"{"parameters":{"a":[]}}"#,
        ".parameters.a: found a list, expected a string, a number, true or false",
    );
    check_document("{}", "inputs: found nothing, expected a list of tensors");
    check_document("[]", "document: found a list, expected a request, which is an object");
    check_document(
        r#"{"inputs":[],"output":[]}"#,
        "output: found an unknown field, expected id, parameters, inputs or outputs",
    );
    check_document(r#"{"id":null}"#, "id: found null, expected a string");
    check_document(
        r#"{"inputs":[],"outputs":[{"name":"a"},{"name":"a"}]}"#,
        "outputs[1].name: found `a` again, expected names that differ",
    );
}

#[test]
fn inputs_of_the_same_name_are_refused_among_few_and_among_many() {
    let document = |count: usize| {
        let tensor = |index: usize| {
            let name = if index == count - 1 { 0 } else { index };
            format!(r#"{{"name":"{name}","shape":[],"datatype":"BOOL","data":[true]}}"#)
        };
        let tensors: Vec<_> = (0..count).map(tensor).collect();
        format!(r#"{{"inputs":[{}]}}"#, tensors.join(","))
    };
    for count in [2, 16, 17, 300] {
        let expected =
            format!("inputs[{}].name: found `0` again, expected names that differ", count - 1);
        check_document(&document(count), &expected);
    }
}

#[test]
fn what_is_not_json_is_named_by_line_and_column() {
    check_document(
        "",
        "line 1, column 1: found the end of the document, expected a request, which is an object",
    );
    check_document("{\n  é}", "line 2, column 3: found `é`, expected a name in quotes");
    check_document(
        "{\"inputs\": [\n]",
        "line 2, column 2: found the end of the document, expected `,` or `}`",
    );
    check_document(
        "{\"inputs\": []} {}",
        "line 1, column 16: found `{`, expected the end of the document",
    );
    check_document("{\"id\" 1}", "line 1, column 7: found `1`, expected `:`");
    check_document(
        "{\"id\": \"\\x\"}",
        "line 1, column 8: found a string that is not well formed, expected a string",
    );
    check_document("{\"id\": nil}", "line 1, column 8: found `nil`, expected a string");
    let error = decode_request(b"{\"id\": \"\xff\"}").unwrap_err().to_string();
    assert_eq!(error, "line 1, column 9: found a byte that is not UTF-8, expected UTF-8");
    let data = r#"{"inputs":[{"name":"x","datatype":"INT8","shape":[2],"data":[1,02]}]}"#;
    check_document(data, "line 1, column 65: found `2`, expected `,` or `]`");
}

#[test]
fn an_error_repeats_little_of_the_document() {
    let long = "x\\u0007".repeat(1000);
    for document in [
        format!(r#"{{"{long}":1}}"#),
        format!(r#"{{"inputs":[{{"datatype":"{long}"}}]}}"#),
        format!(r#"{{"parameters":{{"{long}":null}}}}"#),
        format!(r#"{{"id":{}}}"#, "1".repeat(1000)),
        format!(r#"{{"id":{}}}"#, "é".repeat(1000)),
    ] {
        let error = decode_request(document.as_bytes()).unwrap_err().to_string();
        assert!(error.chars().count() < 330, "{error}");
        assert!(error.contains('…') && !error.contains(char::is_control), "{error}");
    }
}

#[test]
fn deep_nesting_is_refused_before_it_can_exhaust_the_stack() {
    let deep = "[".repeat(1_000_000);
    for order in [
        format!(r#"{{"data":{deep}"#),
        format!(r#"{{"datatype":"INT8","shape":{:?},"data":{deep}"#, [1; 32]),
        format!(r#"{{"name":{deep}"#),
    ] {
        assert!(tensor(&order).is_err());
    }
}

#[test]
fn a_response_has_a_model_and_outputs_and_no_error() {
    let check = |document: &str, expected: &str| {
        assert_eq!(decode_response(document.as_bytes()).unwrap_err().to_string(), expected);
    };
    check(r#"{"outputs":[]}"#, "model_name: found nothing, expected a string");
    check(r#"{"model_name":"m"}"#, "outputs: found nothing, expected a list of tensors");
    check(
        r#"{"model_name":"m","error":"e"}"#,
        "error: found an unknown field, expected model_name, model_version, id, parameters or outputs",
    );
    let response = decode_response(br#"{"model_name":"m","id":"i","outputs":[]}"#).unwrap();
    assert_eq!((&*response.model_name, response.id.as_deref()), ("m", Some("i")));
}
