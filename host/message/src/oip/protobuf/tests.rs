//! What is refused, and where it says the mistake is.

use super::wire::{put_bytes, put_message, put_number, put_text};
use super::*;
use crate::{Contents, Parameter, Tensor};

fn tensor(out: &mut Vec<u8>, name: &str, datatype: &str, shape: &[u8]) {
    put_text(out, 1, name);
    put_text(out, 2, datatype);
    put_bytes(out, 3, shape);
}

fn with_input(write: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut message = Vec::new();
    put_message(&mut message, 5, write);
    message
}

fn contents(shape: &[u8], datatype: &str, write: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    with_input(|out| {
        tensor(out, "x", datatype, shape);
        put_message(out, 5, write);
    })
}

fn raw(shape: &[u8], datatype: &str, raw: &[u8]) -> Vec<u8> {
    let mut message = with_input(|out| tensor(out, "x", datatype, shape));
    put_bytes(&mut message, 7, raw);
    message
}

fn only_input(message: &[u8]) -> Tensor {
    decode_protobuf_request(message).unwrap().request.inputs.remove(0)
}

#[track_caller]
fn check(message: &[u8], expected: &str) {
    let error = decode_protobuf_request(message).unwrap_err().to_string();
    assert_eq!(error, expected);
}

#[test]
fn raw_contents_have_to_be_as_long_as_the_shape_says() {
    check(&raw(&[4], "FP32", &[0; 12]), "inputs[0].raw: found 12 bytes, expected 16 for FP32 [4]");
    check(&raw(&[2], "BOOL", &[1, 2]), "inputs[0].raw[1]: found 2, expected 0 or 1 of BOOL");
    let short = "inputs[0].raw[0]: found 1 bytes for an element of 5, expected all of it";
    check(&raw(&[1], "BYTES", &[5, 0, 0, 0, 65]), short);
    let many = "inputs[0].raw: found an element too many, expected 1 by the shape";
    check(&raw(&[1], "BYTES", &[0; 8]), many);
    let few = "inputs[0].raw: found 1 elements of BYTES, expected 2 by the shape";
    check(&raw(&[2], "BYTES", &[0; 4]), few);
    let rest =
        "inputs[0].raw: found 2 bytes at the end, expected the four bytes of a length, or nothing";
    check(&raw(&[1], "BYTES", &[0; 6]), rest);
}

#[test]
fn raw_contents_are_those_of_every_tensor() {
    let mut message = raw(&[1], "UINT8", &[1]);
    put_message(&mut message, 5, |out| tensor(out, "y", "UINT8", &[1]));
    let missing = "inputs[1]: found no raw contents, expected those of every tensor, or of none";
    check(&message, missing);
    put_bytes(&mut message, 7, &[2]);
    assert_eq!(decode_protobuf_request(&message).unwrap().request.inputs.len(), 2);
    put_bytes(&mut message, 7, &[3]);
    check(&message, "raw_input_contents: found one more, expected 2, one for each tensor");
    let mut both = contents(&[1], "UINT8", |out| put_number(out, 4, 1));
    put_bytes(&mut both, 7, &[1]);
    let error = "inputs[0].contents: found elements beside raw contents, expected one of them";
    check(&both, error);
}

#[test]
fn typed_contents_are_in_the_field_of_their_datatype() {
    let few = "inputs[0].contents: found 1 element, expected 2 by the shape";
    check(&contents(&[2], "INT32", |out| put_number(out, 2, 7)), few);
    let many =
        "inputs[0].contents.int_contents: found an element too many, expected 1 by the shape";
    check(&contents(&[1], "INT32", |out| put_bytes(out, 2, &[1, 2])), many);
    let wide = "inputs[0].contents.int_contents[0]: found 300, expected an integer of INT8";
    check(&contents(&[1], "INT8", |out| put_number(out, 2, 300)), wide);
    let other = "inputs[0].contents.fp32_contents: found elements, expected int_contents of INT16";
    check(&contents(&[1], "INT16", |out| put_bytes(out, 6, &[0; 4])), other);
    let half = "inputs[0].contents: found no raw contents of FP16, expected them, since contents have no field for it";
    check(&contents(&[1], "FP16", |_| ()), half);
    let ragged = "inputs[0].contents.fp64_contents: found 9 bytes, expected elements of 8";
    check(&contents(&[1], "FP64", |out| put_bytes(out, 7, &[0; 9])), ragged);
}

#[test]
fn a_tensor_has_a_name_a_datatype_and_lengths() {
    let nameless = with_input(|out| put_text(out, 2, "BOOL"));
    check(&nameless, "inputs[0].name: found nothing, expected a string");
    let untyped = with_input(|out| put_text(out, 1, "x"));
    check(&untyped, "inputs[0].datatype: found nothing, expected a datatype such as FP32 or BYTES");
    check(
        &raw(&[1], "FP31", &[]),
        "inputs[0].datatype: found `FP31`, expected a datatype such as FP32 or BYTES",
    );
    let negative = with_input(|out| {
        put_text(out, 1, "x");
        put_number(out, 3, u64::MAX);
    });
    check(&negative, "inputs[0].shape[0]: found -1, expected a length from 0 to 4294967295");
    let deep = raw(&[1; 33], "BOOL", &[1]);
    check(&deep, "inputs[0].shape: found one more dimension, expected at most 32");
    let mut twice = raw(&[1], "BOOL", &[1]);
    twice.extend(raw(&[1], "BOOL", &[1]));
    check(&twice, "inputs[1].name: found `x` again, expected names that differ");
}

#[test]
fn what_is_no_protobuf_says_where_it_ends() {
    check(b"\x0a\x05abc", "document: found 3 bytes, expected 5 by the length of the field");
    check(b"\x0a\x02\xff\xfe", "model_name: found `\u{fffd}\u{fffd}`, expected UTF-8");
    check(b"\x0b", "document: found wire type 3, expected 0, 1, 2 or 5");
    check(b"\x28\x01", "inputs[0]: found a whole number, expected bytes");
    check(&[0xff; 11], "document: found a number that does not end, expected at most 64 bits");
}

#[test]
fn strings_are_texts_unless_one_of_them_is_not() {
    let two = |bytes: &[u8]| {
        let mut elements = vec![1, 0, 0, 0, b'a', 2, 0, 0, 0];
        elements.extend_from_slice(bytes);
        only_input(&raw(&[2], "BYTES", &elements)).contents
    };
    assert_eq!(two("ü".as_bytes()), Contents::Texts(vec!["a".into(), "ü".into()]));
    assert_eq!(two(&[0xff, 0]), Contents::Blobs(vec![b"a".to_vec(), vec![0xff, 0]]));
}

#[test]
fn who_says_that_strings_are_blobs_is_believed() {
    let message = contents(&[1], "BYTES", |out| put_bytes(out, 8, b"a"));
    assert_eq!(only_input(&message).contents, Contents::Texts(vec!["a".into()]));
    let input = Tensor::new("x", [1], Contents::Blobs(vec![b"a".to_vec()]));
    let request = InferRequest { inputs: vec![input.clone()], ..InferRequest::default() };
    let request = ProtobufRequest { request, ..ProtobufRequest::default() };
    assert_eq!(only_input(&encode_protobuf_request(&request)), input);
}

#[test]
fn unknown_fields_are_passed_over_and_a_parameter_comes_once() {
    let mut message = Vec::new();
    put_text(&mut message, 99, "later");
    put_text(&mut message, 1, "flights");
    let known = decode_protobuf_request(&message).unwrap();
    assert_eq!(known.model_name, "flights");
    for _ in 0..2 {
        put_message(&mut message, 4, |out| {
            put_text(out, 1, "timeout");
            put_message(out, 2, |out| put_number(out, 5, 20));
        });
        if let Ok(once) = decode_protobuf_request(&message) {
            assert_eq!(once.request.parameters["timeout"], Parameter::Int(20));
        }
    }
    check(&message, "parameters.timeout: found this parameter again, expected it once");
}
