//! The real storages do what they must. `MATRIX_ENDPOINTS` names the file that says where the servers are:
//! `MATRIX_ENDPOINTS=… cargo test -p matrix-lambdas --features conformance --test conformance`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "helpers of tests fail the test")]

mod endpoints;
mod notifications;
mod pipeline;
mod posts;
mod provision;
