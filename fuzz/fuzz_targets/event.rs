//! See `matrix_fuzz::event`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| matrix_fuzz::event(data));
