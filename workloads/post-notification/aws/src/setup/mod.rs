//! What set-up makes: stacks of CloudFormation, in an order in which each finds what it needs.

mod cidr;
mod connection;
mod error;
mod limits;
mod lookup;
mod order;
mod place;
mod request;
mod site;
mod stack;
mod standing;
mod validate;
mod warm;

pub(crate) use cidr::{Cidr, Subnet};
pub(crate) use place::Place;
pub(crate) use site::Site;

pub use connection::connection_info;
pub use error::SetupError;
pub use lookup::{Lookup, Question, lookups};
pub use order::{removal_order, stacks};
pub use request::SetupRequest;
pub use stack::{OutputRef, Outputs, Parameter, Removal, StackId, StackSpec};
pub use warm::{ON_DEMAND_WRITE_UNITS, write_units};

/// Tag of everything that set-up makes; its value is the name of the set-up.
pub const SETUP_TAG: &str = "matrix:setup";

/// Types of what the functions' own stacks consist of, which CloudFormation makes in the set-up's role for it.
pub const FUNCTIONS_STACKS: [&str; 10] = [
    "AWS::DynamoDB::GlobalTable",
    "AWS::Lambda::EventInvokeConfig",
    "AWS::Lambda::EventSourceMapping",
    "AWS::Lambda::Function",
    "AWS::Lambda::Permission",
    "AWS::Logs::LogGroup",
    "AWS::S3::Bucket",
    "AWS::SNS::Subscription",
    "AWS::SNS::Topic",
    "AWS::SQS::Queue",
];

/// Longest template that a call to CloudFormation takes inline, in bytes (AWS CloudFormation quotas).
pub const TEMPLATE_BODY_MAX: usize = 51_200;
