//! The stacks that a set-up should have.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::Value;

/// A stack's place and name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StackId {
    /// AWS name of the region.
    pub region: String,
    /// Name of the stack.
    pub name: String,
}

impl fmt::Display for StackId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} in {}", self.name, self.region)
    }
}

/// A value that a stack gives.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct OutputRef {
    /// The stack.
    pub stack: StackId,
    /// Name of its output.
    pub output: String,
}

/// A value that a stack takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Parameter {
    /// A text.
    Text(String),
    /// What another stack gives: that one is made before.
    Output(OutputRef),
}

/// The specification of a stack.
#[derive(Clone, Debug, PartialEq)]
pub struct StackSpec {
    /// Its place and name.
    pub id: StackId,
    /// What it is for, in a few words for the person who is asked whether to make it.
    pub purpose: &'static str,
    /// Its template.
    pub template: Value,
    /// Values of the template's parameters, by name.
    pub parameters: BTreeMap<String, Parameter>,
    /// When it is removed.
    pub removal: Removal,
    /// Stacks that must not be changed at the same time, and that come first: a service changes one member of a global
    /// database or datastore at a time. Whether they succeed does not matter.
    pub after: Vec<StackId>,
}

/// When a stack is removed, compared with those that use what it gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Removal {
    /// After them, as nearly all.
    AfterItsUsers,
    /// Before them: removing it lets go of what they made, which cannot be deleted as long as it is held.
    BeforeItsUsers,
    /// After everything else is gone: what it gives may be needed by what services do in their own time.
    AfterAll,
}

impl StackSpec {
    /// Its template as CloudFormation takes it.
    #[must_use]
    pub fn template_body(&self) -> String {
        self.template.to_string()
    }

    /// The stacks that must be complete before this one can be made, and that must not be removed before it unless their
    /// [`Self::removal`] says so.
    pub fn needs(&self) -> impl Iterator<Item = &StackId> {
        self.parameters.values().filter_map(|parameter| match parameter {
            Parameter::Text(_) => None,
            Parameter::Output(output) => Some(&output.stack),
        })
    }
}

/// What stacks gave: values by output, by stack.
pub type Outputs = BTreeMap<StackId, BTreeMap<String, String>>;
