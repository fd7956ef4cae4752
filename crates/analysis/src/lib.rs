//! Traces to tables, with Polars.

pub mod tables;
