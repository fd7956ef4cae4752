//! Real services: where they live, and what drives functions on them.

pub mod aws;
mod cloud;
pub mod lambda;
pub mod testbed;
