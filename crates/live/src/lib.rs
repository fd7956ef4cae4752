//! Real services: where they live, and what drives functions on them.

pub mod testbed;
