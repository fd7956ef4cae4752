//! Keys of posts.

use std::fmt;

/// Length of a key in characters, as in the original artifact (the MySQL column is `VARCHAR(10)`).
pub const KEY_LENGTH: usize = 10;

/// The key of a post: `str(i)`, one random `A-Z`, then random `A-Z0-9`, ten characters in all. The letter after the
/// number keeps the keys of different requests apart.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PostKey([u8; KEY_LENGTH]);

impl PostKey {
    /// Most requests that keys can tell apart: `i` has at most nine digits.
    pub const MAX_REQUESTS: u64 = 1_000_000_000;

    /// The key of request `i`; `random` supplies the letters. `None` when `i` is not below [`Self::MAX_REQUESTS`].
    #[must_use]
    pub fn new(i: u64, random: u64) -> Option<Self> {
        if i >= Self::MAX_REQUESTS {
            return None;
        }
        let mut bytes = [0; KEY_LENGTH];
        let mut buffer = itoa::Buffer::new();
        let digits = buffer.format(i).as_bytes();
        bytes[..digits.len()].copy_from_slice(digits);
        let mut rest = random;
        for (n, byte) in bytes[digits.len()..].iter_mut().enumerate() {
            let alphabet: &[u8] = if n == 0 { &ALPHABET[..26] } else { ALPHABET };
            let size = alphabet.len() as u64;
            *byte = alphabet[(rest % size) as usize];
            rest /= size;
        }
        Some(Self(bytes))
    }

    /// Reads a key of exactly ten ASCII letters and digits.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let bytes: [u8; KEY_LENGTH] = text.as_bytes().try_into().ok()?;
        bytes.iter().all(u8::is_ascii_alphanumeric).then_some(Self(bytes))
    }

    /// The key as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

impl fmt::Display for PostKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for PostKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn keys_have_the_form_of_the_original(i in 0..PostKey::MAX_REQUESTS, random: u64) {
            let key = PostKey::new(i, random).unwrap();
            let rest = key.as_str().strip_prefix(&i.to_string()).unwrap();
            prop_assert_eq!(key.as_str().len(), KEY_LENGTH);
            prop_assert!(rest.starts_with(|c: char| c.is_ascii_uppercase()));
            prop_assert!(rest.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit()));
            prop_assert_eq!(PostKey::parse(key.as_str()), Some(key));
        }
    }

    #[test]
    fn too_many_requests_have_no_keys() {
        assert_eq!(PostKey::new(PostKey::MAX_REQUESTS, 0), None);
    }
}
