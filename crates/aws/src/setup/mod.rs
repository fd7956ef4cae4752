//! What set-up makes: stacks of CloudFormation, in an order in which each finds what it needs.

mod request;
mod stack;

pub use request::SetupRequest;
pub use stack::{OutputRef, Outputs, Parameter, StackId, StackSpec};

/// Tag of everything that set-up makes; its value is the name of the set-up.
pub const SETUP_TAG: &str = "matrix:setup";
