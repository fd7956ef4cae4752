//! What set-up makes: stacks of CloudFormation, in an order in which each finds what it needs.

mod connection;
mod lookup;
mod order;
mod standing;
mod warm;

pub use crate::site::{
    OutputRef, Outputs, Parameter, Removal, SETUP_TAG, SetupError, SetupRequest, StackId, StackSpec, TEMPLATE_BODY_MAX,
};
pub use connection::connection_info;
pub use lookup::{Lookup, Question, lookups};
pub use order::{removal_order, stacks};
pub use warm::{ON_DEMAND_WRITE_UNITS, write_units};

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
