//! What holds for every document of JSON: it comes back as it went in, and none of them does harm.

use message::oip::{
    InferRequest, decode_request, decode_response, encode_request, encode_response,
};
use message::{Contents, Tensor};
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;

use crate::documents::{request, response};

/// Folds a flat list into lists of lists, as `shape` says.
fn nested(elements: &[serde_json::Value], shape: &[u32]) -> serde_json::Value {
    match shape {
        [] | [_] => elements.into(),
        [length, inner @ ..] => {
            let step = elements.len() / (*length).max(1) as usize;
            let part = |index| nested(&elements[index * step..][..step], inner);
            (0..*length as usize).map(part).collect()
        }
    }
}

/// Any JSON at all, but likely to have the protocol's fields.
fn json() -> impl Strategy<Value = serde_json::Value> {
    use serde_json::Value;
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "(FP32|INT8|BYTES|BOOL|base64|NaN|.{0,4})".prop_map(Value::from),
    ];
    let field = "(id|inputs|outputs|parameters|name|shape|datatype|data|content_type|error|.)";
    leaf.prop_recursive(6, 64, 5, move |inner| {
        prop_oneof![
            vec(inner.clone(), 0..5).prop_map(Value::from),
            btree_map(field, inner, 0..6).prop_map(|map| map.into_iter().collect()),
        ]
    })
}

proptest! {
    #[test]
    fn a_request_comes_back_as_it_went_in(request in request()) {
        let document = encode_request(&request);
        prop_assert_eq!(decode_request(&document), Ok(request));
    }

    #[test]
    fn a_response_comes_back_as_it_went_in(response in response()) {
        prop_assert_eq!(decode_response(&encode_response(&response)), Ok(response));
    }

    #[test]
    fn what_is_written_is_json_to_others(request in request()) {
        prop_assert!(serde_json::from_slice::<serde_json::Value>(&encode_request(&request)).is_ok());
    }

    #[test]
    fn nested_data_is_the_same_as_flat_data(
        shape in vec(0_u32..4, 0..5),
        elements in vec(any::<i64>(), 256),
        datatype in "(INT64|FP64)",
    ) {
        let elements = &elements[..Tensor::element_count(&shape).expect("a small shape")];
        let elements: Vec<_> = elements.iter().copied().map(serde_json::Value::from).collect();
        let read = |data: serde_json::Value| {
            let tensor = format!(
                r#"{{"name":"x","shape":{shape:?},"datatype":"{datatype}","data":{data}}}"#
            );
            decode_request(format!(r#"{{"inputs":[{tensor}]}}"#).as_bytes())
        };
        let flat = read(elements.clone().into());
        prop_assert!(flat.is_ok());
        prop_assert_eq!(read(nested(&elements, &shape)), flat);
    }

    #[test]
    fn every_float_comes_back_to_the_bit(f32s in vec(any::<u32>(), 1..50), f64s in vec(any::<u64>(), 1..50)) {
        let f32s: Vec<_> = f32s.into_iter().map(f32::from_bits).collect();
        let f64s: Vec<_> = f64s.into_iter().map(f64::from_bits).collect();
        let request = InferRequest {
            inputs: vec![
                Tensor::new("f32", [f32s.len() as u32], Contents::F32s(f32s.clone())),
                Tensor::new("f64", [f64s.len() as u32], Contents::F64s(f64s.clone())),
            ],
            ..InferRequest::default()
        };
        let request = decode_request(&encode_request(&request)).unwrap();
        let (Contents::F32s(f32s_again), Contents::F64s(f64s_again)) =
            (&request.inputs[0].contents, &request.inputs[1].contents)
        else {
            panic!("other datatypes came back");
        };
        for (before, after) in f32s.iter().zip(f32s_again) {
            prop_assert!(before.to_bits() == after.to_bits() || before.is_nan() && after.is_nan());
        }
        for (before, after) in f64s.iter().zip(f64s_again) {
            prop_assert!(before.to_bits() == after.to_bits() || before.is_nan() && after.is_nan());
        }
    }

    #[test]
    fn no_json_does_harm(json in json()) {
        let document = json.to_string();
        if let Ok(request) = decode_request(document.as_bytes()) {
            prop_assert!(decode_request(&encode_request(&request)).is_ok());
        }
        let _ = decode_response(document.as_bytes());
    }

    #[test]
    fn no_bytes_do_harm(bytes in any::<Vec<u8>>()) {
        prop_assert!(decode_request(&bytes).is_err());
    }

    #[test]
    fn a_damaged_request_does_no_harm(
        request in request(),
        at in any::<prop::sample::Index>(),
        byte in any::<u8>(),
    ) {
        let mut document = encode_request(&request);
        let at = at.index(document.len());
        document[at] = byte;
        if let Ok(request) = decode_request(&document) {
            prop_assert!(decode_request(&encode_request(&request)).is_ok());
        }
        document.truncate(at);
        prop_assert!(decode_request(&document).is_err());
    }
}

#[test]
fn every_half_comes_back_to_the_bit() {
    let all: Vec<u16> = (0..=u16::MAX).collect();
    let inputs = vec![
        Tensor::new("f16", [65536], Contents::F16s(all.clone())),
        Tensor::new("bf16", [65536], Contents::Bf16s(all.clone())),
    ];
    let request = InferRequest { inputs, ..InferRequest::default() };
    let request = decode_request(&encode_request(&request)).unwrap();
    let (Contents::F16s(f16s), Contents::Bf16s(bf16s)) =
        (&request.inputs[0].contents, &request.inputs[1].contents)
    else {
        panic!("other datatypes came back");
    };
    for &bits in &all {
        let f16 = half::f16::from_bits(f16s[usize::from(bits)]);
        assert!(f16.to_bits() == bits || f16.is_nan() && half::f16::from_bits(bits).is_nan());
        let bf16 = half::bf16::from_bits(bf16s[usize::from(bits)]);
        assert!(bf16.to_bits() == bits || bf16.is_nan() && half::bf16::from_bits(bits).is_nan());
    }
}

#[test]
fn the_example_of_the_documentation_is_a_request() {
    let page = include_str!("../../../../docs/protocol.md");
    let (_, behind) = page.split_once("```json\n").expect("an example");
    let (example, _) = behind.split_once("```").expect("its end");
    let request = decode_request(example.as_bytes()).expect("a request");
    assert_eq!(request.inputs[0].contents, Contents::F32s(vec![1400.0, 760.5]));
    assert_eq!(request.outputs[0].name, "delayed");
}
