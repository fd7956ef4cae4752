//! Looking into templates.

use matrix_aws::StackSpec;
use serde_json::Value;

/// The resources of a template: id, type, properties.
pub(crate) fn resources(stack: &StackSpec) -> impl Iterator<Item = (&str, &str, &Value)> {
    let resources = stack.template["Resources"].as_object().unwrap().iter();
    resources.map(|(id, resource)| (id.as_str(), resource["Type"].as_str().unwrap(), &resource["Properties"]))
}

/// The properties of all resources of a type, in all stacks.
pub(crate) fn of_kind<'a>(stacks: &'a [StackSpec], kind: &str) -> Vec<(&'a StackSpec, &'a Value)> {
    let all = stacks.iter().flat_map(|stack| resources(stack).map(move |resource| (stack, resource)));
    all.filter(|(_, (_, its, _))| *its == kind).map(|(stack, (_, _, properties))| (stack, properties)).collect()
}

/// Calls `see` with every value in a value, itself included, and the key that it stands under.
pub(crate) fn each<'a>(value: &'a Value, key: &'a str, see: &mut impl FnMut(&'a str, &'a Value)) {
    see(key, value);
    match value {
        Value::Object(fields) => fields.iter().for_each(|(key, value)| each(value, key, see)),
        Value::Array(items) => items.iter().for_each(|item| each(item, key, see)),
        _ => {}
    }
}

/// The names that a template refers to, by `Ref`, `Fn::GetAtt` and `${…}` in `Fn::Sub`.
pub(crate) fn references(template: &Value) -> Vec<String> {
    let mut names = Vec::new();
    each(template, "", &mut |key, value| match (key, value) {
        ("Ref", Value::String(name)) => names.push(name.clone()),
        ("Fn::GetAtt", Value::Array(parts)) => names.push(parts[0].as_str().unwrap().to_owned()),
        ("Fn::Sub", Value::String(text)) => {
            let names_in_text = text.split("${").skip(1).map(|rest| rest.split('}').next().unwrap().to_owned());
            names.extend(names_in_text);
        }
        _ => {}
    });
    names
}
