//! Messages of protobuf, which the usual library has to read as we do.

use message::oip::{
    InferRequest, ProtobufRequest, decode_protobuf_request, decode_protobuf_response,
    encode_protobuf_request, encode_protobuf_response_into, encode_request,
};
use message::{Contents, Parameter, Parameters, Tensor};
use proptest::prelude::*;
use prost::Message;

use crate::binary::told_apart;
use crate::documents::{request, response};
use crate::messages::{self, Value};

/// Protobuf has no tensor without a name, and no id that is empty.
fn sayable(mut request: InferRequest) -> InferRequest {
    request.id = request.id.filter(|id| !id.is_empty());
    request.inputs.retain(|input| !input.name.is_empty());
    request.outputs.retain(|output| !output.name.is_empty());
    request
}

fn parameters(parameters: &Parameters) -> std::collections::BTreeMap<String, messages::Parameter> {
    let value = |parameter: &Parameter| match parameter {
        Parameter::Bool(value) => Value::Bool(*value),
        Parameter::Int(value) => Value::Int(*value),
        Parameter::Uint(value) => Value::Uint(*value),
        Parameter::Float(value) => Value::Float(*value),
        Parameter::Text(value) => Value::Text(value.clone()),
    };
    let entry = |(name, it): (&String, &Parameter)| {
        (name.clone(), messages::Parameter { value: Some(value(it)) })
    };
    parameters.iter().map(entry).collect()
}

/// A tensor with its elements in the fields of their types; `None` where there is no such field.
fn typed(tensor: &Tensor) -> Option<messages::Tensor> {
    let mut contents = messages::Contents::default();
    match &tensor.contents {
        Contents::Bools(them) => contents.bools.clone_from(them),
        Contents::U8s(them) => contents.uints = them.iter().map(|&it| it.into()).collect(),
        Contents::U16s(them) => contents.uints = them.iter().map(|&it| it.into()).collect(),
        Contents::U32s(them) => contents.uints.clone_from(them),
        Contents::U64s(them) => contents.uint64s.clone_from(them),
        Contents::S8s(them) => contents.ints = them.iter().map(|&it| it.into()).collect(),
        Contents::S16s(them) => contents.ints = them.iter().map(|&it| it.into()).collect(),
        Contents::S32s(them) => contents.ints.clone_from(them),
        Contents::S64s(them) => contents.int64s.clone_from(them),
        Contents::F16s(_) | Contents::Bf16s(_) => return None,
        Contents::F32s(them) => contents.fp32s.clone_from(them),
        Contents::F64s(them) => contents.fp64s.clone_from(them),
        Contents::Texts(them) => {
            contents.bytes = them.iter().map(|it| it.clone().into_bytes()).collect();
        }
        Contents::Blobs(them) => contents.bytes.clone_from(them),
    }
    Some(messages::Tensor {
        name: tensor.name.clone(),
        datatype: tensor.contents.datatype().wire_name().to_owned(),
        shape: tensor.shape.iter().map(|&length| length.into()).collect(),
        parameters: parameters(&tensor.parameters),
        contents: Some(contents),
    })
}

#[test]
fn a_tag_of_more_than_32_bits_is_refused() {
    let message = [0xa0, 1, 0, 0xd8, 0x80, 0x80, 0x80, 0x10, 0];
    assert!(decode_protobuf_request(&message[..3]).is_ok());
    let refused = decode_protobuf_request(&message).map_err(|error| error.to_string());
    assert!(
        refused.as_ref().is_err_and(|error| error.contains("the tag 4294967384")),
        "{refused:?}"
    );
}

proptest! {
    #[test]
    fn a_request_comes_back_as_it_went_in(request in request(), name in any::<String>()) {
        let request = sayable(request);
        let request = ProtobufRequest { model_name: name, model_version: "v".into(), request };
        let message = encode_protobuf_request(&request);
        prop_assert_eq!(decode_protobuf_request(&message), Ok(request));
    }

    #[test]
    fn a_response_comes_back_as_it_went_in(mut response in response()) {
        response.id = response.id.filter(|id| !id.is_empty());
        response.model_version = response.model_version.filter(|version| !version.is_empty());
        response.outputs.retain(|output| !output.name.is_empty());
        let mut message = Vec::new();
        encode_protobuf_response_into(&response, &mut message);
        response.outputs = told_apart(response.outputs);
        prop_assert_eq!(decode_protobuf_response(&message), Ok(response));
    }

    #[test]
    fn the_usual_library_reads_what_is_written(request in request(), response in response()) {
        let request = sayable(request);
        let message = encode_protobuf_request(&ProtobufRequest { request: request.clone(), ..Default::default() });
        let read = messages::Request::decode(&*message).unwrap();
        prop_assert_eq!(&read.id, request.id.as_deref().unwrap_or_default());
        prop_assert_eq!(read.parameters, parameters(&request.parameters));
        prop_assert_eq!(read.inputs.len(), read.raw_input_contents.len());
        for (input, expected) in read.inputs.iter().zip(&request.inputs) {
            prop_assert_eq!(&input.name, &expected.name);
            prop_assert_eq!(&input.datatype, expected.contents.datatype().wire_name());
            prop_assert!(input.shape.iter().eq(expected.shape.iter().map(|&it| i64::from(it)).collect::<Vec<_>>().iter()));
        }
        for (output, expected) in read.outputs.iter().zip(&request.outputs) {
            prop_assert_eq!(&output.name, &expected.name);
            prop_assert_eq!(&output.parameters, &parameters(&expected.parameters));
        }
        let mut message = Vec::new();
        encode_protobuf_response_into(&response, &mut message);
        let read = messages::Response::decode(&*message).unwrap();
        prop_assert_eq!(read.model_name, response.model_name);
        prop_assert_eq!(read.parameters, parameters(&response.parameters));
        prop_assert_eq!(read.outputs.len(), read.raw_output_contents.len());
    }

    #[test]
    fn what_the_usual_library_writes_is_read_as_it_is_in_json(request in request()) {
        let mut request = sayable(request);
        request.inputs.retain(|input| typed(input).is_some());
        let message = messages::Request {
            model_name: "m".into(),
            id: request.id.clone().unwrap_or_default(),
            parameters: parameters(&request.parameters),
            inputs: request.inputs.iter().filter_map(typed).collect(),
            ..messages::Request::default()
        };
        let read = decode_protobuf_request(&message.encode_to_vec()).unwrap();
        request.outputs.clear();
        request.inputs = told_apart(request.inputs);
        prop_assert_eq!(encode_request(&read.request), encode_request(&request));
    }

    #[test]
    fn no_bytes_do_harm(bytes in any::<Vec<u8>>()) {
        let ours = decode_protobuf_request(&bytes);
        if ours.is_ok() {
            prop_assert!(messages::Request::decode(&*bytes).is_ok());
        }
        let _ = decode_protobuf_response(&bytes);
    }

    #[test]
    fn a_damaged_request_does_no_harm(
        request in request(),
        at in any::<prop::sample::Index>(),
        byte in any::<u8>(),
    ) {
        let mut message = encode_protobuf_request(&ProtobufRequest { request, ..Default::default() });
        if !message.is_empty() {
            let at = at.index(message.len());
            message[at] = byte;
            let _ = decode_protobuf_request(&message);
            message.truncate(at);
            let _ = decode_protobuf_request(&message);
        }
    }
}
