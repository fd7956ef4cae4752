//! What set-up makes: stacks of CloudFormation, in an order in which each finds what it needs.

mod cidr;
mod connection;
mod error;
mod lookup;
mod order;
mod place;
mod request;
mod site;
mod stack;
mod standing;
mod validate;

pub(crate) use cidr::{Cidr, Subnet};
pub(crate) use place::Place;
pub(crate) use site::Site;

pub use connection::connection_info;
pub use error::SetupError;
pub use lookup::{Lookup, Question, lookups};
pub use order::{removal_order, stacks};
pub use request::SetupRequest;
pub use stack::{OutputRef, Outputs, Parameter, Removal, StackId, StackSpec};

/// Tag of everything that set-up makes; its value is the name of the set-up.
pub const SETUP_TAG: &str = "matrix:setup";

/// Longest template that a call to CloudFormation takes inline, in bytes (AWS CloudFormation quotas).
pub const TEMPLATE_BODY_MAX: usize = 51_200;
