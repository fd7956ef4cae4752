//! Names that become file names: of origins, attempts and runs. What they allow is safe on every file system.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::error::StoreError;

/// Longest name, in bytes: with an extension it stays under what every file system allows.
const MAX_LENGTH: usize = 120;

/// A name's text. One that most results have takes no memory of its own: of names there are hundreds of thousands.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Text(Option<Box<str>>);

impl Text {
    const MOST_FREQUENT: &str = Origin::LOCAL;

    fn of(text: &str) -> Self {
        Self((text != Self::MOST_FREQUENT).then(|| text.into()))
    }
}

impl std::ops::Deref for Text {
    type Target = str;
    fn deref(&self) -> &str {
        self.0.as_deref().unwrap_or(Self::MOST_FREQUENT)
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&**self, f)
    }
}

impl Ord for Text {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (**self).cmp(other)
    }
}

impl PartialOrd for Text {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

macro_rules! name {
    ($(#[$doc:meta])* $type:ident: $what:literal, $good:expr) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $type(Text);

        impl $type {
            /// The name as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $type {
            type Err = StoreError;
            fn from_str(name: &str) -> Result<Self, StoreError> {
                let good: fn(u8) -> bool = $good;
                let first = name.bytes().next().is_some_and(|b| b.is_ascii_alphanumeric());
                if first && name.len() <= MAX_LENGTH && name.bytes().all(good) {
                    Ok(Self(Text::of(name)))
                } else {
                    Err(StoreError::BadName { what: $what, name: name.to_owned() })
                }
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }

        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }

        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                matrix_core::parsed(deserializer)
            }
        }
    };
}

name! {
    /// Who measured: lower-case letters, digits and hyphens.
    Origin: "an origin (lower-case letters, digits and hyphens)",
    |b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-'
}

name! {
    /// Name of an attempt: ASCII letters, digits, `.`, `_` and `-`.
    AttemptId: "an attempt (letters, digits, `.`, `_` and `-`)",
    |b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-')
}

name! {
    /// Name of a run, `<time>-<experiment>`: ASCII letters, digits, `.`, `_` and `-`.
    RunId: "a run (letters, digits, `.`, `_` and `-`)",
    |b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-')
}

impl Origin {
    /// The origin of what is measured here.
    pub const LOCAL: &'static str = "local";

    /// Whether the origin is `local`.
    #[must_use]
    pub fn is_local(&self) -> bool {
        self.as_str() == Self::LOCAL
    }
}

impl Default for Origin {
    fn default() -> Self {
        Self(Text::of(Self::LOCAL))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_leave_its_directory() {
        for bad in ["", ".", "..", "../x", "a/b", "-x", ".x", "Local", "a b", "é", "a\0"] {
            assert!(bad.parse::<Origin>().is_err(), "{bad:?}");
        }
        for bad in ["", "..", "a/b", ".hidden", "a\\b", "a:b", "x\n"] {
            assert!(bad.parse::<AttemptId>().is_err(), "{bad:?}");
            assert!(bad.parse::<RunId>().is_err(), "{bad:?}");
        }
        assert!("x".repeat(121).parse::<Origin>().is_err());
        assert!("sosp26-eval".parse::<Origin>().is_ok());
        assert!("20261122T130000Z-sosp".parse::<RunId>().is_ok());
    }
}
