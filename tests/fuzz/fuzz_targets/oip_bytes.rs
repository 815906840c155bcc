//! No bytes make the decoders of protobuf and of tensors in binary panic, and what they read is
//! written such that it reads the same again.

#![no_main]

use libfuzzer_sys::fuzz_target;
use message::oip::{
    ProtobufRequest, decode_binary_request, decode_protobuf_request, decode_protobuf_response,
    encode_binary_request, encode_protobuf_request, encode_request,
};

fuzz_target!(|input: &[u8]| {
    if let Ok(read) = decode_protobuf_request(input) {
        let written = encode_protobuf_request(&read);
        let again = decode_protobuf_request(&written).expect("what is written can be read");
        // Not compared as values: a NaN is not equal to itself.
        assert_eq!(encode_protobuf_request(&again), written);
    }
    let _ = decode_protobuf_response(input);
    let Some((length, body)) = input.split_first_chunk::<2>() else { return };
    let document_bytes = usize::from(u16::from_be_bytes(*length));
    let Ok(request) = decode_binary_request(body, document_bytes) else { return };
    let written = encode_binary_request(&request);
    let again = decode_binary_request(&written.bytes, written.document_bytes)
        .expect("what is written can be read");
    assert_eq!(encode_request(&again), encode_request(&request));
    let named = request.inputs.iter().all(|input| !input.name.is_empty());
    let named = named && request.outputs.iter().all(|output| !output.name.is_empty());
    if named {
        let message = ProtobufRequest { request, ..ProtobufRequest::default() };
        let message = encode_protobuf_request(&message);
        assert!(decode_protobuf_request(&message).is_ok(), "one encoding is as good as another");
    }
});
