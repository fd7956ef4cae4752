//! The specification of a stack.

use std::collections::BTreeMap;

use aws_sdk_cloudformation::types::{Parameter, Tag};
use serde_json::{Value, json};

use crate::lambda::hex;

/// Tag of a stack that says what it was made from.
pub(super) const DIGEST_TAG: &str = "matrix:template";

/// Tag of a stack that says of which run it is.
pub(crate) const RUN_TAG: &str = "matrix:run";

/// The specification of a stack.
#[derive(Clone, Debug)]
pub(crate) struct Wanted<'a> {
    pub(crate) name: &'a str,
    pub(crate) template: &'a Value,
    pub(crate) parameters: BTreeMap<String, String>,
    /// Tag and value that say whose it is. A stack of the same name without them is somebody else's.
    pub(crate) owner: (&'static str, String),
    /// Further tags.
    pub(crate) tags: BTreeMap<&'static str, String>,
}

impl Wanted<'_> {
    /// Digest of everything that the stack is made from. `serde_json` sorts keys.
    pub(crate) fn digest(&self) -> String {
        let Self { name: _, template, parameters, owner, tags } = self;
        hex(json!({ "template": template, "parameters": parameters, "owner": owner, "tags": tags }).to_string())
    }

    pub(super) fn tags(&self) -> Vec<Tag> {
        let digest = (DIGEST_TAG, self.digest());
        let tags = self.tags.iter().map(|(key, value)| (*key, value.clone())).chain([self.owner.clone(), digest]);
        tags.map(|(key, value)| Tag::builder().key(key).value(value).build()).collect()
    }

    pub(super) fn parameters(&self) -> Vec<Parameter> {
        let parameter = |(key, value)| Parameter::builder().parameter_key(key).parameter_value(value).build();
        self.parameters.iter().map(parameter).collect()
    }
}
