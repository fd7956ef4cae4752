//! See `matrix_fuzz::gather`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| matrix_fuzz::gather(data));
