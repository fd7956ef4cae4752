//! Keys of cells: the digest of whatever gives a cell its meaning.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest, Sha256};

/// The key of a cell: the SHA-256 of the canonical JSON (RFC 8785) of its inputs, written in hexadecimal.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CellKey([u8; 32]);

impl CellKey {
    /// Characters that a person needs to see, most of the time.
    pub const SHORT: usize = 12;

    /// The SHA-256 of `bytes`.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// The 32 bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The first twelve characters.
    #[must_use]
    pub fn short(&self) -> String {
        let mut hex = self.to_string();
        hex.truncate(Self::SHORT);
        hex
    }
}

impl fmt::Display for CellKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut hex = [0u8; 64];
        for (n, byte) in self.0.iter().enumerate() {
            for (half, nibble) in [byte >> 4, byte & 15].into_iter().enumerate() {
                hex[2 * n + half] = b"0123456789abcdef"[nibble as usize];
            }
        }
        f.write_str(std::str::from_utf8(&hex).unwrap_or_default())
    }
}

impl fmt::Debug for CellKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The key of a cell with these inputs: it does not depend on the order of names.
///
/// # Errors
/// When a number is not finite.
pub fn key_of(inputs: &serde_json::Value) -> Result<CellKey, serde_json::Error> {
    Ok(CellKey::of(&canonical(inputs)?))
}

/// The canonical JSON (RFC 8785) of a value.
///
/// # Errors
/// When a number is not finite.
pub fn canonical(value: &impl Serialize) -> Result<Vec<u8>, serde_json::Error> {
    serde_json_canonicalizer::to_vec(value)
}

/// A text that is no key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no key: a key is 64 lower-case hexadecimal digits")]
pub struct BadKey(pub String);

/// What each byte is worth as a lower-case hexadecimal digit; more than 15 where it is none.
const NIBBLES: [u8; 256] = {
    let mut nibbles = [0xff; 256];
    let mut digit = 0;
    while digit < 16 {
        nibbles[b"0123456789abcdef"[digit] as usize] = digit as u8;
        digit += 1;
    }
    nibbles
};

/// The bytes that 64 lower-case hexadecimal digits stand for; nothing, if a text is something else.
#[must_use]
pub fn from_hex(text: &str) -> Option<[u8; 32]> {
    let digits: &[u8; 64] = text.as_bytes().try_into().ok()?;
    let (mut bytes, mut all) = ([0; 32], 0);
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        let (high, low) = (NIBBLES[usize::from(pair[0])], NIBBLES[usize::from(pair[1])]);
        *byte = high << 4 | low;
        all |= high | low;
    }
    (all < 16).then_some(bytes)
}

impl FromStr for CellKey {
    type Err = BadKey;
    fn from_str(text: &str) -> Result<Self, BadKey> {
        from_hex(text).map(Self).ok_or_else(|| BadKey(text.to_owned()))
    }
}

impl Serialize for CellKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for CellKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        crate::parsed(deserializer)
    }
}
