//! Building blocks of the JSON Schemas that describe experiment files to editors. Each takes the description that an
//! editor shows.

use serde_json::{Value, json};

/// A table with these keys and no others.
#[must_use]
pub fn table(description: &str, required: &[&str], properties: Value) -> Value {
    json!({
        "description": description,
        "type": "object",
        "additionalProperties": false,
        "required": required,
        "properties": properties,
    })
}

/// A list of any length.
#[must_use]
pub fn list(description: &str, items: Value) -> Value {
    json!({ "description": description, "type": "array", "items": items })
}

/// One of these names.
#[must_use]
pub fn names(description: &str, names: &[&str]) -> Value {
    json!({ "description": description, "enum": names })
}

/// A name that is also part of file names.
#[must_use]
pub fn slug(description: &str) -> Value {
    json!({ "description": description, "type": "string", "pattern": "^[a-z0-9][a-z0-9_-]{0,99}$" })
}

/// A text that is not empty.
#[must_use]
pub fn text(description: &str) -> Value {
    json!({ "description": description, "type": "string", "minLength": 1 })
}

/// A number.
#[must_use]
pub fn number(description: &str) -> Value {
    json!({ "description": description, "type": "number" })
}

/// A whole number within bounds, both included.
#[must_use]
pub fn whole(description: &str, minimum: u64, maximum: Option<u64>) -> Value {
    let mut whole = json!({ "description": description, "type": "integer", "minimum": minimum });
    if let Some(maximum) = maximum {
        whole["maximum"] = json!(maximum);
    }
    whole
}

/// `true` or `false`.
#[must_use]
pub fn flag(description: &str) -> Value {
    json!({ "description": description, "type": "boolean" })
}
