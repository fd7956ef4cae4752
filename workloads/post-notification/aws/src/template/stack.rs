//! A stack while it is written.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::value::reference;
use crate::site::{OutputRef, Parameter, Removal, SETUP_TAG, SetupRegion, Site, StackId, StackSpec};

/// A stack while it is written: a template and the values of its parameters, which so cannot disagree.
pub(crate) struct Stack {
    id: StackId,
    purpose: &'static str,
    setup: String,
    removal: Removal,
    after: Vec<StackId>,
    values: BTreeMap<String, Parameter>,
    parameters: Map<String, Value>,
    resources: Map<String, Value>,
    outputs: Map<String, Value>,
}

impl Stack {
    /// An empty one in a region of a set-up, whose name is the value of every tag.
    pub(crate) fn of(site: &Site<'_>, place: &SetupRegion, part: &str, purpose: &'static str) -> Self {
        Self {
            id: site.id(place, part),
            purpose,
            setup: site.request.name.clone(),
            removal: Removal::AfterItsUsers,
            after: Vec::new(),
            values: BTreeMap::new(),
            parameters: Map::new(),
            resources: Map::new(),
            outputs: Map::new(),
        }
    }

    /// Has it removed before the stacks that use it.
    pub(crate) fn removed_first(&mut self) {
        self.removal = Removal::BeforeItsUsers;
    }

    /// Has it removed when everything else is gone.
    pub(crate) fn removed_last(&mut self) {
        self.removal = Removal::AfterAll;
    }

    /// Has it made when these are no longer being made.
    pub(crate) fn after(&mut self, stacks: impl IntoIterator<Item = StackId>) {
        self.after.extend(stacks);
    }

    /// Takes what another stack gives. The value is a reference to the parameter.
    pub(crate) fn take(&mut self, parameter: &str, what: &str, from: OutputRef) -> Value {
        self.parameters.insert(parameter.to_owned(), json!({ "Type": "String", "Description": what }));
        self.values.insert(parameter.to_owned(), Parameter::Output(from));
        reference(parameter)
    }

    /// Adds a resource that can have no tags.
    pub(crate) fn add(&mut self, id: &str, kind: &str, properties: Value) {
        self.resources.insert(id.to_owned(), json!({ "Type": kind, "Properties": properties }));
    }

    /// Adds a resource with the set-up's tag.
    pub(crate) fn tagged(&mut self, id: &str, kind: &str, mut properties: Value) {
        properties["Tags"] = self.tags();
        self.add(id, kind, properties);
    }

    /// The set-up's tag, as most resources want it.
    pub(crate) fn tags(&self) -> Value {
        json!([{ "Key": SETUP_TAG, "Value": self.setup }])
    }

    /// Sets an attribute of a resource that stands beside its properties, such as `DependsOn`.
    pub(crate) fn mark(&mut self, id: &str, attribute: &str, value: impl Into<Value>) {
        if let Some(resource) = self.resources.get_mut(id) {
            resource[attribute] = value.into();
        }
    }

    /// Gives a value to other stacks, or to `connection_info.yaml`.
    pub(crate) fn give(&mut self, output: &str, value: Value) {
        self.outputs.insert(output.to_owned(), json!({ "Value": value }));
    }

    /// The finished stack.
    pub(crate) fn finish(self) -> StackSpec {
        let mut template = json!({
            "AWSTemplateFormatVersion": "2010-09-09",
            "Description": format!("{}: {}", self.setup, self.purpose),
            "Resources": self.resources,
        });
        if !self.parameters.is_empty() {
            template["Parameters"] = Value::Object(self.parameters);
        }
        if !self.outputs.is_empty() {
            template["Outputs"] = Value::Object(self.outputs);
        }
        StackSpec {
            id: self.id,
            purpose: self.purpose,
            template,
            parameters: self.values,
            removal: self.removal,
            after: self.after,
        }
    }
}
