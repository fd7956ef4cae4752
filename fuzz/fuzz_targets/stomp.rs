//! See `matrix_fuzz::stomp`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| matrix_fuzz::stomp(data));
