//! Lineages: the operations a request has done so far.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;

use crate::wire::{json, scan::Scan};

/// Identifies the lineage of one request: 128 random bits, written in decimal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LineageId(pub u128);

impl fmt::Display for LineageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// What a write is known by in the reader's region: the key, and for an object store the version id as well.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WriteId<'a> {
    /// Key of the post.
    pub key: Cow<'a, str>,
    /// Version id of the object, where the storage has versions (s3).
    pub version: Option<Cow<'a, str>>,
}

/// The operations a request has done so far, and its identity.
///
/// Its wire form, the *context*, is a JSON text: `{"id":"…","operations":{"post-storage":[["key"]]}}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lineage<'a> {
    /// Identity of the request's lineage.
    pub id: LineageId,
    /// Writes to the post storage, in order.
    pub operations: Vec<WriteId<'a>>,
}

#[derive(Deserialize)]
struct Context<'a> {
    #[serde(borrow)]
    id: Cow<'a, str>,
    #[serde(borrow)]
    operations: Operations<'a>,
}

#[derive(Deserialize)]
struct Operations<'a> {
    #[serde(rename = "post-storage", borrow, default)]
    post_storage: Vec<Vec<Cow<'a, str>>>,
}

/// A context that could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LineageError {
    /// Not JSON, or not of a context's shape.
    #[error("the context is not a lineage: {0}")]
    Json(#[from] serde_json::Error),
    /// The context is not UTF-8.
    #[error("the context is not UTF-8")]
    Text,
    /// The identity is not a 128-bit number in decimal.
    #[error("the context's id `{0}` is not 128 bits in decimal")]
    Id(String),
    /// A write id is neither `[key]` nor `[key, version]`.
    #[error("a write id of the context has {0} parts, not 1 or 2")]
    WriteId(usize),
}

impl<'a> Lineage<'a> {
    /// The lineage of a request that has done nothing yet.
    #[must_use]
    pub fn new(id: LineageId) -> Self {
        Self { id, operations: Vec::new() }
    }

    /// Adds a write to the lineage.
    pub fn append(&mut self, write: WriteId<'a>) {
        self.operations.push(write);
    }

    /// The lineage as a context.
    ///
    /// # Errors
    /// None in practice: a lineage can always be written.
    pub fn to_context(&self) -> Result<String, LineageError> {
        let mut out = Vec::with_capacity(128);
        out.extend_from_slice(b"{\"id\":\"");
        out.extend_from_slice(itoa::Buffer::new().format(self.id.0).as_bytes());
        out.extend_from_slice(b"\",\"operations\":{");
        for (n, write) in self.operations.iter().enumerate() {
            out.extend_from_slice(if n == 0 { b"\"post-storage\":[[" } else { b",[" });
            json::text(&mut out, &write.key);
            if let Some(version) = &write.version {
                out.push(b',');
                json::text(&mut out, version);
            }
            out.push(b']');
        }
        out.extend_from_slice(if self.operations.is_empty() { b"}}" } else { b"]}}" });
        String::from_utf8(out).map_err(|_| LineageError::Text)
    }

    /// Reads what [`Self::to_context`] writes.
    fn scan(context: &'a str) -> Option<Self> {
        let mut scan = Scan::new(context);
        scan.expect("{\"id\":")?;
        let mut lineage = Self::new(LineageId(scan.text()?.parse().ok()?));
        scan.expect(",\"operations\":{")?;
        if scan.literal("\"post-storage\":[") {
            loop {
                scan.expect("[")?;
                let key = scan.text()?;
                let version = if scan.literal(",") { Some(scan.text()?) } else { None };
                scan.expect("]")?;
                lineage.append(WriteId { key, version });
                if !scan.literal(",") {
                    break;
                }
            }
            scan.expect("]")?;
        }
        scan.expect("}}")?;
        scan.end().map(|()| lineage)
    }

    /// Reads a context, ours or the original artifact's.
    ///
    /// # Errors
    /// When the text is not a context.
    pub fn from_context(context: &'a str) -> Result<Self, LineageError> {
        if let Some(lineage) = Self::scan(context) {
            return Ok(lineage);
        }
        let Context { id, operations } = serde_json::from_str(context)?;
        let id = LineageId(id.parse().map_err(|_| LineageError::Id(id.into_owned()))?);
        let operations = operations
            .post_storage
            .into_iter()
            .map(|parts| {
                let count = parts.len();
                let mut parts = parts.into_iter();
                match (parts.next(), parts.next(), parts.next()) {
                    (Some(key), version, None) => Ok(WriteId { key, version }),
                    _ => Err(LineageError::WriteId(count)),
                }
            })
            .collect::<Result<_, _>>()?;
        Ok(Self { id, operations })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn reads_contexts_of_the_original() {
        let empty = r#"{"id": "340282366920938463463374607431768211455", "operations": {}}"#;
        assert_eq!(Lineage::from_context(empty).unwrap(), Lineage::new(LineageId(u128::MAX)));
        let s3 = r#"{"id": "7", "operations": {"post-storage": [["17QX4ZD0PA", "v1"]]}}"#;
        let write = WriteId { key: "17QX4ZD0PA".into(), version: Some("v1".into()) };
        assert_eq!(Lineage::from_context(s3).unwrap().operations, [write]);
    }

    #[test]
    fn refuses_what_is_no_context() {
        for bad in ["", "{}", r#"{"id":"x","operations":{}}"#, r#"{"id":"1","operations":{"post-storage":[[]]}}"#] {
            assert!(Lineage::from_context(bad).is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn a_context_keeps_the_lineage(id: u128, writes in proptest::collection::vec((".*", proptest::option::of(".*")), 0..4)) {
            let mut lineage = Lineage::new(LineageId(id));
            for (key, version) in &writes {
                lineage.append(WriteId { key: key.into(), version: version.as_ref().map(Into::into) });
            }
            let context = lineage.to_context().unwrap();
            prop_assert_eq!(Lineage::from_context(&context).unwrap(), lineage);
        }
    }
}
