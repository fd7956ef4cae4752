//! See `matrix_fuzz::record`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| matrix_fuzz::record(data));
