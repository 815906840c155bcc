//! No bytes make the decoder of requests panic, and what it reads it writes such that it reads the
//! same again.

#![no_main]

use libfuzzer_sys::fuzz_target;
use message::oip::{decode_request, encode_request};

fuzz_target!(|document: &[u8]| {
    let Ok(request) = decode_request(document) else { return };
    let written = encode_request(&request);
    let again = decode_request(&written).expect("what is written can be read");
    // Not compared as values: a NaN is not equal to itself.
    assert_eq!(encode_request(&again), written);
});
