//! From a stack's specification to the stack that is wanted.

use std::collections::BTreeMap;

use matrix_aws::StackSpec;
use matrix_aws::setup::{OutputRef, Outputs, Parameter, SETUP_TAG, SetupError};

use super::order::RANK_TAG;
use crate::cloud::Wanted;

/// The value of an output.
pub(super) fn value(from: &OutputRef, outputs: &Outputs) -> Result<String, SetupError> {
    let value = outputs.get(&from.stack).and_then(|outputs| outputs.get(&from.output));
    value.cloned().ok_or_else(|| SetupError::MissingOutput(from.clone()))
}

/// Values of a stack's parameters, once everything that it needs is there.
fn parameters(spec: &StackSpec, outputs: &Outputs) -> Result<BTreeMap<String, String>, SetupError> {
    let value = |(name, parameter): (&String, &Parameter)| {
        let value = match parameter {
            Parameter::Text(text) => text.clone(),
            Parameter::Output(from) => value(from, outputs)?,
        };
        Ok((name.clone(), value))
    };
    spec.parameters.iter().map(value).collect()
}

/// The specification of the stack in the set-up `name`.
pub(super) fn wanted<'a>(
    spec: &'a StackSpec,
    name: &str,
    rank: usize,
    outputs: &Outputs,
) -> Result<Wanted<'a>, SetupError> {
    Ok(Wanted {
        name: &spec.id.name,
        template: &spec.template,
        parameters: parameters(spec, outputs)?,
        owner: (SETUP_TAG, name.to_owned()),
        tags: BTreeMap::from([(RANK_TAG, rank.to_string())]),
    })
}
