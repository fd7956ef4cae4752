//! See `matrix_fuzz::prices`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| matrix_fuzz::prices(data));
