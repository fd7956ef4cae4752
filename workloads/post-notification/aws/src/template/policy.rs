//! Policies of IAM.

use serde_json::{Value, json};

use super::value::reference;
use crate::site::Site;

/// Something that is allowed.
#[derive(Clone, Debug)]
pub(crate) struct Allow {
    actions: Vec<String>,
    on: Vec<Value>,
    condition: Option<Value>,
}

/// Allows actions on resources.
pub(crate) fn allow(actions: &[&str], on: Vec<Value>) -> Allow {
    Allow { actions: actions.iter().map(|&action| action.to_owned()).collect(), on, condition: None }
}

/// Allows actions of one service on resources: what they begin with, and their names, between which there are spaces.
pub(crate) fn allow_of((service, names): (&str, &str), on: Vec<Value>) -> Allow {
    let actions = names.split_whitespace().map(|name| format!("{service}:{name}")).collect();
    Allow { actions, on, condition: None }
}

impl Allow {
    /// Only under this condition.
    pub(crate) fn when(mut self, operator: &str, key: &str, value: impl Into<Value>) -> Self {
        self.condition.get_or_insert_with(|| json!({}))[operator][key] = value.into();
        self
    }

    /// Only by calls to the set-up's regions.
    pub(crate) fn in_regions(self, site: &Site<'_>) -> Self {
        let regions: Vec<&str> = site.places().map(|place| place.aws.as_str()).collect();
        self.when("StringEquals", "aws:RequestedRegion", json!(regions))
    }

    fn to_value(&self) -> Value {
        let mut statement = json!({ "Effect": "Allow", "Action": self.actions, "Resource": self.on });
        if let Some(condition) = &self.condition {
            statement["Condition"] = condition.clone();
        }
        statement
    }
}

/// The document of a policy.
pub(crate) fn document(allowed: &[Allow]) -> Value {
    let statements: Vec<Value> = allowed.iter().map(Allow::to_value).collect();
    json!({ "Version": "2012-10-17", "Statement": statements })
}

/// Who may take a role: a service, for this account. A service that does not say for whom it asks passes, too: that CloudFormation,
/// Lambda and the replication of S3 say so is documented for none of the roles that they are given.
pub(crate) fn trust(service: &str) -> Value {
    let statement = json!({
        "Effect": "Allow",
        "Principal": { "Service": service },
        "Action": "sts:AssumeRole",
        "Condition": { "StringEqualsIfExists": { "aws:SourceAccount": reference("AWS::AccountId") } },
    });
    json!({ "Version": "2012-10-17", "Statement": [statement] })
}

/// The policy of an endpoint of a service: callers of this account alone.
pub(crate) fn own_callers() -> Value {
    let statement = json!({
        "Effect": "Allow",
        "Principal": "*",
        "Action": "*",
        "Resource": "*",
        "Condition": { "StringEquals": { "aws:PrincipalAccount": reference("AWS::AccountId") } },
    });
    json!({ "Version": "2012-10-17", "Statement": [statement] })
}
