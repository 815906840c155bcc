//! No bytes make a reader of trained files panic or take much memory, and what it reads can be run.

#![no_main]

use libfuzzer_sys::fuzz_target;
use pack::{ReadOptions, read};

fuzz_target!(|file: &[u8]| {
    for matrix in [false, true] {
        if let Ok(trained) = read(file, &ReadOptions { matrix, ..ReadOptions::default() }) {
            trained.pipeline.check().expect("what is read was checked");
        }
    }
});
