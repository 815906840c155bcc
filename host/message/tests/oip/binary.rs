//! Documents with tensors behind them.

use message::oip::{
    decode_binary_request, decode_binary_response, encode_binary_request, encode_binary_response,
};
use message::{Contents, Tensor};
use proptest::prelude::*;

use crate::documents::{request, response};

/// What a reader makes of strings of which nobody has said what they are.
pub(crate) fn told_apart(mut tensors: Vec<Tensor>) -> Vec<Tensor> {
    for tensor in &mut tensors {
        if let Contents::Blobs(blobs) = &tensor.contents {
            let texts = blobs.iter().cloned().map(String::from_utf8);
            if let Ok(texts) = texts.collect::<Result<_, _>>() {
                tensor.contents = Contents::Texts(texts);
            }
        }
    }
    tensors
}

proptest! {
    #[test]
    fn a_request_comes_back_as_it_went_in(request in request()) {
        let body = encode_binary_request(&request);
        prop_assert_eq!(decode_binary_request(&body.bytes, body.document_bytes), Ok(request));
    }

    #[test]
    fn a_response_comes_back_as_it_went_in(mut response in response()) {
        let body = encode_binary_response(&response, |_| true);
        response.outputs = told_apart(response.outputs);
        prop_assert_eq!(decode_binary_response(&body.bytes, body.document_bytes), Ok(response));
    }

    #[test]
    fn a_damaged_request_does_no_harm(
        request in request(),
        at in any::<prop::sample::Index>(),
        byte in any::<u8>(),
        document_bytes in 0_usize..2000,
    ) {
        let mut body = encode_binary_request(&request);
        let at = at.index(body.bytes.len());
        body.bytes[at] = byte;
        let _ = decode_binary_request(&body.bytes, body.document_bytes);
        let _ = decode_binary_request(&body.bytes, document_bytes);
        body.bytes.truncate(at);
        prop_assert!(decode_binary_request(&body.bytes, body.document_bytes).is_err());
    }
}
