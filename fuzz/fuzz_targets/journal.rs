//! See `matrix_fuzz::journal`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| matrix_fuzz::journal(data));
