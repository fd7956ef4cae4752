//! What gives a cell its meaning, part by part.

use std::collections::BTreeMap;

use matrix_core::key_diff::flat;
use matrix_plan::CellInputs;
use serde_json::Value;

use crate::error::{FailureKind, RunError};

/// The inputs as a flat list: the path of each value, and the value.
pub fn parts(inputs: &CellInputs) -> Result<BTreeMap<String, Value>, RunError> {
    let json = |error: serde_json::Error| RunError::new(FailureKind::Internal, error.to_string());
    let value: Value = serde_json::from_str(&inputs.canonical().map_err(json)?).map_err(json)?;
    Ok(flat(value))
}
