//! Files of a payload, and where their bytes are until they are written.

use std::collections::BTreeMap;
use std::fmt;

use matrix_store::{Digest, Sealed, StoreError};

use crate::binary::Binary;
use crate::packed::Packed;

/// What the bytes of a file are made of when they are needed.
pub trait Make: fmt::Debug + Sync {
    /// The bytes, each time the same.
    ///
    /// # Errors
    /// When they cannot be made.
    fn make(&self) -> Result<Vec<u8>, StoreError>;
}

impl<T: Sealed + fmt::Debug + Sync> Make for T {
    fn make(&self) -> Result<Vec<u8>, StoreError> {
        self.to_bytes()
    }
}

/// Where a file's bytes are. Of files there are many, so that each costs little.
#[derive(Debug)]
pub enum Content<'a> {
    /// Here.
    Bytes(Vec<u8>),
    /// Somewhere else in memory.
    Borrowed(&'a [u8]),
    /// Here, compressed.
    Packed(Box<Packed>),
    /// Made when they are needed: of small files there are many.
    Made(&'a dyn Make),
    /// In the store, as an object of its digest.
    Object,
    /// In a file of its own.
    Binary(Box<Binary>),
}

/// A file of the payload.
#[derive(Debug)]
pub struct Item<'a> {
    /// Its bytes.
    pub size: u64,
    /// Their SHA-256.
    pub digest: Digest,
    /// Where they are.
    pub content: Content<'a>,
}

impl<'a> Item<'a> {
    /// Whether its bytes are at hand; else they are read from the store or made.
    pub(crate) fn is_at_hand(&self) -> bool {
        !matches!(self.content, Content::Made(_) | Content::Object)
    }

    /// A file of these bytes.
    #[must_use]
    pub fn of(bytes: Vec<u8>) -> Self {
        Self { size: bytes.len() as u64, digest: Digest::of(&bytes), content: Content::Bytes(bytes) }
    }

    /// A file of these bytes, which are somewhere else.
    #[must_use]
    pub fn borrowed(bytes: &'a [u8]) -> Self {
        Self { size: bytes.len() as u64, digest: Digest::of(bytes), content: Content::Borrowed(bytes) }
    }

    /// An object of the store, which has so many bytes.
    #[must_use]
    pub fn object(digest: Digest, size: u64) -> Self {
        Self { size, digest, content: Content::Object }
    }
}

impl From<Packed> for Item<'_> {
    fn from(text: Packed) -> Self {
        Self { size: text.size(), digest: text.digest(), content: Content::Packed(Box::new(text)) }
    }
}

impl From<&Binary> for Item<'_> {
    fn from(binary: &Binary) -> Self {
        Self { size: binary.bytes(), digest: binary.sha256(), content: Content::Binary(Box::new(binary.clone())) }
    }
}

/// The files of a payload, by path in the bag.
pub type Items<'a> = BTreeMap<String, Item<'a>>;
