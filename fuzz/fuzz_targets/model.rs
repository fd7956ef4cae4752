//! See `matrix_fuzz::model`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| matrix_fuzz::model(data));
