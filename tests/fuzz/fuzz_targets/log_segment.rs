//! No bytes in a segment make its reader panic, go round in circles, or take for a record what is
//! none.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| stream::check_segment(bytes));
