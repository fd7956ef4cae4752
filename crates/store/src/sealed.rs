//! JSON files that carry a digest of themselves: canonical JSON (RFC 8785) and a line end. The digest is the SHA-256 of
//! the canonical JSON without the field `digest`.

use std::cell::RefCell;
use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::Path;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::digest::Digest;
use crate::error::StoreError;
use crate::plain::open_plain;

/// Most bytes that a JSON file of ours may have.
pub(crate) const MAX_JSON_BYTES: u64 = 64 << 20;

/// The same of one that grows with the cells of a run: a plan has about 300 bytes for each.
pub(crate) const MAX_LARGE_BYTES: u64 = 4 << 30;

/// What [`Sealed`] asks of the fields `schema` and `digest`.
#[macro_export]
macro_rules! seal_fields {
    () => {
        fn schema(&self) -> u32 {
            self.schema
        }
        fn digest(&self) -> Option<$crate::Digest> {
            self.digest
        }
        fn set_digest(&mut self, digest: Option<$crate::Digest>) {
            self.digest = digest;
        }
    };
}

/// What [`RecordFile`](crate::RecordFile) and [`AttemptFile`](crate::AttemptFile) ask of the fields `key` and `origin`.
#[macro_export]
macro_rules! owner_fields {
    () => {
        fn key(&self) -> CellKey {
            self.key
        }
        fn origin(&self) -> &$crate::Origin {
            &self.origin
        }
        fn set_origin(&mut self, origin: $crate::Origin) {
            self.origin = origin;
        }
    };
}

/// A JSON file with a digest of itself. Fields stand in the order of their names, so that what serde writes is canonical.
pub trait Sealed: Serialize + DeserializeOwned {
    /// The newest schema known.
    const SCHEMA: u32;
    /// The oldest schema known.
    const OLDEST: u32 = Self::SCHEMA;

    /// The schema that it says it has.
    fn schema(&self) -> u32;

    /// The digest that it says it has.
    fn digest(&self) -> Option<Digest>;

    /// Puts a digest in.
    fn set_digest(&mut self, digest: Option<Digest>);

    /// Whether its parts fit each other; `path` is for messages.
    ///
    /// # Errors
    /// When they do not.
    fn check(&self, path: &Path) -> Result<(), StoreError> {
        let _ = path;
        Ok(())
    }

    /// The same with the digest that belongs to it.
    ///
    /// # Errors
    /// When it has no JSON.
    fn sealed(mut self) -> Result<Self, StoreError> {
        seal(&mut self)?;
        Ok(self)
    }

    /// The bytes of the file.
    ///
    /// # Errors
    /// When it has no JSON.
    fn to_bytes(&self) -> Result<Vec<u8>, StoreError> {
        // Nearly all have a kilobyte or two.
        let mut bytes = Vec::with_capacity(2 << 10);
        serde_json::to_writer(&mut bytes, self)?;
        bytes.push(b'\n');
        Ok(bytes)
    }

    /// Reads the bytes of the file; `path` is for messages.
    ///
    /// # Errors
    /// When it is damaged: not of this form, of another digest, or with parts that do not fit each other.
    fn from_bytes(path: &Path, bytes: &[u8]) -> Result<Self, StoreError> {
        let value: Self = unseal(path, bytes)?;
        value.check(path)?;
        Ok(value)
    }
}

/// Computes the digest and puts it in.
fn seal<T: Sealed>(value: &mut T) -> Result<(), StoreError> {
    value.set_digest(None);
    let digest = Digest::of(&serde_json::to_vec(value)?);
    value.set_digest(Some(digest));
    Ok(())
}

#[derive(Deserialize)]
struct SchemaOnly {
    schema: u32,
}

fn other_schema<T: Sealed>(path: &Path, found: u32) -> StoreError {
    if found > T::SCHEMA {
        return StoreError::NewerSchema { path: path.to_owned(), found, known: T::SCHEMA };
    }
    StoreError::damaged(path, format!("its schema is {found}, and no version of this program wrote that"))
}

/// Reads a file's bytes, checking its schema, its form and its digest.
fn unseal<T: Sealed>(path: &Path, bytes: &[u8]) -> Result<T, StoreError> {
    let mut value: T = match serde_json::from_slice(bytes) {
        Ok(value) => value,
        Err(error) => {
            return Err(match serde_json::from_slice(bytes) {
                Ok(SchemaOnly { schema }) if schema > T::SCHEMA => other_schema::<T>(path, schema),
                _ => StoreError::damaged(path, error.to_string()),
            });
        }
    };
    if !(T::OLDEST..=T::SCHEMA).contains(&value.schema()) {
        return Err(other_schema::<T>(path, value.schema()));
    }
    if value.to_bytes()? != bytes {
        return Err(StoreError::damaged(path, "it is not in canonical form"));
    }
    let found = value.digest();
    if let Some(found) = found
        && digest_without(bytes, &found) == Some(found)
    {
        return Ok(value);
    }
    seal(&mut value)?;
    match (found, value.digest()) {
        (Some(found), Some(computed)) if found == computed => Ok(value),
        (Some(found), Some(computed)) => Err(StoreError::damaged(
            path,
            format!("its digest is {}, but its contents have {}", found.short(), computed.short()),
        )),
        _ => Err(StoreError::damaged(path, "it has no digest")),
    }
}

/// The digest of a file without its field `digest`, if that says this and is not the last one: in canonical form, what the
/// digest is of is what is left when the field is cut out.
fn digest_without(bytes: &[u8], digest: &Digest) -> Option<Digest> {
    const FIELD: &[u8] = b"\"digest\":\"";
    let text = bytes.strip_suffix(b"\n")?;
    let digits = digest.to_string();
    let is_field = |at: &usize| {
        let rest = &text[at + FIELD.len()..];
        rest.starts_with(digits.as_bytes()) && rest[digits.len()..].starts_with(b"\",")
    };
    let start = memchr::memmem::find_iter(text, FIELD).find(is_field)?;
    let mut hasher = Sha256::new();
    hasher.update(&text[..start]);
    hasher.update(&text[start + FIELD.len() + digits.len() + 2..]);
    Some(Digest::finish(hasher))
}

thread_local! {
    /// What files are read into: nearly all have a kilobyte or two.
    static BUFFER: RefCell<Vec<u8>> = RefCell::new(vec![0; BUFFER_BYTES]);
}

/// A file of this size or more is read in several pieces.
const BUFFER_BYTES: usize = 16 << 10;

/// Reads a file that was opened.
fn read_open(file: File, max: u64) -> std::io::Result<Vec<u8>> {
    BUFFER.with_borrow_mut(|buffer| {
        let mut reader = file.take(max + 1);
        let count = loop {
            match reader.read(buffer) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                read => break read?,
            }
        };
        let mut bytes = buffer[..count].to_vec();
        // A small file comes at once, and ends with a line end.
        if count == buffer.len() || bytes.last() != Some(&b'\n') {
            // A plan is large: memory that grows with what is read would be filled and copied again and again.
            let length = reader.get_ref().metadata()?.len().min(max);
            bytes.reserve(usize::try_from(length).unwrap_or_default().saturating_sub(count));
            reader.read_to_end(&mut bytes)?;
        }
        Ok(bytes)
    })
}

/// Reads a whole file of ours, refusing one that is too large to be that. `None` if there is none.
pub(crate) fn read_small(path: &Path) -> Result<Option<Vec<u8>>, StoreError> {
    read_up_to(path, MAX_JSON_BYTES)
}

/// The same with a bound of its own.
pub(crate) fn read_up_to(path: &Path, max: u64) -> Result<Option<Vec<u8>>, StoreError> {
    let Some(file) = open_plain(path)? else { return Ok(None) };
    let bytes = read_open(file, max).map_err(|error| StoreError::unreadable(path, error))?;
    if bytes.len() as u64 > max {
        return Err(StoreError::damaged(path, format!("it has more than {max} bytes")));
    }
    Ok(Some(bytes))
}
