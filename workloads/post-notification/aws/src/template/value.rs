//! Values of templates: intrinsic functions, and what names are made of.

use serde_json::{Value, json};

/// Where a template's own resource, parameter or pseudo-parameter is meant.
pub(crate) fn reference(id: &str) -> Value {
    json!({ "Ref": id })
}

/// An attribute of a template's own resource.
pub(crate) fn attribute(id: &str, name: &str) -> Value {
    json!({ "Fn::GetAtt": [id, name] })
}

/// A text with `${…}` in it.
pub(crate) fn sub(text: impl Into<String>) -> Value {
    json!({ "Fn::Sub": text.into() })
}

/// The first of a list that an attribute is.
pub(crate) fn first(list: &Value) -> Value {
    json!({ "Fn::Select": [0, list] })
}

/// The key `password` of a secret in Secrets Manager: CloudFormation reads it when it makes the resource, and shows it
/// nowhere. `secret` is a parameter of the template.
pub(crate) fn password_of(secret: &str) -> Value {
    sub(format!("{{{{resolve:secretsmanager:${{{secret}}}:SecretString:password}}}}"))
}

/// A zone of the stack's region, by its letter.
pub(crate) fn zone(letter: char) -> Value {
    sub(format!("${{AWS::Region}}{letter}"))
}

/// A logical id, or a part of one: `us-west` becomes `UsWest`.
pub(crate) fn camel(name: &str) -> String {
    let capital = |word: &str| {
        let mut letters = word.chars();
        let first = letters.next().map(|letter| letter.to_ascii_uppercase());
        first.into_iter().chain(letters).collect::<String>()
    };
    name.split(|letter: char| !letter.is_ascii_alphanumeric()).map(capital).collect()
}
