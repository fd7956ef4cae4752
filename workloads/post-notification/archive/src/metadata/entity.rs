//! Entities of the graph.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use serde::{Serialize, Serializer};

/// Names of many entities, each made when it is written.
pub(super) trait Names: fmt::Debug + Sync {
    /// The names.
    fn names(&self) -> Box<dyn Iterator<Item = Cow<'_, str>> + '_>;
}

/// A property's value: a text, or references to entities. A list of one is written as that one.
#[derive(Clone, Debug)]
pub(super) enum Value<'a> {
    Text(String),
    References(Vec<Reference<'a>>),
    Many(&'a dyn Names),
}

impl Serialize for Value<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Text(text) => serializer.serialize_str(text),
            Self::References(ids) => match ids.as_slice() {
                [id] => id.serialize(serializer),
                ids => ids.serialize(serializer),
            },
            Self::Many(many) => {
                let mut ids = many.names().map(|id| Reference { id });
                match (ids.next(), ids.next()) {
                    (Some(id), None) => id.serialize(serializer),
                    (first, second) => serializer.collect_seq(first.into_iter().chain(second).chain(ids)),
                }
            }
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

/// References to many entities; nothing if there are none.
pub(super) fn many(names: &dyn Names) -> Option<Value<'_>> {
    names.names().next().is_some().then_some(Value::Many(names))
}

/// References to entities; nothing if there are none.
pub(super) fn refs<'a>(ids: impl IntoIterator<Item = impl Into<Cow<'a, str>>>) -> Option<Value<'a>> {
    let ids: Vec<Reference<'a>> = ids.into_iter().map(|id| Reference { id: id.into() }).collect();
    (!ids.is_empty()).then_some(Value::References(ids))
}

/// The bytes that stand for themselves in an IRI.
const PLAIN: [bool; 256] = {
    let (mut plain, marks) = ([false; 256], b"-._~/+@=");
    let mut byte = 0;
    while byte < 256 {
        plain[byte] = (byte as u8).is_ascii_alphanumeric();
        byte += 1;
    }
    let mut at = 0;
    while at < marks.len() {
        plain[marks[at] as usize] = true;
        at += 1;
    }
    plain
};

/// A text as part of an IRI.
pub(super) fn iri(text: &str) -> Cow<'_, str> {
    let good = |byte: u8| PLAIN[usize::from(byte)];
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
