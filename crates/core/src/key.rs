//! Keys: the digest of whatever gives a cell its meaning.

use matrix_plan::CellKey;
use serde_json::Value;

/// The key of a cell with these inputs: the SHA-256 of their canonical JSON (RFC 8785), so that it does not depend on
/// the order of names.
///
/// # Errors
/// When a number is not finite.
pub fn key_of(inputs: &Value) -> Result<CellKey, serde_json::Error> {
    Ok(CellKey::of(&canonical(inputs)?))
}

/// The canonical JSON of a value.
///
/// # Errors
/// When a number is not finite.
pub fn canonical(value: &impl serde::Serialize) -> Result<Vec<u8>, serde_json::Error> {
    serde_json_canonicalizer::to_vec(value)
}
