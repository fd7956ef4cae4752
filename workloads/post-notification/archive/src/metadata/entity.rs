//! Entities of the graph.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::{Serialize, Serializer};

/// A property's value: a text, or references to entities. A list of one is written as that one.
#[derive(Clone, Debug)]
pub(super) enum Value<'a> {
    Text(String),
    References(Vec<Reference<'a>>),
}

impl Serialize for Value<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Text(text) => serializer.serialize_str(text),
            Self::References(ids) => match ids.as_slice() {
                [id] => id.serialize(serializer),
                ids => ids.serialize(serializer),
            },
        }
    }
}

#[derive(Clone, Debug, Serialize)]
pub(super) struct Reference<'a> {
    #[serde(rename = "@id")]
    id: Cow<'a, str>,
}

/// An entity: its properties by name.
#[derive(Clone, Debug, Serialize)]
#[serde(transparent)]
pub(super) struct Entity<'a> {
    properties: BTreeMap<&'static str, Value<'a>>,
}

impl<'a> Entity<'a> {
    pub(super) fn new(id: &str, kind: &str) -> Self {
        let properties = BTreeMap::from([("@id", Value::Text(id.to_owned())), ("@type", Value::Text(kind.to_owned()))]);
        Self { properties }
    }

    pub(super) fn id(&self) -> &str {
        match self.properties.get("@id") {
            Some(Value::Text(id)) => id,
            _ => "",
        }
    }

    /// Adds a text, unless it is empty.
    pub(super) fn text(self, name: &'static str, text: &str) -> Self {
        if text.is_empty() { self } else { self.value(name, Some(Value::Text(text.to_owned()))) }
    }

    pub(super) fn value(mut self, name: &'static str, value: Option<Value<'a>>) -> Self {
        if let Some(value) = value {
            self.properties.insert(name, value);
        }
        self
    }
}

/// References to entities; nothing if there are none.
pub(super) fn refs<'a>(ids: impl IntoIterator<Item = impl Into<Cow<'a, str>>>) -> Option<Value<'a>> {
    let ids: Vec<Reference<'a>> = ids.into_iter().map(|id| Reference { id: id.into() }).collect();
    (!ids.is_empty()).then_some(Value::References(ids))
}

/// A text as part of an IRI.
pub(super) fn iri(text: &str) -> Cow<'_, str> {
    let good = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~/+@=".contains(&byte);
    if text.bytes().all(good) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if good(byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    Cow::Owned(out)
}
