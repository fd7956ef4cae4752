//! Set-up, seen from outside: its stacks, their templates, and what becomes of what they give.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may stop at once")]

mod committed;
mod connection;
mod hourly;
mod identity;
mod lint;
mod lists;
mod network;
mod permissions;
mod properties;
mod refused;
mod requests;
mod tools;
mod walk;
mod yaml;
